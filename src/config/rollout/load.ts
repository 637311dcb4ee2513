import { UsageError } from '../../errors.ts'
import type { RolloutSettings } from '../../rollout/rollout-settings.ts'
import { readConfigFile } from '../file/config-file.ts'
import { givenByConfig } from '../file/config-values.ts'
import { namedConfig, type SettingsInput } from '../load.ts'
import { chooseRollout } from './choose.ts'
import { readRolloutVariables } from './variables.ts'

/** A rollout as those see it who look after it, whatever a run would make of it. */
export interface LoadedRollout {
  readonly rollout: Omit<RolloutSettings, 'candidates'>
  /** What the candidate is, as it was written. */
  readonly candidateGiven: Readonly<Record<string, unknown>>
  /** Path and whole JSON of the config, whether it or the environment says so; undefined where there is none. */
  readonly configPath: string | undefined
  readonly configJson: Readonly<Record<string, unknown>> | undefined
}

/**
 * The rollout that config and environment name; undefined where they name none. Sources, a destination and the rest of
 * the config are not looked at.
 *
 * @throws UsageError with every fault there is in the rollout and in the config as such.
 */
export async function loadRollout(
  input: Pick<SettingsInput, 'flags' | 'env' | 'cwd' | 'home' | 'uid'>,
): Promise<LoadedRollout | undefined> {
  const config = await readConfigFile({ ...input, named: namedConfig(input) })
  const fromConfig = config?.json === undefined ? undefined : givenByConfig(config.json, config.path, config.named)
  const variables = readRolloutVariables(input.env)
  const faults = [
    ...(config?.faults ?? []),
    ...(fromConfig?.faults ?? []),
    ...(fromConfig?.rollout?.faults ?? []),
    ...variables.faults,
  ]
  if (faults.length > 0) throw new UsageError([...new Set(faults)])
  const { rollout } = chooseRollout(fromConfig?.rollout, variables)
  if (rollout === undefined) return undefined
  const { plan, isEnabled, percentage, candidateJson } = rollout
  return {
    rollout: { ...plan, isEnabled, percentage },
    candidateGiven: candidateJson,
    configPath: config?.path,
    // Anything but an object is a fault.
    configJson: config?.json as LoadedRollout['configJson'],
  }
}
