import { automaticConcurrency } from '../config/automatic-concurrency.ts'
import type { TimeoutSettings } from '../config/settings.ts'
import type { Destination, RequestTimeouts } from '../destinations/destination.ts'
import type { Listener } from '../observe/events.ts'
import type { Side } from '../rollout/side.ts'
import type { Clock } from './clock.ts'
import { createAutomatic } from './pace/automatic.ts'
import { createCapped } from './pace/capped.ts'
import { createScheduler, type Scheduler } from './pace/scheduler.ts'
import type { RolloutControl } from './rollout-control.ts'
import { type Breaker, createBreaker } from './trouble/breaker.ts'
import { createGate, type Gate, type GateOptions } from './trouble/gate.ts'
import type { StandIn } from './trouble/outage.ts'
import type { StopPart, StoppablePart, Stops } from './trouble/stops.ts'
import { createTimeouts } from './trouble/timeouts.ts'

/** A destination, with what is found out of it in this run: the trouble of one is not that of another. */
export interface Target extends StopPart {
  /** What is sent to: its requests may be watched. */
  readonly destination: Destination
  /** To be awaited before a file is begun; undefined where it may begin at once. */
  turn(signal: AbortSignal): Promise<void> | undefined
  /** The slots of what goes there. */
  readonly scheduler: Scheduler
  /** Those that these are a part of, which other destinations may have as well; or the same. */
  readonly pool: Scheduler
  readonly breaker: Breaker
  readonly gate: Gate
  readonly timeouts: RequestTimeouts
}

/** What a target is made of. */
export interface TargetPlan extends StoppablePart {
  readonly destination: Destination
  readonly side?: Side | undefined
  readonly settings: TargetSettings
}

/** Of the first lane that goes there. */
export interface TargetSettings {
  readonly concurrency: number | 'auto'
  readonly partSize: number
  readonly timeouts: TimeoutSettings
  readonly retry: GateOptions['policy']
}

export interface TargetsOptions {
  /** Of the run as a whole. */
  readonly settings: Pick<TargetSettings, 'concurrency'> & { readonly limitRate: number | undefined }
  /** Undefined where nothing is rolled out. */
  readonly rollout?: Pick<RolloutControl, 'percentage'> | undefined
  readonly clock: Clock
  readonly emit: Listener
}

export interface Targets {
  /** All slots there are: a candidate's own, where it has such, then the run's. What runs in those may wait for these. */
  readonly schedulers: readonly Scheduler[]
  /** Those that set the pace: the plan is read no further while files wait for slots of each of them. */
  readonly pacing: readonly Scheduler[]
  /** One for each destination, in their order. */
  readonly targets: readonly Target[]
}

/** Of the slots that it shares with the baseline, the candidate has this part at the least: as many as at an even share. */
const leastCap = 0.5

export function createTargets(plans: readonly TargetPlan[], stops: Stops, options: TargetsOptions): Targets {
  const { concurrency } = options.settings
  const candidates = plans.filter(({ side }) => side === 'candidate')
  const others = plans.filter(({ side }) => side !== 'candidate')
  const own = candidates[0]?.settings.concurrency ?? concurrency
  const targets = new Map<TargetPlan, Target>()
  const gatesOf = (some: readonly TargetPlan[]): readonly Gate[] =>
    some.map((plan) => (targets.get(plan) as Target).gate)
  const baseline: StandIn = {
    get isInTrouble() {
      return gatesOf(others).every((gate) => gate.isInTrouble)
    },
  }
  const replaceable = candidates.filter(({ isReplaceable }) => isReplaceable)
  const hasTakenOver = (): boolean => gatesOf(replaceable).some((gate) => gate.isLost)
  const open = (some: readonly TargetPlan[], among: number | 'auto', cap?: number): readonly Scheduler[] => {
    const { scheduler: pool, views } = slotsFor(some, among, options, cap === undefined ? [] : candidates)
    const capped = cap === undefined ? pool : createCapped(pool, cap)
    for (const [index, plan] of some.entries()) {
      const part = stops.parts[plans.indexOf(plan)] as StopPart
      const name = plans.length > 1 ? nameOf(plan) : undefined
      const scheduler = plan.side === 'candidate' ? capped : pool
      const standIn = plan.isReplaceable ? baseline : undefined
      const around: Around = { scheduler, pool, concurrency: among, part, name, standIn, hasTakenOver }
      targets.set(plan, targetOf(plan, views[index] as View, around, options))
    }
    return capped === pool ? [pool] : [capped, pool]
  }
  const percentage = options.rollout?.percentage ?? 100
  // Where all are the candidate's, there is nobody to leave slots to.
  const cap = candidates.length > 0 && percentage < 100 ? Math.max(leastCap, percentage / 100) : undefined
  // As many at a time on both sides: they share them.
  const schedulers =
    own === concurrency ? open(plans, concurrency, cap) : [...open(candidates, own), ...open(others, concurrency)]
  // Whoever waits for a shared slot is next; the candidate's bound says nothing of when others can begin.
  const pacing = own === concurrency ? schedulers.slice(-1) : schedulers
  return { schedulers, pacing, targets: plans.map((plan) => targets.get(plan) as Target) }
}

type View = Pick<Target, 'destination' | 'turn'>

interface Around extends Pick<GateOptions, 'standIn' | 'hasTakenOver'> {
  readonly scheduler: Scheduler
  readonly pool: Scheduler
  /** Of the pool. */
  readonly concurrency: number | 'auto'
  readonly part: StopPart
  /** Undefined where there is no other destination. */
  readonly name: string | undefined
}

function targetOf(
  { settings }: TargetPlan,
  view: View,
  { scheduler, pool, concurrency, part, name, standIn, hasTakenOver }: Around,
  { settings: { limitRate }, clock, emit }: TargetsOptions,
): Target {
  const breaker = createBreaker()
  const isAdaptive = concurrency === 'auto'
  const gate = createGate({
    clock,
    emit,
    policy: settings.retry,
    scheduler,
    breaker,
    isAdaptive,
    name,
    standIn,
    hasTakenOver,
    onLost: part.stop,
  })
  const requests = isAdaptive ? automaticConcurrency.most : concurrency
  const timeouts = createTimeouts(settings.timeouts, { limitRate, partSize: settings.partSize, requests, emit })
  return { ...view, ...part, scheduler, pool, breaker, gate, timeouts }
}

/** Both sides of a rollout may go to one and the same bucket. */
function nameOf({ url, side }: TargetPlan): string {
  return side === 'candidate' ? `${url} (the candidate)` : url
}

/**
 * A number is what the user asked for: nothing adapts it, and nothing is held back.
 *
 * @param candidates those among others' that must not slow these down
 */
function slotsFor(
  plans: readonly TargetPlan[],
  concurrency: number | 'auto',
  { clock, emit }: TargetsOptions,
  candidates: readonly TargetPlan[],
): { readonly scheduler: Scheduler; readonly views: readonly View[] } {
  const destinations = plans.map(({ destination }) => destination)
  const apart = new Set(candidates.map(({ destination }) => destination))
  if (concurrency === 'auto') return createAutomatic({ destinations, apart, clock, emit, busyMs: threadBusyMs })
  const turn = (): undefined => undefined
  return {
    scheduler: createScheduler(concurrency),
    views: destinations.map((destination) => ({ destination, turn })),
  }
}

function threadBusyMs(): number {
  return performance.eventLoopUtilization().active
}
