import { isSupabaseUrl, parseDestinationUrl } from './destination-url.ts'
import { fault, type GivenValue, shown } from './given.ts'
import { flagOf } from './option-spec.ts'
import { type OptionKey, type OptionValues, options } from './options.ts'
import type { Resolved } from './resolve.ts'
import { fixedPartSize, noProject, supabasePartSize } from './supabase-rules.ts'

type Layer = readonly GivenValue[]

/** Everything that was given, the strongest layer first: the command line, the environment, the config. */
export type Layers = readonly [commandLine: Layer, environment: Layer, config: Layer]

/** What was given, as the destination takes it. */
export interface Fitted {
  readonly values: OptionValues
  readonly faults: readonly string[]
  /** What was meant for other destinations and is passed over here, a line each. */
  readonly ignored: readonly string[]
}

const ofS3 = ['endpointUrl', 'region', 'profile', 'pathStyle', 'noSignRequest'] as const satisfies readonly OptionKey[]
const sizes = ['partSize', 'multipartThreshold'] as const satisfies readonly OptionKey[]

/**
 * Options that hold for all destinations alike may be wrong for the one that is meant: a fault where they were given for
 * it, or beside the point where they are somebody's general wish.
 */
export function fitToDestination(resolved: Resolved, layers: Layers): Fitted {
  const { values, chosen } = resolved
  if (values.to === undefined) return { values, faults: [], ignored: [] }
  const typed = layers[0].map(({ key }) => key).filter((key) => !isDefault(key, values))
  const faults = flagsWithoutEffect(values.to, new Set(typed))
  if (!isSupabaseUrl(values.to)) return { values, faults, ignored: [] }

  if (!chosen.has('supabaseUrl')) faults.push(fault('destination', noProject))
  const ignored: string[] = []
  const layerOf = (key: OptionKey): number => layers.findIndex((layer) => layer.some((one) => one === chosen.get(key)))
  for (const key of sizes) {
    const given = chosen.get(key)
    if (given === undefined || values[key] === supabasePartSize) continue
    if (layerOf(key) > layerOf('to')) ignored.push(`${given.from} is ignored: ${fixedPartSize}`)
    else faults.push(fault(given.from, `found ${shown(given.value)}, but ${fixedPartSize}; leave it out`))
  }
  return { values: { ...values, partSize: supabasePartSize, multipartThreshold: supabasePartSize }, faults, ignored }
}

/**
 * Faults for flags that say how another provider is reached. Variables and configs may hold both providers' ways.
 *
 * @param to - The destination's URL.
 * @param byFlag - What the command line gave.
 */
export function flagsWithoutEffect(to: string, byFlag: ReadonlySet<OptionKey>): string[] {
  const { scheme } = parseDestinationUrl(to)
  const without: readonly OptionKey[] = scheme === 'supabase' ? ofS3 : scheme === 's3' ? ['supabaseUrl'] : []
  return without
    .filter((key) => byFlag.has(key))
    .map((key) => fault(flagOf(key), `has no effect for ${scheme}:// destinations; leave it out`))
}

function isDefault(key: OptionKey, values: OptionValues): boolean {
  const all: Readonly<Partial<Record<OptionKey, unknown>>> = values
  return all[key] === options[key].default
}
