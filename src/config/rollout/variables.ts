import type { Environment } from '../environment.ts'
import { fault } from '../given.ts'
import { checkValue } from '../resolve.ts'
import { onOff } from '../values.ts'
import { percentage } from './values.ts'

const enabled = 'ASYNC_UPLOAD_ENABLED'
const share = 'ASYNC_UPLOAD_ROLLOUT'
const fallback = 'ASYNC_UPLOAD_FALLBACK'

/** What the environment says of a rollout; undefined where it says nothing. */
export interface RolloutVariables {
  /** With the variable as a message names it, `ASYNC_UPLOAD_ENABLED=true`. */
  readonly enabled: { readonly is: boolean; readonly from: string } | undefined
  /** From 0 to 100. */
  readonly percentage: number | undefined
  readonly fallback: boolean | undefined
  /** The variables of which only a rollout makes anything, by their names. */
  readonly needRollout: readonly string[]
  readonly faults: readonly string[]
}

/** Reads the variables of a rollout. One that is empty counts as unset; a bad value is a fault, rollout or not. */
export function readRolloutVariables(env: Environment): RolloutVariables {
  const set = [enabled, share, fallback].filter((name) => env[name])
  const isEnabled = checkValue(onOff().optional(), env[enabled] || undefined, enabled)
  const isFallback = checkValue(onOff().optional(), env[fallback] || undefined, fallback)
  const percent = checkValue(percentage().optional(), env[share] || undefined, share)
  return {
    enabled: isEnabled.value === undefined ? undefined : { is: isEnabled.value, from: `${enabled}=${env[enabled]}` },
    percentage: percent.value,
    fallback: isFallback.value,
    needRollout: set.filter((name) => name !== enabled),
    faults: [isEnabled, percent, isFallback].flatMap(({ faults }) => faults),
  }
}

/** What to say of variables that have no rollout to be about. */
export function withoutRollout({ needRollout }: RolloutVariables): string[] {
  if (needRollout.length === 0) return []
  const why = 'no effect, since nothing is rolled out'
  return [fault(needRollout.join(', '), `${why}; give the config a "rollout", or set ${enabled}=true`)]
}
