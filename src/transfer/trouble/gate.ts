import type { RetrySettings } from '../../config/settings.ts'
import type { ErrorCode, UploadError } from '../../errors.ts'
import type { Listener } from '../../observe/events.ts'
import type { Clock } from '../clock.ts'
import type { Scheduler } from '../pace/scheduler.ts'
import type { Breaker } from './breaker.ts'
import { createCrowding } from './crowding.ts'
import { createFruitless } from './fruitless.ts'
import { createOutage, type StandIn } from './outage.ts'
import { createThrottleGate } from './throttle-gate.ts'

/** What every attempt of a run passes: here the trouble of one is the trouble of all. */
export interface Gate {
  /**
   * To be awaited before an attempt; undefined where it may begin at once, which costs next to nothing. Rejects where
   * the signal is aborted before.
   */
  turn(signal: AbortSignal): Promise<void> | undefined
  /** Something arrived at the destination: an object, or a part of one. */
  succeeded(): void
  /**
   * An attempt failed: whether no request came of it, for a reason that is nobody's. It is to be made again, and neither
   * counted nor charged to its file.
   *
   * @param beganMs when it began, by the clock's `elapsed`
   * @returns milliseconds to wait before it comes to the gate again; undefined where the failure counts
   */
  excuse(error: UploadError, beganMs: number): number | undefined
  /**
   * An attempt failed, and is charged for.
   *
   * @param delayMs for how long it backs off, if another follows
   */
  failed(error: UploadError, delayMs: number): void
  /**
   * Whether the line is down rather than this file unlucky: it has worked, and nothing has got through anywhere since
   * this began; for a short time only.
   *
   * @param sinceMs by the clock's `elapsed`
   */
  isSilent(error: UploadError, sinceMs: number): boolean
  /** Nothing has got through since the line last failed. */
  readonly isInTrouble: boolean
  /** It was given up after it had worked: files that were not tried there have nothing to say of it. */
  readonly isLost: boolean
  /** Stops what it does by itself. */
  close(): void
}

export interface GateOptions {
  readonly clock: Clock
  readonly emit: Listener
  readonly policy: RetrySettings
  readonly scheduler: Pick<Scheduler, 'halve'>
  /** Told that the destination has answered. */
  readonly breaker: Pick<Breaker, 'answered'>
  /** The run slows down by itself where requests are refused. */
  readonly isAdaptive: boolean
  /** What messages call the destination; undefined where there is no other. */
  readonly name?: string | undefined
  /** What can take what goes there: a destination that gets nothing done is given up soon. Undefined: nothing can. */
  readonly standIn?: StandIn | undefined
  /** Whether it takes what went to another that had worked: so the line has, and may again. */
  readonly hasTakenOver?: (() => boolean) | undefined
  /** The destination is gone, and all that goes there with it. */
  readonly onLost: (error: UploadError) => void
}

/** Failures of the line, which do not tell a dead one from a bad one. */
const lineCodes: ReadonlySet<ErrorCode> = new Set(['CONNECTION', 'STALLED', 'TIMEOUT'])
/** In milliseconds: a link that was cut for half a minute is back by then, and backoff has had time to find it. */
const silenceMs = 60_000

export function createGate(options: GateOptions): Gate {
  const { clock, emit, policy, scheduler, breaker, isAdaptive, name, standIn } = options
  let isLost = false
  const onLost = (error: UploadError): void => {
    isLost = hasWorked()
    options.onLost(error)
  }
  const outage = createOutage({ clock, emit, limitMs: policy.retryMaxTimeMs, name, standIn, onLost })
  const fruitless = standIn && createFruitless(clock, name ?? 'the destination')
  const throttle = createThrottleGate({ clock, policy, onlyAsked: isAdaptive })
  const crowding = createCrowding({ scheduler, clock, emit })
  let lastSuccessMs = Number.NEGATIVE_INFINITY
  /** When the line first failed after that. */
  let silentSinceMs: number | undefined
  const hasWorked = (): boolean => lastSuccessMs > Number.NEGATIVE_INFINITY

  return {
    turn(signal) {
      const back = outage.turn(signal)
      return back === undefined ? throttle.turn(signal) : back.then(() => throttle.turn(signal))
    },
    succeeded() {
      lastSuccessMs = clock.elapsed()
      silentSinceMs = undefined
      fruitless?.succeeded()
      throttle.succeeded()
      breaker.answered()
      outage.answered()
    },
    excuse(error, beganMs) {
      const pauseMs = crowding.pauseMs(error, lastSuccessMs)
      if (pauseMs !== undefined) return pauseMs
      if (error.unreachable) {
        // One connection that fails while others get through is no outage.
        if (!(hasWorked() || options.hasTakenOver?.()) || (lastSuccessMs > beganMs && !outage.isOn)) return undefined
        outage.unreachable(error)
        return 0
      }
      if (error.status !== undefined) outage.answered()
      const vain = fruitless?.failed(error, beganMs)
      if (vain !== undefined && !standIn?.isInTrouble) onLost(vain)
      return undefined
    },
    failed(error, delayMs) {
      if (isOfTheLine(error)) silentSinceMs ??= clock.elapsed()
      throttle.failed(error, delayMs)
    },
    isSilent(error, sinceMs) {
      if (silentSinceMs === undefined || !Number.isFinite(lastSuccessMs) || !isOfTheLine(error)) return false
      return lastSuccessMs <= sinceMs && clock.elapsed() - silentSinceMs < silenceMs
    },
    get isInTrouble() {
      return outage.isOn || silentSinceMs !== undefined
    },
    get isLost() {
      return isLost
    },
    close: outage.close,
  }
}

function isOfTheLine({ code, status }: UploadError): boolean {
  return lineCodes.has(code) && status === undefined
}
