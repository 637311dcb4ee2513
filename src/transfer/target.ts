import { automaticConcurrency } from '../config/automatic-concurrency.ts'
import type { TimeoutSettings } from '../config/settings.ts'
import type { Destination, RequestTimeouts } from '../destinations/destination.ts'
import type { Listener } from '../observe/events.ts'
import type { Clock } from './clock.ts'
import { createAutomatic } from './pace/automatic.ts'
import { createScheduler, type Scheduler } from './pace/scheduler.ts'
import { type Breaker, createBreaker } from './trouble/breaker.ts'
import { createGate, type Gate, type GateOptions } from './trouble/gate.ts'
import type { StopPart, Stops } from './trouble/stops.ts'
import { createTimeouts } from './trouble/timeouts.ts'

/** A destination, with what is found out of it in this run: the trouble of one is not that of another. */
export interface Target extends StopPart {
  /** What is sent to: its requests may be watched. */
  readonly destination: Destination
  /** To be awaited before a file is begun; undefined where it may begin at once. */
  turn(signal: AbortSignal): Promise<void> | undefined
  readonly breaker: Breaker
  readonly gate: Gate
  readonly timeouts: RequestTimeouts
}

export interface TargetsOptions {
  readonly settings: {
    readonly concurrency: number | 'auto'
    readonly limitRate: number | undefined
    readonly partSize: number
    readonly timeouts: TimeoutSettings
    readonly retry: GateOptions['policy']
  }
  readonly clock: Clock
  readonly emit: Listener
}

export interface Targets {
  /** The run's slots, whatever they are used for. */
  readonly scheduler: Scheduler
  /** One for each destination, in their order. */
  readonly targets: readonly Target[]
}

export function createTargets(destinations: readonly Destination[], stops: Stops, options: TargetsOptions): Targets {
  const { settings, clock, emit } = options
  const { scheduler, views } = slotsFor(destinations, options)
  const requests = settings.concurrency === 'auto' ? automaticConcurrency.most : settings.concurrency
  const targets = views.map(({ destination, turn }, index): Target => {
    const { signal, stop } = stops.parts[index] as StopPart
    const breaker = createBreaker()
    const gate = createGate({
      clock,
      emit,
      policy: settings.retry,
      scheduler,
      breaker,
      isAdaptive: settings.concurrency === 'auto',
      name: views.length > 1 ? destination.url : undefined,
      onLost: stop,
    })
    const timeouts = createTimeouts(settings.timeouts, { ...settings, requests, emit })
    return { destination, turn, breaker, gate, timeouts, signal, stop }
  })
  return { scheduler, targets }
}

type View = Pick<Target, 'destination' | 'turn'>

/** A number is what the user asked for: nothing adapts it, and nothing is held back. */
function slotsFor(
  destinations: readonly Destination[],
  { settings: { concurrency }, clock, emit }: TargetsOptions,
): { readonly scheduler: Scheduler; readonly views: readonly View[] } {
  if (concurrency === 'auto') return createAutomatic({ destinations, clock, emit, busyMs: threadBusyMs })
  const turn = (): undefined => undefined
  return {
    scheduler: createScheduler(concurrency),
    views: destinations.map((destination) => ({ destination, turn })),
  }
}

function threadBusyMs(): number {
  return performance.eventLoopUtilization().active
}
