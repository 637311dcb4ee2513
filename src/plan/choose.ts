import type { Condition, Rule, Settings } from '../config/settings.ts'
import type { ObjectProperties } from '../destinations/destination.ts'
import { matching } from './sources/ignore-patterns.ts'
import { withoutParameters } from './without-parameters.ts'

/** What is decided of a file beside its key. */
export interface Choice {
  /** 0 is the run's own destination and settings, n those of its nth route. */
  readonly lane: number
  readonly contentType: string
  /** One and the same for all files of one kind. */
  readonly properties: ObjectProperties
  /** Left out by a rule or a route. */
  readonly isSkipped: boolean
  /** The rule it meets. */
  readonly rule: Rule | undefined
  /** The rule and the route that had a say, if any. */
  readonly decidedBy: readonly string[] | undefined
}

/** What rules and routes go by. */
export interface ChosenFor {
  /** The file's source name. */
  readonly source: string
  /** Bytes; undefined where that is not known. */
  readonly size: number | undefined
  /** As the name, or the run, has it. */
  readonly contentType: string
  /** What is said of this very file: stronger than any rule. */
  readonly own?: OwnProperties | undefined
}

/** What a list of files says of one of them. */
export interface OwnProperties {
  readonly contentType?: string | undefined
  readonly properties?: ObjectProperties | undefined
}

/** Applies rules and routes to one file after the other. */
export interface Chooser {
  /** Of each kind the first that the file meets. Routes go by the content type that the rules gave. */
  choose(file: ChosenFor): Choice
  /** What a file's object has beside its bytes where `general` is what the settings say: the last the strongest. */
  merged(general: ObjectProperties, rule: Rule | undefined, own: OwnProperties | undefined): ObjectProperties
}

export function createChooser({
  rules,
  routes,
  properties,
}: Pick<Settings, 'rules' | 'routes' | 'properties'>): Chooser {
  const ruleOf = firstMet(rules)
  const routeOf = firstMet(routes)
  const merged = createMerged()
  return {
    merged,
    choose(file) {
      const rule = ruleOf(file)
      const contentType = file.own?.contentType ?? rule?.contentType ?? file.contentType
      const route = routeOf(contentType === file.contentType ? file : { ...file, contentType })
      const isSkipped = rule?.skip === true || route?.skip === true
      return {
        lane: route === undefined ? 0 : routes.indexOf(route) + 1,
        contentType,
        properties: merged(route?.settings.properties ?? properties, rule, file.own),
        isSkipped,
        rule,
        decidedBy: rule === undefined && route === undefined ? undefined : namesOf(rule, route),
      }
    },
  }
}

function namesOf(...entries: readonly ({ readonly name: string } | undefined)[]): readonly string[] {
  return entries.flatMap((entry) => entry?.name ?? [])
}

/** The first entry that a file meets. */
function firstMet<Entry extends { readonly when: Condition }>(
  entries: readonly Entry[],
): (file: ChosenFor) => Entry | undefined {
  const tests = entries.map((entry) => ({ entry, meets: compileCondition(entry.when) }))
  return (file) => tests.find(({ meets }) => meets(file))?.entry
}

function compileCondition({ match, type, minSize, maxSize }: Condition): (file: ChosenFor) => boolean {
  const matches = match.length === 0 ? () => true : matching(match)
  const isOfType = type.length === 0 ? () => true : ofTypes(type)
  const isOfSize = (size: number | undefined): boolean => {
    if (minSize === undefined && maxSize === undefined) return true
    return size !== undefined && size >= (minSize ?? 0) && size <= (maxSize ?? Number.POSITIVE_INFINITY)
  }
  return ({ source, contentType, size }) => matches(source) && isOfType(contentType) && isOfSize(size)
}

/** Whether a media type, with or without parameters, is one of some, which may end in `/*`. */
export function ofTypes(types: readonly string[]): (contentType: string) => boolean {
  const wanted = new Set(types)
  return (contentType) => {
    const plain = withoutParameters(contentType).toLowerCase()
    return wanted.has(plain) || wanted.has(`${plain.replace(/\/.*$/s, '')}/*`) || wanted.has('*/*')
  }
}

/** How many different sets of properties are remembered to be one and the same again. */
const setsRemembered = 1000

/** Merges properties, the last the strongest; the same ones come to the same object. */
function createMerged(): Chooser['merged'] {
  const usual = new Map<ObjectProperties, Map<Rule, ObjectProperties>>()
  const sets = new Map<string, ObjectProperties>()

  const byRule = (general: ObjectProperties, rule: Rule): ObjectProperties => {
    const known = usual.get(general) ?? new Map<Rule, ObjectProperties>()
    usual.set(general, known)
    const found = known.get(rule) ?? { ...general, ...given(rule.properties) }
    known.set(rule, found)
    return found
  }
  return (general, rule, own) => {
    const ruled = rule === undefined ? general : byRule(general, rule)
    if (own?.properties === undefined) return ruled
    const merged = { ...ruled, ...given(own.properties) }
    const text = JSON.stringify(merged)
    const known = sets.get(text)
    if (known !== undefined) return known
    if (sets.size >= setsRemembered) sets.clear()
    sets.set(text, merged)
    return merged
  }
}

function given(properties: ObjectProperties): ObjectProperties {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined))
}
