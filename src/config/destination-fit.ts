import { isSupabaseUrl } from './destination-url.ts'
import { fault, type GivenValue, shown } from './given.ts'
import { flagOf } from './options/option-spec.ts'
import { type OptionKey, type OptionValues, options } from './options/options.ts'
import { fitProperties, type Place } from './property-fit.ts'
import type { Resolved } from './resolve.ts'
import { fixedPartSize, noProject, supabasePartSize } from './supabase-rules.ts'

type Layer = readonly GivenValue[]

/** Everything that was given, the strongest layer first: the command line, the environment, then what the config has. */
export type Layers = readonly [commandLine: Layer, environment: Layer, ...config: Layer[]]

/** What was given, as the destination takes it. */
export interface Fitted {
  readonly values: OptionValues
  readonly faults: readonly string[]
  /** What was meant for other destinations and is passed over here, a line each. */
  readonly ignored: readonly string[]
}

/** How S3 is reached. */
export const ofS3 = [
  'endpointUrl',
  'region',
  'profile',
  'pathStyle',
  'noSignRequest',
] as const satisfies readonly OptionKey[]
const sizes = ['partSize', 'multipartThreshold'] as const satisfies readonly OptionKey[]

/**
 * Options that hold for all destinations alike may be wrong for the one that is meant: a fault where they were given for
 * it, or beside the point where they are somebody's general wish.
 *
 * @param from - Where the destination stands, for messages.
 * @param others - Where else some files go: what may be meant for there is no fault here.
 */
export function fitToDestination(
  resolved: Resolved,
  layers: Layers,
  from = 'destination',
  others: readonly Place[] = [],
): Fitted {
  const { chosen } = resolved
  if (resolved.values.to === undefined) return { values: resolved.values, faults: [], ignored: [] }
  const layerOf = (key: OptionKey): number => layers.findIndex((layer) => layer.some((one) => one === chosen.get(key)))
  const properties = fitProperties(resolved, layerOf, others)
  const { values } = properties
  const typed = layers[0].map(({ key }) => key).filter((key) => !isDefault(key, values))
  const urls = others.map(({ to }) => to)
  const faults = [...flagsWithoutEffect(resolved.values.to, new Set(typed), urls), ...properties.faults]
  const ignored = [...properties.ignored]
  if (!isSupabaseUrl(resolved.values.to)) return { values, faults, ignored }

  if (!chosen.has('supabaseUrl')) faults.push(fault(from, noProject))
  const isForOthers = urls.some((url) => !isSupabaseUrl(url))
  for (const key of sizes) {
    const given = chosen.get(key)
    if (given === undefined || values[key] === supabasePartSize) continue
    if (isForOthers || layerOf(key) > layerOf('to')) ignored.push(`${given.from} is ignored: ${fixedPartSize}`)
    else faults.push(fault(given.from, `found ${shown(given.value)}, but ${fixedPartSize}; leave it out`))
  }
  return { values: { ...values, partSize: supabasePartSize, multipartThreshold: supabasePartSize }, faults, ignored }
}

/**
 * Faults for flags that say how another provider is reached. Variables and configs may hold both providers' ways.
 *
 * @param to - The destination's URL.
 * @param byFlag - What the command line gave.
 * @param others - URLs of other destinations, for which they may have been given.
 */
export function flagsWithoutEffect(
  to: string,
  byFlag: ReadonlySet<OptionKey>,
  others: readonly string[] = [],
): string[] {
  const isNeeded = (key: OptionKey): boolean => others.some((url) => !withoutEffectAt(url).includes(key))
  return withoutEffectAt(to)
    .filter((key) => byFlag.has(key) && !isNeeded(key))
    .map((key) => fault(flagOf(key), `has no effect for ${schemeOf(to)}:// destinations; leave it out`))
}

function withoutEffectAt(url: string): readonly OptionKey[] {
  const scheme = schemeOf(url)
  return scheme === 'supabase' ? ofS3 : scheme === 's3' ? ['supabaseUrl'] : []
}

function schemeOf(url: string): string {
  return url.slice(0, url.indexOf(':'))
}

function isDefault(key: OptionKey, values: OptionValues): boolean {
  const all: Readonly<Partial<Record<OptionKey, unknown>>> = values
  return all[key] === options[key].default
}
