import { defaultStages } from '../../rollout/stages.ts'
import { defaultTriggers } from '../../rollout/triggers.ts'
import type { GivenEntry } from '../file/config-entries.ts'
import type { GivenRollout, RolloutPlan } from '../file/rollout.ts'
import { fault, type GivenValue } from '../given.ts'
import { type RolloutVariables, withoutRollout } from './variables.ts'

/** The rollout that a run takes part in. */
export interface ChosenRollout extends GivenRollout {
  readonly isEnabled: boolean
  /** The share that the environment asks for, from 0 to 100. */
  readonly percentage: number | undefined
}

/** What config and environment come to. */
export interface RolloutChoice {
  /** Undefined where nothing is rolled out. */
  readonly rollout: ChosenRollout | undefined
  /** The engine that the environment alone has settled for the run itself, if any: stronger than a config's. */
  readonly engine: readonly GivenValue[]
  readonly warnings: readonly string[]
}

/** The rollout that the environment alone switches on: standard is the baseline, fast the candidate. */
const environmentRollout: RolloutPlan = {
  name: 'async-upload',
  fallback: true,
  auto: false,
  only: [],
  never: [],
  stages: defaultStages,
  triggers: defaultTriggers,
  state: undefined,
}

/** @param config - What the config says of a rollout; undefined where it says nothing. */
export function chooseRollout(config: GivenRollout | undefined, variables: RolloutVariables): RolloutChoice {
  const { enabled, percentage, fallback } = variables
  const asked = { isEnabled: enabled?.is ?? true, percentage }
  if (config !== undefined) {
    const plan = { ...config.plan, fallback: fallback ?? config.plan.fallback }
    return { rollout: { ...config, plan, ...asked }, engine: [], warnings: [] }
  }
  if (enabled === undefined) return { rollout: undefined, engine: [], warnings: withoutRollout(variables) }
  const { from } = enabled
  const engine = [{ key: 'engine', value: 'standard', from } as const]
  // Who switches it off may well leave the rest as it is.
  if (!enabled.is) return { rollout: undefined, engine, warnings: [] }
  const plan = { ...environmentRollout, fallback: fallback ?? environmentRollout.fallback }
  const candidate = [{ key: 'engine', value: 'fast', from } as const]
  return {
    rollout: { plan, candidate, candidateJson: { engine: 'fast' }, ...asked },
    engine,
    warnings: [],
  }
}

/** Faults for an engine that contradicts the one that the environment has settled. */
export function engineFaults(given: readonly GivenValue[], { engine: [settled] }: RolloutChoice): string[] {
  const asked = given.find(({ key }) => key === 'engine')
  if (settled === undefined || asked?.value !== 'fast') return []
  const why = `found "fast", but ${settled.from} makes standard what files are sent by`
  return [fault(asked.from, `${why}; leave one of the two out`)]
}

/** Routes without the engine that they yield to: only one that says `standard` itself is left alone by the candidate. */
export function routesUnder({ engine }: RolloutChoice, routes: readonly GivenEntry[]): readonly GivenEntry[] {
  if (engine.length === 0) return routes
  return routes.map((route) => ({
    ...route,
    given: route.given.filter(({ key, value }) => key !== 'engine' || value === 'standard'),
  }))
}
