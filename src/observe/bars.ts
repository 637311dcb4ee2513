import { Chalk } from 'chalk'
import cliProgress from 'cli-progress'
import { createFrameTerminal, type TerminalStream } from './bars/frame-terminal.ts'
import { chooseGrid, createWants, layoutRow, layoutTotal, widen, widenTotal } from './bars/layout.ts'
import { createSlots } from './bars/slots.ts'
import { fileView, totalView } from './bars/views.ts'
import { type WatchClock, watchClock } from './clock.ts'
import type { FileDeferred, FileEnded, Listener, RunStarted } from './events.ts'
import { displayWidth, fitName, oneLine } from './format.ts'
import { createProgress, secondsLeft } from './progress.ts'
import { createRateMeter } from './rate-meter.ts'
import { startDetails, startText } from './start-line.ts'
import { concurrencyLine, deferredLine, failureText, fallbackLine, outcomeLine, retryLine } from './verbose.ts'

export interface BarsOptions {
  /** Standard error, where it is a terminal. */
  readonly stream: TerminalStream
  readonly color: boolean
  /** A line per file, retry, decision and notice above the bars. */
  readonly verbose?: boolean | undefined
  readonly clock?: Pick<WatchClock, 'now'> | undefined
}

const framesPerSecond = 10
const failuresShown = 20
// The total, and a line above and below that stays the user's.
const rowsKeptFree = 3

/**
 * Progress on a terminal: a row for each file in flight, as many as fit, and one for the total, drawn ten times a
 * second from what the events have added up to, however many there are. Everything else that is said scrolls by above.
 * `close` takes the bars away and gives the cursor back; the run's last event does so too.
 */
export function createBars(options: BarsOptions): { readonly listener: Listener; close(): void } {
  const { stream, verbose = false, clock = watchClock } = options
  const paint = new Chalk({ level: options.color ? 1 : 0 })
  const terminal = createFrameTerminal(stream)
  const progress = createProgress(clock.now)
  const slots = createSlots()
  let wants = createWants()
  let meter = createRateMeter(clock.now())
  let startedAt = clock.now()
  let started: RunStarted | undefined
  let startSaid = false
  let open = false
  let failures = 0
  let frame: readonly string[] = []

  const settings = {
    stream: stream as NodeJS.WritableStream,
    terminal,
    fps: framesPerSecond,
    hideCursor: true,
    clearOnComplete: true,
    forceRedraw: true,
    format: (_options: unknown, _params: unknown, { row }: { row: number }) => frame[row] ?? '',
  }
  const bars = new cliProgress.MultiBar(settings)
  bars.on('update-pre', draw)
  bars.on('update-post', () => terminal.flush())

  /** Columns a row may take: one less than there are, since some terminals wrap as the last one is written. */
  const width = (): number => Math.max(1, (stream.columns || 80) - 1)

  function draw(): void {
    frame = open ? rowsNow(clock.now()) : []
    while (rowCount < frame.length) addRow()
  }

  function rowsNow(now: number): readonly string[] {
    const room = Math.max(0, (stream.rows || 24) - rowsKeptFree)
    // Said for good once the totals are known, it is a row until then.
    const head = started === undefined || startSaid ? '' : `Uploading ${startText(started, progress)}`
    const heads = head === '' || room === 0 ? [] : [fitName(head, width())]
    const capacity = room - heads.length
    const files = slots.refresh(now, capacity, progress.inFlight).map((slot) => fileView(slot, now))
    const rate = meter.update(now, progress.bytesSent)
    const total = totalView(progress, rate, secondsLeft(progress, rate, now - startedAt))
    for (const row of files) widen(wants, row)
    widenTotal(wants, total, paint)
    const grid = chooseGrid(width(), wants)
    const rows = files.map((row) => layoutRow(row, grid, width(), paint))
    return [...heads, ...rows, layoutTotal(total, grid, width(), paint)]
  }

  let rowCount = 0
  function addRow(): void {
    bars.create(1, 0, { row: rowCount })
    rowCount += 1
  }

  function say(line: string): void {
    sayStart()
    put(line)
  }

  function put(line: string): void {
    if (open) bars.log(`${line}\n`)
    else stream.write(`${line}\n`)
  }

  function sayStart(): void {
    if (startSaid || started === undefined) return
    startSaid = true
    const what = `Uploading ${startText(started, progress)}`
    const details = startDetails(started).join('  ')
    const between = displayWidth(`${what}  ${details}`) <= width() ? '  ' : '\n '
    put(paint.bold(what) + (details === '' ? '' : between + paint.dim(details)))
  }

  function begin(event: RunStarted): void {
    started = event
    startedAt = clock.now()
    meter = createRateMeter(startedAt, progress.bytesSent)
    open = true
    stream.on('resize', resized)
    process.once('exit', close)
    addRow()
  }

  function resized(): void {
    wants = createWants()
    terminal.invalidate()
  }

  function sayFile({ index, file, stopsRun }: FileEnded): void {
    slots.ended(index, file.status, clock.now())
    if (stopsRun) return
    if (file.status !== 'failed') {
      if (verbose) say(` ${outcomeLine(file)}`)
      return
    }
    failures += 1
    if (verbose || failures <= failuresShown) say(` ${paint.red('✖')} ${failureText(file)}`)
  }

  function sayDeferred(event: FileDeferred): void {
    slots.ended(event.index, 'deferred', clock.now())
    if (verbose) say(paint.dim(` ${deferredLine(event)}`))
  }

  function close(): void {
    if (!open) return
    sayStart()
    open = false
    bars.update()
    bars.stop()
    stream.off('resize', resized)
    process.removeListener('exit', close)
  }

  const listener: Listener = (event) => {
    progress.apply(event)
    if (event.type === 'run') begin(event)
    if (progress.complete) sayStart()
    if (event.type === 'file') sayFile(event)
    if (event.type === 'warning') say(`${paint.yellow('warning:')} ${oneLine(event.message)}`)
    if (event.type === 'notice' && verbose) say(paint.dim(` ${oneLine(event.message)}`))
    if (event.type === 'concurrency' && verbose) say(paint.dim(` ${concurrencyLine(event)}`))
    if (event.type === 'file-retry' && verbose) say(paint.dim(` ${retryLine(event)}`))
    if (event.type === 'file-deferred') sayDeferred(event)
    if (event.type === 'file-fallback' && verbose) say(paint.dim(` ${fallbackLine(event)}`))
    if (event.type === 'summary') close()
  }
  return { listener, close }
}
