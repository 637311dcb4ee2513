import type { Settings } from '../config/settings.ts'
import type { Stage } from './stages.ts'
import type { Triggers } from './triggers.ts'

/** How one way to upload (the candidate) takes over from another (the baseline), over many runs. */
export interface RolloutSettings {
  /** Files are assigned by it, and its state is found by it. */
  readonly name: string
  /** False: the share is 0 for this run, whatever the state says, and nothing is counted. */
  readonly isEnabled: boolean
  /** The share that the environment asks for, from 0 to 100; undefined: as the state has it. */
  readonly percentage: number | undefined
  /** A file that fails on the candidate is sent again on the baseline. */
  readonly fallback: boolean
  /** A stage of which all criteria are met is left for the next one without anybody asking. */
  readonly auto: boolean
  /** gitignore patterns of source names: other files take the baseline, and count for neither side. */
  readonly only: readonly string[]
  /** The same the other way round: these take the baseline, and count for neither side. */
  readonly never: readonly string[]
  /** At least one, by rising percentage. */
  readonly stages: readonly Stage[]
  readonly triggers: Triggers
  /** The state's file, absolute; undefined: under the state directory. */
  readonly state: string | undefined
  /**
   * What the candidate makes of the settings of the run itself, then of each route's; undefined for a route that leaves
   * the candidate nothing to change. Their own `routes` are empty, and they have no `rollout`.
   */
  readonly candidates: readonly (Settings | undefined)[]
}
