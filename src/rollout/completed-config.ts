import { fitToDestination } from '../config/destination-fit.ts'
import { isObject, s3Section } from '../config/file/config-object.ts'
import { givenByConfig } from '../config/file/config-values.ts'
import { placesOf } from '../config/file/routes.ts'
import type { OptionKey } from '../config/options/options.ts'
import { guardingProperties } from '../config/property-fit.ts'
import { resolveOptions } from '../config/resolve.ts'

type Json = Readonly<Record<string, unknown>>

const guards: ReadonlySet<OptionKey> = new Set(guardingProperties)

/** A config of which the candidate has become the way to upload. */
export interface CompletedConfig {
  readonly json: Json
  /** Keys that are not in it any more, since the candidate's destination has no use for them. */
  readonly leftOut: readonly string[]
}

/**
 * A config without its `rollout`, and with the candidate's values in the places where it had others.
 *
 * @param config - The config as its file has it; undefined where there is none.
 * @param candidate - What the rollout changed, as the config or the environment had it.
 */
export function completedConfig(config: Json | undefined, candidate: Json): CompletedConfig {
  const json = merged(config ?? {}, candidate)
  const leftOut = misfits(json).filter((key) => !Object.hasOwn(candidate, key))
  return { json: Object.fromEntries(Object.entries(json).filter(([key]) => !leftOut.includes(key))), leftOut }
}

function merged({ rollout: _, ...rest }: Json, candidate: Json): Json {
  const kept = Object.entries(rest).filter(([key]) => !isGivenIn(candidate, key))
  const keptS3 = isObject(rest.s3) ? Object.entries(rest.s3).filter(([key]) => !isGivenIn(candidate, key)) : []
  const s3 = { ...Object.fromEntries(keptS3), ...(isObject(candidate.s3) ? candidate.s3 : {}) }
  const { s3: _s3, ...others } = { ...Object.fromEntries(kept), ...candidate }
  return inOrderOf(rest, Object.keys(s3).length === 0 ? others : { ...others, s3 })
}

/**
 * Options at the top that were fine beside another destination, and are refused beside the one that is there now. Not
 * those that guard files: such a config is to be refused, rather than go on without them.
 */
function misfits(json: Json): readonly string[] {
  const { given, routes = [] } = givenByConfig(json, 'config', true)
  const resolved = resolveOptions(given)
  const { faults } = fitToDestination(resolved, [[], [], given], undefined, placesOf(routes, resolved.values))
  return given
    .filter(({ key, from }) => !guards.has(key) && faults.some((one) => one.startsWith(`${from}: `)))
    .map(({ key }) => key)
}

/** Where the config says otherwise than the candidate in a place that is stronger than its top: `presets.fast.engine`. */
export function strongerPlaces(config: Json | undefined, candidate: Json): readonly string[] {
  const presets = isObject(config?.presets) ? config.presets : {}
  return Object.entries(presets).flatMap(([name, preset]) => {
    if (!isObject(preset)) return []
    const inS3 = isObject(preset.s3) ? Object.keys(preset.s3).map((key) => ['s3.', key] as const) : []
    const all = [...Object.keys(preset).map((key) => ['', key] as const), ...inS3]
    return all
      .filter(([, key]) => isGivenIn(candidate, key))
      .map(([section, key]) => `presets.${name}.${section}${key}`)
  })
}

/** Whether an option of that name is the candidate's: a bucket's own may stand in its section, or beside it. */
function isGivenIn(candidate: Json, key: string): boolean {
  if (key === 's3') return false
  if (Object.hasOwn(candidate, key)) return true
  return Object.hasOwn(s3Section, key) && isObject(candidate.s3) && Object.hasOwn(candidate.s3, key)
}

/** The same entries, those first that stand in `order`, as they stand there. */
function inOrderOf(order: Json, values: Json): Json {
  const known = Object.keys(order).filter((key) => Object.hasOwn(values, key))
  const ordered = [...known, ...Object.keys(values).filter((key) => !Object.hasOwn(order, key))]
  return Object.fromEntries(ordered.map((key) => [key, values[key]]))
}
