import type { Environment } from '../environment.ts'
import { fault, shown } from '../given.ts'
import { flagOf, variableOf } from '../options/option-spec.ts'
import type { OptionKey } from '../options/options.ts'
import type { ConfigFile } from './config-file.ts'
import { nearest } from './config-object.ts'
import type { ConfigLevel, ConfigValues } from './config-values.ts'

/** A name that somebody gave, and where. */
export interface Named {
  readonly name: string
  readonly from: string
}

/** What an option names that has to be known before the config is read: a flag, else its variable. */
export function namedBy(
  key: OptionKey,
  flags: Readonly<Partial<Record<OptionKey, unknown>>>,
  env: Environment,
): Named | undefined {
  const flag = flags[key]
  if (typeof flag === 'string') return { name: flag, from: flagOf(key) }
  const variable = variableOf(key)
  const name = env[variable]
  return name ? { name, from: variable } : undefined
}

/** What of a config holds for a run, the strongest first. */
export interface ChosenLevels {
  readonly levels: readonly ConfigLevel[]
  readonly faults: readonly string[]
}

/**
 * The preset that was asked for, then the config's top level.
 *
 * @param values - Undefined where there is no config, or none that can be read.
 */
export function chooseLevels(
  asked: Named | undefined,
  config: ConfigFile | undefined,
  values: ConfigValues | undefined,
): ChosenLevels {
  const top = values === undefined ? [] : [values]
  if (asked === undefined) return { levels: top, faults: [] }
  const refused = (what: string): ChosenLevels => ({
    levels: top,
    faults: [fault(asked.from, `found ${shown(asked.name)}, ${what}`)],
  })
  if (config === undefined) {
    return refused('but there is no config to take it from; name one with --config, or write one (upload init)')
  }
  if (values === undefined) return { levels: top, faults: [] }
  const preset = values.presets.get(asked.name)
  if (preset !== undefined) return { levels: [preset, values], faults: [] }
  const known = [...values.presets.keys()]
  if (known.length === 0) return refused(`but ${config.path} has no presets`)
  const near = nearest(asked.name, known)
  const hint = near === undefined ? '' : `; did you mean ${near}?`
  return refused(`expected one of the presets in ${config.path}: ${known.join(', ')}${hint}`)
}
