import type { z } from 'zod'
import type { GivenValue } from '../given.ts'
import { type OptionKey, optionKeys } from '../options/options.ts'
import { checkValue, resolveOptions } from '../resolve.ts'
import type { Condition } from '../settings.ts'
import { conditions, skip } from './conditions.ts'
import {
  type ConfigReading,
  isObject,
  misplacedPlace,
  type ObjectForm,
  readObject,
  type Sections,
  s3Section,
} from './config-object.ts'
import { propertyKeys } from './property-keys.ts'

/** An entry of `rules` or `routes`. */
export interface GivenEntry {
  /** Where it stands: `routes[0]`. */
  readonly name: string
  readonly when: Condition
  readonly skip: boolean
  /** The options in it. */
  readonly given: readonly GivenValue[]
}

/** The options that an entry of each kind may hold. */
export const entryOptions = {
  rules: ['contentType', ...propertyKeys],
  routes: [
    'to',
    'engine',
    'partSize',
    'multipartThreshold',
    'partConcurrency',
    'checksum',
    'verify',
    'ifExists',
    ...propertyKeys,
  ],
} as const satisfies Readonly<Record<'rules' | 'routes', readonly OptionKey[]>>

/** Sections that an entry of each kind may hold. */
export const entrySections = {
  rules: {},
  routes: {
    s3: s3Section,
  },
} as const satisfies Readonly<Record<'rules' | 'routes', Sections>>

const examples = {
  rules: '[{ "match": "*.html", "cacheControl": "no-cache" }]',
  routes: '[{ "match": "*.wav", "to": "s3://bucket/prefix/" }]',
} as const

/** What is wrong with the entries of `rules` or `routes` goes to `faults`, unless `reading` is told. */
export interface ReadEntries {
  readonly entries: readonly GivenEntry[]
  /** Values that are not as expected. */
  readonly faults: readonly string[]
}

/** Reads the list that stands under `rules` or `routes`. */
export function readEntries(kind: 'rules' | 'routes', list: unknown, at: string, reading: ConfigReading): ReadEntries {
  if (!Array.isArray(list)) {
    reading.refuse(at, `expected a list of objects: ${examples[kind]}`)
    return { entries: [], faults: [] }
  }
  const read = list.map((entry: unknown, position) => readEntry(kind, entry, `${at}[${position}]`, reading))
  return { entries: read.flatMap(({ entries }) => entries), faults: read.flatMap(({ faults }) => faults) }
}

function readEntry(kind: 'rules' | 'routes', entry: unknown, name: string, reading: ConfigReading): ReadEntries {
  const mayHold = `${kind === 'rules' ? 'a rule' : 'a route'} may hold ${keysOf(kind).join(', ')}`
  if (!isObject(entry)) {
    reading.refuse(name, `expected an object: ${mayHold}`)
    return { entries: [], faults: [] }
  }
  const faults: string[] = []
  /** Checks a value of the entry's own; the fallback stands for what is absent or wrong. */
  const check = <Value>(schema: z.ZodType<Value>, key: string, fallback: Value): Value => {
    if (!Object.hasOwn(entry, key)) return fallback
    const checked = checkValue(schema, entry[key], `${reading.file}: ${name}.${key}`)
    faults.push(...checked.faults)
    return checked.value ?? fallback
  }
  const nothing = (): void => undefined
  const form: ObjectForm = {
    options: entryOptions[kind],
    sections: entrySections[kind],
    others: Object.fromEntries([...Object.keys(conditions), 'skip'].map((key) => [key, nothing])),
    misplaced: (key) => misplaced(kind, key, mayHold),
    otherwise: mayHold,
  }
  const given = readObject(entry, name, form, reading)
  const when = {
    match: check(conditions.match.schema, 'match', []),
    type: check(conditions.type.schema, 'type', []),
    minSize: check(conditions.minSize.schema.optional(), 'minSize', undefined),
    maxSize: check(conditions.maxSize.schema.optional(), 'maxSize', undefined),
  }
  const isSkip = check(skip.schema, 'skip', false)
  faults.push(...resolveOptions(given).faults)
  if (when.minSize !== undefined && when.maxSize !== undefined && when.minSize > when.maxSize) {
    reading.refuse(name, 'minSize is larger than maxSize, so that no file is meant; make one of them fit the other')
  }
  if (isSkip && given.length > 0) {
    const others = given.map(({ from }) => from.slice(`${reading.file}: ${name}.`.length)).join(', ')
    reading.refuse(name, `files that are left out ("skip": true) have no use for ${others}; leave one or the other out`)
  }
  return { entries: [{ name, when, skip: isSkip, given }], faults }
}

/** Every key that an entry may hold. */
function keysOf(kind: 'rules' | 'routes'): readonly string[] {
  return [...Object.keys(conditions), 'skip', ...entryOptions[kind], ...Object.keys(entrySections[kind])]
}

/** Why a key that is known elsewhere has no place in an entry. */
function misplaced(kind: 'rules' | 'routes', key: string, mayHold: string): string | undefined {
  if (kind === 'routes') {
    if (key === 'contentType') return 'the condition is "type"; what content type a file gets is a matter of "rules"'
    const place = misplacedPlace(key)
    if (place !== undefined) return place
  } else if (keysOf('routes').includes(key)) {
    return `belongs into "routes"; ${mayHold}`
  }
  return optionKeys.some((option) => option === key) ? `holds for the whole run; ${mayHold}` : undefined
}
