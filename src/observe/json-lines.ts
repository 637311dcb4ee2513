import { type WatchClock, watchClock } from './clock.ts'
import type { Listener } from './events.ts'
import { createProgress } from './progress.ts'
import { createRateMeter } from './rate-meter.ts'
import type { JournalRecord } from './records.ts'

/** A line of `--json` that is not in the journal: where the run stands, each second. */
export interface ProgressLine {
  readonly type: 'progress'
  /** ISO-8601 UTC. */
  readonly time: string
  /** Files and bytes to be done in all, as far as is known. */
  readonly files: number
  /** Of those, uploaded, skipped or failed. */
  readonly filesDone: number
  readonly failed: number
  readonly bytes: number
  /** Bytes that have left, repeated ones included. */
  readonly bytesSent: number
  readonly bytesPerSecond: number
  readonly retries: number
}

/** As {@link ProgressLine}, for what is worth knowing and fails no file. */
export interface WarningLine {
  readonly type: 'warning'
  readonly message: string
  readonly time: string
}

export interface JsonLinesOptions {
  /** Takes whole lines, newline included. */
  readonly write: (text: string) => void
  readonly clock?: WatchClock | undefined
}

const everyMs = 1000

/**
 * NDJSON for programs: the journal's lines as they happen, `progress` each second, `warning`. The `run` line is the
 * first of a run; warnings from before it follow it, or come with `close` where no run begins.
 */
export function createJsonLines(options: JsonLinesOptions): { readonly listener: Listener; close(): void } {
  const { write, clock = watchClock } = options
  const progress = createProgress(clock.now)
  let stopTicking: (() => void) | undefined
  /** Warnings from before the `run` line, which comes first; undefined once it is written or will never be. */
  let held: WarningLine[] | undefined = []

  const say = (line: JournalRecord | ProgressLine | WarningLine): void => write(`${JSON.stringify(line)}\n`)
  const time = (): string => new Date(clock.now()).toISOString()

  function warn(line: WarningLine): void {
    if (held === undefined) say(line)
    else held.push(line)
  }

  function sayHeld(): void {
    const lines = held ?? []
    held = undefined
    lines.forEach(say)
  }

  function begin(): void {
    const meter = createRateMeter(clock.now(), progress.bytesSent)
    stopTicking = clock.every(everyMs, () => {
      const { files, filesDone, failed, bytes, bytesSent, retries } = progress
      const bytesPerSecond = Math.round(meter.update(clock.now(), bytesSent))
      say({ type: 'progress', time: time(), files, filesDone, failed, bytes, bytesSent, bytesPerSecond, retries })
    })
  }

  function close(): void {
    sayHeld()
    stopTicking?.()
    stopTicking = undefined
  }

  const listener: Listener = (event) => {
    progress.apply(event)
    switch (event.type) {
      case 'run':
        say(event.run)
        sayHeld()
        return begin()
      case 'file':
      case 'undone':
        return say(event.file)
      case 'multipart':
        return say(event.line)
      case 'warning':
        return warn({ type: 'warning', message: event.message, time: time() })
      case 'summary':
        close()
        return say(event.summary)
      default:
    }
  }
  return { listener, close }
}
