import type { Settings } from '../../src/config/settings.ts'
import type { RolloutSettings } from '../../src/rollout/rollout-settings.ts'
import { defaultStages } from '../../src/rollout/stages.ts'
import { defaultTriggers } from '../../src/rollout/triggers.ts'

/** A rollout with nothing said but what the candidate makes of the settings of the run and of its routes. */
export function rolloutOf(...candidates: readonly (Settings | undefined)[]): RolloutSettings {
  return {
    name: 'nightly',
    isEnabled: true,
    percentage: undefined,
    fallback: true,
    auto: false,
    only: [],
    never: [],
    stages: defaultStages,
    triggers: defaultTriggers,
    state: undefined,
    candidates,
  }
}
