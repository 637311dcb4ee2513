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

const s3Keys = ['endpointUrl', 'region', 'profile', 'pathStyle'] as const satisfies readonly OptionKey[]
const knownKeys = [
  ...optionKeys.filter((key) => options[key].inConfig !== 'none'),
  's3',
  'supabase',
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
  const take = (key: OptionKey, path: string, value: unknown): void => {
    given.push({ key, value, from: `${file}: ${path}`, refused: isSecret(path) })
  }
  const refuse = (path: string, what: string): void => {
    if (!isSecret(path)) faults.push(fault(`${file}: ${path}`, what))
  }

  for (const [key, value] of Object.entries(json)) {
    if (key === '$schema') continue
    if (key === 's3') {
      if (!isObject(value)) refuse('s3', `expected an object with ${s3Keys.join(', ')}`)
      else takeS3(value)
    } else if (laterConfigKeys.includes(key)) {
      refuse(key, `${key} is not yet available`)
    } else if (!isOption(key)) {
      refuse(key, unknownKey(key, knownKeys, 'keys are the options of upload --help, --part-size as partSize'))
    } else if (options[key].inConfig === 'none') {
      refuse(key, `cannot be set in a config file; use ${flagOf(key)} or ${variableOf(key)}`)
    } else if (options[key].inConfig === 'named' && !named) {
      const remedy = `use ${flagOf(key)}, ${variableOf(key)}=1 or --config ${file}`
      refuse(key, `cannot be set in a config that was found by search, only in one that is named; ${remedy}`)
    } else {
      take(key, key, value)
    }
  }
  return { given, faults }

  function takeS3(section: Readonly<Record<string, unknown>>): void {
    for (const [key, value] of Object.entries(section)) {
      const known = s3Keys.find((s3Key) => s3Key === key)
      if (known === undefined) refuse(`s3.${key}`, unknownKey(key, s3Keys, `expected ${s3Keys.join(', ')}`, 's3.'))
      else if (Object.hasOwn(json as object, known)) refuse(`s3.${key}`, `is given twice; also as ${key}; keep one`)
      else take(known, `s3.${key}`, value)
    }
  }
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
