import { type WatchClock, watchClock } from './clock.ts'
import type { FileEnded, Listener, RunEnded, RunStarted } from './events.ts'
import { formatCount, formatPercent, formatRate, formatRemaining, formatSizeOf, oneLine } from './format.ts'
import { createProgress, fractionDone, secondsLeft } from './progress.ts'
import { createRateMeter, type RateMeter } from './rate-meter.ts'
import { startDetails, startText } from './start-line.ts'
import { concurrencyLine, deferredLine, failureText, fallbackLine, outcomeLine, retryLine } from './verbose.ts'

export interface PlainOptions {
  /** Takes whole lines, newline included. */
  readonly write: (text: string) => void
  /** A line per file, retry, decision and notice too. */
  readonly verbose?: boolean | undefined
  /** False: no start and progress lines, only what went wrong and what `verbose` adds. */
  readonly progress?: boolean | undefined
  readonly clock?: WatchClock | undefined
}

const everyMs = 10_000
const failuresShown = 20

/** Progress where there is no terminal: whole lines, one every ten seconds and one at the end; no control characters. */
export function createPlain(options: PlainOptions): { readonly listener: Listener; close(): void } {
  const { write, verbose = false, progress: showProgress = true, clock = watchClock } = options
  const progress = createProgress(clock.now)
  let started: RunStarted | undefined
  let startSaid = !showProgress
  let startedAt = clock.now()
  let meter: RateMeter = createRateMeter(startedAt)
  let stopTicking: (() => void) | undefined
  let failures = 0

  function say(line: string): void {
    sayStart()
    write(`${line}\n`)
  }

  function sayStart(): void {
    if (startSaid || started === undefined) return
    startSaid = true
    const details = startDetails(started)
    say(`upload: ${startText(started, progress)}${details.length > 0 ? ` (${details.join(', ')})` : ''}`)
  }

  function sayProgress(rate: number): void {
    const about = progress.complete ? '' : '~'
    const files = `${formatCount(progress.filesDone)}/${about}${formatCount(progress.files)} files`
    const bytes = Math.max(progress.bytes + progress.bytesUnforeseen, progress.bytesDone)
    const percent = `${about}${formatPercent(fractionDone(progress))}`
    const left = formatRemaining(secondsLeft(progress, rate, clock.now() - startedAt))
    const size = `${formatSizeOf(progress.bytesDone, bytes, !progress.complete)} (${percent})`
    const retries = `${formatCount(progress.retries)} ${progress.retries === 1 ? 'retry' : 'retries'}`
    say(
      `upload: ${files}, ${size}, ${formatRate(rate)}, ${left} left, ${formatCount(progress.failed)} failed, ${retries}`,
    )
  }

  function begin(event: RunStarted): void {
    started = event
    startedAt = clock.now()
    meter = createRateMeter(startedAt, progress.bytesSent)
    if (!showProgress) return
    stopTicking = clock.every(everyMs, () => sayProgress(meter.update(clock.now(), progress.bytesSent)))
  }

  function sayFile({ file, stopsRun }: FileEnded): void {
    if (stopsRun) return
    if (file.status !== 'failed') {
      if (verbose) say(outcomeLine(file))
      return
    }
    failures += 1
    if (verbose || failures <= failuresShown) say(`upload: failed ${failureText(file)}`)
    else if (failures === failuresShown + 1) say('upload: more files failed; the report lists them all')
  }

  function end({ summary }: RunEnded): void {
    close()
    if (showProgress && started !== undefined) sayProgress(summary.bytesPerSecond)
  }

  function close(): void {
    stopTicking?.()
    stopTicking = undefined
  }

  const listener: Listener = (event) => {
    progress.apply(event)
    if (event.type === 'run') begin(event)
    if (progress.complete) sayStart()
    if (event.type === 'file') sayFile(event)
    if (event.type === 'warning') say(`upload: warning: ${oneLine(event.message)}`)
    if (event.type === 'notice' && verbose) say(`upload: ${oneLine(event.message)}`)
    if (event.type === 'concurrency' && verbose) say(`upload: ${concurrencyLine(event)}`)
    if (event.type === 'file-retry' && verbose) say(retryLine(event))
    if (event.type === 'file-deferred' && verbose) say(deferredLine(event))
    if (event.type === 'file-fallback' && verbose) say(fallbackLine(event))
    if (event.type === 'summary') end(event)
  }
  return { listener, close }
}
