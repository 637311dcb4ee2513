import { UsageError } from '../errors.ts'
import { givenByEnvironment } from './environment.ts'
import { readConfigFile } from './file/config-file.ts'
import { givenByConfig } from './file/config-values.ts'
import { chooseLevels, namedBy } from './file/preset.ts'
import { fileFaults, givenByFlags, namedConfig, type SettingsInput } from './load.ts'
import { connectionOptions } from './options/connection-options.ts'
import type { OptionKey } from './options/options.ts'
import { resolveOptions } from './resolve.ts'
import type { Settings } from './settings.ts'
import { toSettings } from './to-settings.ts'

/** Options of the main job that the other commands have, too. */
export const commandOptionKeys: readonly OptionKey[] = [
  'concurrency',
  'json',
  'quiet',
  'verbose',
  'noColor',
  ...(Object.keys(connectionOptions) as OptionKey[]),
  'config',
  'preset',
]

/** They have no flag there, but hold for every request: what the environment or the config say of them counts. */
const quietlyShared: readonly OptionKey[] = [
  'retries',
  'retryDelay',
  'retryMaxDelay',
  'retryMaxTime',
  'timeout',
  'stallTimeout',
]

/** What a command beside the main job goes by. */
export interface CommandSettings {
  /** With every option of the main job that the command does not have at its default, and no destination. */
  readonly settings: Settings
  /** The options that the command line itself gave: they win over what a report remembers. */
  readonly byFlag: ReadonlySet<OptionKey>
}

/**
 * The settings of a command that is not the main job, by the same rules: flag over environment over config file over
 * default. What the environment and the config say of the main job alone is not looked at.
 *
 * @throws UsageError with every fault there is.
 */
export async function loadCommandSettings(input: Omit<SettingsInput, 'args' | 'findConfig'>): Promise<CommandSettings> {
  const config = await readConfigFile({ ...input, named: namedConfig(input) })
  const fromConfig = config?.json === undefined ? undefined : givenByConfig(config.json, config.path, config.named)
  const { levels, faults } = chooseLevels(namedBy('preset', input.flags, input.env), config, fromConfig)
  const known = new Set([...commandOptionKeys, ...quietlyShared])
  const byFlag = givenByFlags(input.flags)
  const given = [...byFlag, ...givenByEnvironment(input.env), ...levels.flatMap((level) => level.given)]
  const resolved = resolveOptions(given.filter(({ key }) => known.has(key)))
  const allFaults = [
    ...resolved.faults,
    ...(config?.faults ?? []),
    ...(fromConfig?.faults ?? []),
    ...faults,
    ...(await fileFaults(resolved, input.cwd)),
  ]
  if (allFaults.length > 0) throw new UsageError([...new Set(allFaults)])
  return {
    settings: toSettings({ ...resolved.values, to: '' }, [], config?.path),
    byFlag: new Set(byFlag.map(({ key }) => key)),
  }
}
