import type { Deadline } from '../../config/halting-values.ts'
import { UploadError } from '../../errors.ts'
import type { Listener } from '../../observe/events.ts'
import { createProgress, secondsLeft } from '../../observe/progress.ts'
import { createRateMeter } from '../../observe/rate-meter.ts'
import type { Clock } from '../clock.ts'
import { timeOfDay } from './time-of-day.ts'

/** How often the time is looked at, in milliseconds. */
const everyMs = 1000
/** Milliseconds of sending, and predictions in a row, before a rate is believed. */
const believed = { afterMs: 5000, inRow: 3 }
/** A delay that grew or shrank by this factor since it was told is told again, at most so often in milliseconds. */
const toldAgain = { factor: 2, afterMs: 60_000 }

/** When a run has to end, in milliseconds since the epoch: the next such time of the local day, or so long from now. */
export function deadlineAt(deadline: Deadline, nowMs: number): number {
  if (deadline.kind === 'after') return nowMs + deadline.ms
  const { hours, minutes } = deadline
  const now = new Date(nowMs)
  // By the calendar, since a day may have 23 or 25 hours.
  const onDay = (days: number): number =>
    new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, hours, minutes).getTime()
  const today = onDay(0)
  return today > nowMs ? today : onDay(1)
}

/** In words, that a run will end after its deadline; all times in milliseconds since the epoch. */
export function lateText(endMs: number, atMs: number, nowMs: number): string {
  const end = timeOfDay(endMs, 'minutes', nowMs)
  return `at this rate it ends at ${end}, ${durationText(endMs - atMs)} after the deadline (${timeOfDay(atMs, 'minutes', nowMs)})`
}

/** `1 minute`, `20 minutes`, `3 hours`, `2 days`: in the largest unit of which there are two, or one minute at least. */
function durationText(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / 60_000))
  const [count, unit] =
    minutes < 120
      ? [minutes, 'minute']
      : minutes < 2880
        ? [Math.round(minutes / 60), 'hour']
        : [Math.round(minutes / 1440), 'day']
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

/** Sees that a run ends in time. */
export interface DeadlineWatch {
  /** Aborted at the deadline, with what to stop for as its reason. */
  readonly signal: AbortSignal
  readonly listener: Listener
  close(): void
}

/** Where there is no deadline. */
const never: DeadlineWatch = { signal: new AbortController().signal, listener: () => {}, close: () => {} }

/**
 * Watches the clock from now on, and warns as soon as the rate tells that the deadline will be missed.
 *
 * @param emit told of warnings
 */
export function watchDeadline(
  deadline: Deadline | undefined,
  clock: Pick<Clock, 'now' | 'elapsed' | 'sleep'>,
  emit: Listener,
): DeadlineWatch {
  if (deadline === undefined) return never
  const atMs = deadlineAt(deadline, clock.now())
  const beganMs = clock.elapsed()
  const reached = new AbortController()
  const closed = new AbortController()
  const progress = createProgress(clock.now)
  const warnIfLate = lateWarning(atMs, (message) => emit({ type: 'warning', message }))
  let sendingSinceMs: number | undefined
  let meter = createRateMeter(beganMs)

  /** A span goes by the clock that nobody sets; a time of the day by the one that people do. */
  const leftMs = (): number =>
    deadline.kind === 'after' ? beganMs + deadline.ms - clock.elapsed() : atMs - clock.now()
  const look = (): void => {
    const now = clock.elapsed()
    if (sendingSinceMs === undefined) {
      if (progress.bytesSent === 0 && progress.filesDone === 0) return
      sendingSinceMs = now
      meter = createRateMeter(now, progress.bytesSent)
      return
    }
    const rate = meter.update(now, progress.bytesSent)
    if (now - sendingSinceMs < believed.afterMs) return
    warnIfLate(secondsLeft(progress, rate, now - sendingSinceMs), clock.now())
  }
  const watch = async (): Promise<void> => {
    for (let left = leftMs(); left > 0; left = leftMs()) {
      await clock.sleep(Math.min(left, everyMs), closed.signal)
      look()
    }
    const message = `stopped at the deadline (${timeOfDay(atMs)}); go on with upload --resume`
    reached.abort(new UploadError('HALTED', message))
  }
  // Cut by close().
  watch().catch(() => undefined)
  return { signal: reached.signal, listener: progress.apply, close: () => closed.abort() }
}

/** Says that a run will be late, once it is certain enough; again where that has changed much. */
function lateWarning(atMs: number, warn: (message: string) => void): (seconds: number, nowMs: number) => void {
  let inRow = 0
  let told: { readonly lateMs: number; readonly whenMs: number } | undefined
  return (seconds, nowMs) => {
    const endMs = nowMs + seconds * 1000
    const lateMs = endMs - atMs
    inRow = Number.isFinite(endMs) && lateMs > 0 ? inRow + 1 : 0
    if (inRow < believed.inRow) return
    if (told !== undefined) {
      const isMuch = lateMs > told.lateMs * toldAgain.factor || lateMs * toldAgain.factor < told.lateMs
      if (!isMuch || nowMs - told.whenMs < toldAgain.afterMs) return
    }
    told = { lateMs, whenMs: nowMs }
    warn(lateText(endMs, atMs, nowMs))
  }
}
