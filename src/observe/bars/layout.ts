import type { ChalkInstance } from 'chalk'
import { fitName } from '../format.ts'

/** What a row says, before it is fitted to the terminal. */
export interface RowView {
  readonly labelWidth: number
  label(width: number): string
  /** 0 to 1; undefined where the end is not known. */
  readonly fraction: number | undefined
  readonly percent: string
  readonly size: string
  readonly rate: string
  readonly remaining: string
  /** `part 84/262`, `2 retries`. */
  readonly tail: string
  /** Stands in place of rate and remaining time. */
  readonly note?: Note | undefined
}

export interface Note {
  readonly text: string
  /** At most four columns, for where there is no room for `text`. */
  readonly short: string
  readonly tone: 'good' | 'bad' | 'warn' | 'dim'
}

export interface TotalView extends RowView {
  /** `122/214 files`. */
  readonly files: string
}

/** Columns of each cell; 0 where there is no room for it. */
export interface Grid {
  readonly name: number
  readonly bar: number
  readonly gap: number
  readonly percent: number
  readonly size: number
  readonly rate: number
  readonly remaining: number
  readonly tail: number
}

/** The widest each cell has been: columns that only grow do not tremble. */
export interface Wants {
  name: number
  size: number
  remaining: number
  tail: number
  /** What the last row says right of its bar, all in one. */
  total: number
}

const percentWidth = '100 %'.length
const rateWidth = '99.9 MB/s'.length
const nameAtLeast = 18
const nameAtMost = 72
const barAtLeast = 8
const barAtMost = 40
const barForTotal = 12
const margin = 1
const narrow = 100

export function createWants(): Wants {
  return { name: 12, size: 9, remaining: 4, tail: 0, total: 0 }
}

export function widen(wants: Wants, row: RowView): void {
  wants.name = Math.min(nameAtMost, Math.max(wants.name, row.labelWidth))
  wants.size = Math.max(wants.size, row.size.length)
  wants.remaining = Math.max(wants.remaining, row.remaining.length)
  wants.tail = Math.max(wants.tail, row.tail.length)
}

export function widenTotal(wants: Wants, total: TotalView, paint: ChalkInstance): void {
  widen(wants, total)
  wants.total = Math.max(wants.total, columnsOf(totalFigures(total, wants, paint)))
}

/**
 * Shares out a line of `width` columns: parts go first where it is short, then the rate, the remaining time and the
 * sizes; only then do name and bar become smaller than is comfortable.
 */
export function chooseGrid(width: number, wants: Wants): Grid {
  const gap = width < narrow ? 2 : 3
  const { size, remaining, tail } = wants
  const all = { size, rate: rateWidth, remaining, tail }
  const choices = [
    all,
    { ...all, tail: 0 },
    { ...all, tail: 0, rate: 0 },
    { ...all, tail: 0, rate: 0, remaining: 0 },
    { size: 0, tail: 0, rate: 0, remaining: 0 },
  ]
  const always = margin + 2 + 2 + percentWidth
  const taken = (cell: number, before: number): number => (cell > 0 ? before + cell : 0)
  const left = (cells: typeof all): number =>
    width -
    always -
    (taken(cells.size, gap) + taken(cells.rate, gap) + taken(cells.remaining, 2) + taken(cells.tail, gap))

  const wantedName = Math.min(nameAtLeast, wants.name)
  const cells = choices.find((choice) => left(choice) >= wantedName + barAtLeast) ?? choices.at(-1) ?? all
  const room = Math.max(0, left(cells))
  const barFirst = Math.max(
    Math.min(barAtLeast, Math.floor(room / 2)),
    Math.min(barAtMost, Math.floor(room * 0.4), room - wantedName),
  )
  const name = Math.min(wants.name, room - barFirst)
  const barOfTotal = width - margin - 2 - name - wants.total
  const bar = Math.min(barAtMost, room - name, barOfTotal >= barForTotal ? barOfTotal : barAtMost)
  return { ...cells, gap, percent: percentWidth, name, bar }
}

/** One file's row, at most `width` columns. */
export function layoutRow(row: RowView, grid: Grid, width: number, paint: ChalkInstance): string {
  const cells = [
    nameSegment(row.label(grid.name), grid.name),
    ...barSegments(row, grid.bar, paint),
    ...figures(row, grid, paint),
  ]
  return join(cells, width)
}

/** The last row: all of the run. Files stand in their own cell where there is room, otherwise beside the label. */
export function layoutTotal(total: TotalView, grid: Grid, width: number, paint: ChalkInstance): string {
  const before = [nameSegment(total.label(grid.name), grid.name), ...barSegments(total, grid.bar, paint)]
  const wide = totalFigures(total, grid, paint)
  if (columnsOf([...before, ...wide]) <= width) return join([...before, ...wide], width)

  const room = grid.name + grid.bar
  const files = `total  ${total.files}`
  const full = grid.tail === 0 && total.tail !== '' ? `${files}  ${total.tail}` : files
  const label = full.length <= room ? full : files
  const leftBy = (cells: readonly Segment[]): number => width - margin - 2 - columnsOf(cells)
  // A number cut in its middle would read as another one: the label comes before the bar, the column of parts, which
  // is empty here or holds the retries, and figures that stand below those of the rows.
  const whole = figures(total, grid, paint)
  const cells = label.length <= leftBy(whole) ? whole : figures({ ...total, tail: '' }, grid, paint)
  const name = Math.max(grid.name, Math.min(label.length, Math.max(room, leftBy(cells))))
  const folded = [nameSegment(fitName(label, name), name), ...barSegments(total, Math.max(0, room - name), paint)]
  return join([...folded, ...cells], width)
}

interface Segment {
  readonly text: string
  readonly columns: number
  readonly paint: ((text: string) => string) | undefined
}

/** Figures and bars: each character is one column wide, and measuring all of them ten times a second would cost. */
function segment(text: string, paint?: (text: string) => string): Segment {
  return { text, columns: text.length, paint }
}

function nameSegment(fitted: string, columns: number): Segment {
  return { text: ` ${fitted}  `, columns: columns + margin + 2, paint: undefined }
}

function totalFigures(total: TotalView, { size, remaining }: Pick<Grid, 'size' | 'remaining'>, paint: ChalkInstance) {
  return [
    segment(`  ${total.percent.padStart(percentWidth)}   ${total.files.padEnd(size)}  ${total.size}   `),
    segment(`${total.rate.padStart(rateWidth)}  ${total.remaining.padStart(remaining)}`),
    ...(total.tail === '' ? [] : [segment(`   ${total.tail}`, paint.yellow)]),
  ]
}

function figures(row: RowView, grid: Grid, paint: ChalkInstance): Segment[] {
  const gap = ' '.repeat(grid.gap)
  const cells = [segment(`  ${row.percent.padStart(grid.percent)}`)]
  if (grid.size > 0) cells.push(segment(gap + row.size.padEnd(grid.size)))
  if (row.note !== undefined) {
    const room = (grid.rate > 0 ? grid.rate + grid.gap : 0) + (grid.remaining > 0 ? grid.remaining + 2 : 0)
    const text = gap + (row.note.text.length + grid.gap > room ? row.note.short : row.note.text)
    cells.push(
      segment(
        text.padEnd(room),
        { good: paint.green, bad: paint.red, warn: paint.yellow, dim: paint.dim }[row.note.tone],
      ),
    )
  } else {
    if (grid.rate > 0) cells.push(segment(gap + row.rate.padStart(grid.rate)))
    if (grid.remaining > 0) cells.push(segment(`  ${row.remaining.padStart(grid.remaining)}`))
  }
  if (grid.tail > 0 && row.tail !== '') cells.push(segment(gap + row.tail, paint.dim))
  return cells
}

function barSegments({ fraction }: RowView, width: number, paint: ChalkInstance): Segment[] {
  const full = Math.floor(Math.min(1, Math.max(0, fraction ?? 0)) * width)
  return [segment('█'.repeat(full), paint.cyan), segment('░'.repeat(width - full), paint.dim)]
}

function columnsOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { columns }) => sum + columns, 0)
}

/** Cuts at `width`, whatever came before: a row that wrapped would break all others. */
function join(segments: readonly Segment[], width: number): string {
  let room = width
  let line = ''
  for (const { text, columns, paint } of segments) {
    const fitting = columns <= room ? text : fitName(text, room)
    room -= Math.min(columns, room)
    line += paint === undefined || fitting === '' ? fitting : paint(fitting)
  }
  return line.trimEnd()
}
