import { distance } from 'fastest-levenshtein'
import { fault, type GivenValue } from '../given.ts'
import { flagOf, variableOf } from '../options/option-spec.ts'
import { type OptionKey, options } from '../options/options.ts'
import { findSecrets } from '../secrets.ts'

/** A config's JSON while it is read: where it stands, and what is wrong with it so far. */
export interface ConfigReading {
  readonly file: string
  readonly faults: readonly string[]
  /** Adds a fault about a place; a secret that stands there is one already. */
  refuse(path: string, what: string): void
  /** An option's value that stands at a place. */
  give(key: OptionKey, path: string, value: unknown): GivenValue
}

/**
 * Begins to read a config's JSON: every secret in it, however deep, is a fault.
 *
 * @param file - The config's path, for messages.
 * @param named - Whether somebody named the file, rather than it being found.
 */
export function readConfig(json: unknown, file: string, named: boolean): ConfigReading {
  const secrets = findSecrets(json)
  const faults = secrets.map(({ path, remedy }) => fault(`${file}: ${path}`, remedy))
  const isSecret = (path: string): boolean =>
    secrets.some((secret) => secret.path === path || secret.path.startsWith(`${path}[`))
  const refuse = (path: string, what: string): void => {
    if (!isSecret(path)) faults.push(fault(`${file}: ${path}`, what))
  }
  return {
    file,
    faults,
    refuse,
    give(key, path, value) {
      const problem = placeProblem(key, file, named)
      if (problem !== undefined) refuse(path, problem)
      return { key, value, from: `${file}: ${path}`, refused: problem !== undefined || isSecret(path) }
    },
  }
}

/** Options of one provider under its name, by their keys there. */
export type Sections = Readonly<Record<string, Readonly<Record<string, OptionKey>>>>

/** How a bucket is reached. */
export const s3Section = {
  endpointUrl: 'endpointUrl',
  region: 'region',
  profile: 'profile',
  pathStyle: 'pathStyle',
} as const satisfies Sections[string]

/** Why a key that says where files go has no place beside others of its kind; undefined for any other key. */
export function misplacedPlace(key: string): string | undefined {
  if (Object.hasOwn(s3Section, key)) return `belongs under s3: "s3": { "${key}": … }`
  return key === 'supabase' || key === 'supabaseUrl'
    ? 'a run goes to one Supabase project; name it at the top of the config that --config names, or by SUPABASE_URL'
    : undefined
}

/** What an object in a config may hold. */
export interface ObjectForm {
  /** Keys that are options. */
  readonly options: readonly OptionKey[]
  readonly sections: Sections
  /** Keys that are neither, and what reads them. */
  readonly others: Readonly<Record<string, (value: unknown, path: string) => void>>
  /** Why a key that is none of them has no place here; undefined where nobody knows it. */
  readonly misplaced?: (key: string) => string | undefined
  /** What to say of a key that nobody knows and that resembles none. */
  readonly otherwise: string
}

/**
 * Reads an object of a config.
 *
 * @param at - Where it stands: `''` for the whole, else such as `routes[0]`.
 * @returns the options in it
 */
export function readObject(values: object, at: string, form: ObjectForm, reading: ConfigReading): GivenValue[] {
  const given: GivenValue[] = []
  const offered = form.options.filter((key) => options[key].inConfig !== 'none')
  const known = [...offered, ...Object.keys(form.sections), ...Object.keys(form.others)]
  for (const [key, value] of Object.entries(values)) {
    const path = placeIn(at, key)
    const section = own(form.sections, key)
    const other = own(form.others, key)
    if (section !== undefined) readSection(key, section, value, path)
    else if (other !== undefined) other(value, path)
    else if (isOneOf(key, form.options)) given.push(reading.give(key, path, value))
    else reading.refuse(path, form.misplaced?.(key) ?? unknownKey(key, known, form.otherwise))
  }
  return given

  function readSection(name: string, section: Sections[string], value: unknown, place: string): void {
    const keys = Object.keys(section)
    if (!isObject(value)) {
      reading.refuse(place, `expected an object with ${keys.join(', ')}`)
      return
    }
    for (const [key, inner] of Object.entries(value)) {
      const path = `${place}.${key}`
      const option = own(section, key)
      if (option === undefined) {
        reading.refuse(path, unknownKey(key, keys, `expected ${keys.join(', ')}`, `${name}.`))
      } else if (Object.hasOwn(values, option) && form.options.includes(option)) {
        reading.refuse(path, `is given twice; also as ${option}; keep one`)
      } else {
        given.push(reading.give(option, path, inner))
      }
    }
  }
}

/** `routes[0]` and `to` → `routes[0].to`. */
export function placeIn(at: string, key: string): string {
  return at === '' ? key : `${at}.${key}`
}

/** What a variable that is a switch is set to. */
const switchedOn = { nothing: '=1', one: '', many: '' } as const

/** Why a config of this kind may not hold an option; `undefined` where it may. */
function placeProblem(key: OptionKey, file: string, named: boolean): string | undefined {
  const { inConfig, takes, alsoFrom } = options[key]
  if (inConfig === 'none') return `cannot be set in a config file; use ${flagOf(key)} or ${variableOf(key)}`
  if (inConfig === 'any' || named) return undefined
  const [variable] = [...alsoFrom, variableOf(key) + switchedOn[takes]]
  const remedy = `use ${flagOf(key)}, ${variable} or --config ${file}`
  return `cannot be set in a config that was found by search, only in one that is named; ${remedy}`
}

/** Names what was probably meant, or else says what there is: a name that is far off would only mislead. */
function unknownKey(key: string, known: readonly string[], otherwise: string, prefix = ''): string {
  const near = nearest(key, known)
  return `unknown key; ${near === undefined ? otherwise : `did you mean ${prefix}${near}?`}`
}

/** The name that was probably meant; undefined where all are far off. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const away = (other: string): number => distance(name.toLowerCase(), other.toLowerCase())
  return known
    .filter((other) => away(other) <= Math.max(name.length, other.length) / 3)
    .toSorted((a, b) => away(a) - away(b))[0]
}

/** An object's own entry: JSON may well hold `toString` or `__proto__` as a key. */
function own<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined
}

function isOneOf<Key extends string>(key: string, keys: readonly Key[]): key is Key {
  return keys.some((one) => one === key)
}

/** Whether a value is an object in the sense of JSON. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
