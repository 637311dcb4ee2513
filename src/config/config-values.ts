import { distance } from 'fastest-levenshtein'
import { fault, type GivenValue } from './given.ts'
import { laterConfigKeys } from './later-options.ts'
import { flagOf, variableOf } from './option-spec.ts'
import { type OptionKey, optionKeys, options } from './options.ts'
import { findSecrets } from './secrets.ts'

/** What a config file gives, and what is wrong with it beside its values. */
export interface ConfigValues {
  readonly given: readonly GivenValue[]
  readonly faults: readonly string[]
}

/** Options of one provider under its name; each is a key of its own, too. */
const sections: Readonly<Record<string, Readonly<Record<string, OptionKey>>>> = {
  s3: { endpointUrl: 'endpointUrl', region: 'region', profile: 'profile', pathStyle: 'pathStyle' },
  supabase: { url: 'supabaseUrl' },
}
const knownKeys = [
  ...optionKeys.filter((key) => options[key].inConfig !== 'none'),
  ...Object.keys(sections),
  '$schema',
  ...laterConfigKeys,
]

/**
 * Reads the options out of a config's JSON.
 *
 * @param file - The config's path, for messages.
 * @param named - Whether somebody named the file, rather than it being found.
 */
export function givenByConfig(json: unknown, file: string, named: boolean): ConfigValues {
  if (!isObject(json))
    return { given: [], faults: [fault(file, 'expected an object: { "to": "s3://bucket/prefix/" }')] }
  const secrets = findSecrets(json)
  const faults = secrets.map(({ path, remedy }) => fault(`${file}: ${path}`, remedy))
  const given: GivenValue[] = []

  const isSecret = (path: string): boolean =>
    secrets.some((secret) => secret.path === path || secret.path.startsWith(`${path}[`))
  const refuse = (path: string, what: string): void => {
    if (!isSecret(path)) faults.push(fault(`${file}: ${path}`, what))
  }
  const take = (key: OptionKey, path: string, value: unknown): void => {
    const problem = placeProblem(key, file, named)
    if (problem !== undefined) refuse(path, problem)
    given.push({ key, value, from: `${file}: ${path}`, refused: problem !== undefined || isSecret(path) })
  }

  for (const [key, value] of Object.entries(json)) {
    if (key === '$schema') continue
    const section = Object.hasOwn(sections, key) ? sections[key] : undefined
    if (section !== undefined) {
      if (isObject(value)) takeSection(key, section, value)
      else refuse(key, `expected an object with ${Object.keys(section).join(', ')}`)
    } else if (laterConfigKeys.includes(key)) {
      refuse(key, `${key} is not yet available`)
    } else if (!isOption(key)) {
      refuse(key, unknownKey(key, knownKeys, 'keys are the options of upload --help, --part-size as partSize'))
    } else {
      take(key, key, value)
    }
  }
  return { given, faults }

  function takeSection(name: string, section: Readonly<Record<string, OptionKey>>, values: object): void {
    const keys = Object.keys(section)
    for (const [key, value] of Object.entries(values)) {
      const path = `${name}.${key}`
      const option = Object.hasOwn(section, key) ? section[key] : undefined
      if (option === undefined) refuse(path, unknownKey(key, keys, `expected ${keys.join(', ')}`, `${name}.`))
      else if (Object.hasOwn(json as object, option)) refuse(path, `is given twice; also as ${option}; keep one`)
      else take(option, path, value)
    }
  }
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
  const away = (name: string): number => distance(key.toLowerCase(), name.toLowerCase())
  const near = known.reduce((best, name) => (away(name) < away(best) ? name : best))
  const isNear = away(near) <= Math.max(key.length, near.length) / 3
  return `unknown key; ${isNear ? `did you mean ${prefix}${near}?` : otherwise}`
}

function isOption(key: string): key is OptionKey {
  return Object.hasOwn(options, key)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
