import { displayWidth } from '../../../src/observe/format.ts'

/** A terminal as far as drawing bars goes: keeps its screen, re-flows long rows when it becomes narrower. */
export interface FakeTerminal {
  columns: number
  rows: number
  write(text: string): boolean
  on(event: 'resize', listener: () => void): void
  off(event: 'resize', listener: () => void): void
  /** As the window manager would. */
  resize(columns: number, rows?: number): void
  /** What is to be seen, without what is blank at the end of rows and below. */
  screen(): string[]
  readonly writes: string[]
  readonly cursorVisible: boolean
  /** The widest a row of the bars was asked to be since the last resize. */
  readonly widest: number
  readonly resizeListeners: number
}

const graphemes = new Intl.Segmenter()
const narrow = /^[\x20-\x7e█░]$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
const pieces = /\x1b\[[\d;]*m|\x1b\[(\??)(\d*)([A-Za-z])|[\r\n]|[^\x1b\r\n]+/g

export function createFakeTerminal(columns = 80, rows = 24): FakeTerminal {
  let lines: string[][] = [[]]
  let [row, column] = [0, 0]
  let wrap = true
  let cursorVisible = true
  let widest = 0
  const writes: string[] = []
  const listeners = new Set<() => void>()
  const line = (at: number): string[] => {
    while (lines.length <= at) lines.push([])
    return lines[at] ?? []
  }

  function print(text: string): void {
    for (const { segment } of graphemes.segment(text)) {
      const width = narrow.test(segment) ? 1 : displayWidth(segment)
      widest = wrap ? widest : Math.max(widest, column + width)
      if (column + width > terminal.columns) {
        if (!wrap) continue
        row += 1
        column = 0
      }
      const cells = line(row)
      while (cells.length < column) cells.push(' ')
      cells[column] = segment
      for (let covered = 1; covered < width; covered += 1) cells[column + covered] = ''
      column += width
    }
  }

  function control(mode: string, count: number, code: string): void {
    if (mode === '?') {
      if (count === 7) wrap = code === 'h'
      if (count === 25) cursorVisible = code === 'h'
    } else if (code === 'A') row = Math.max(0, row - count)
    else if (code === 'C') column += count
    else if (code === 'K') line(row).length = count === 2 ? 0 : Math.min(line(row).length, column)
    else if (code === 'J') {
      line(row).length = Math.min(line(row).length, column)
      lines.length = row + 1
    } else throw new Error(`a sequence this terminal does not know: ${code}`)
  }

  const terminal: FakeTerminal = {
    columns,
    rows,
    writes,
    get cursorVisible() {
      return cursorVisible
    },
    get widest() {
      return widest
    },
    get resizeListeners() {
      return listeners.size
    },
    write(text) {
      writes.push(text)
      for (const [piece, mode = '', digits = '', code] of text.matchAll(pieces)) {
        if (code !== undefined)
          control(mode, digits === '' ? (code === 'A' || code === 'C' ? 1 : 0) : Number(digits), code)
        else if (piece === '\r') column = 0
        else if (piece === '\n') {
          row += 1
          column = 0
          line(row)
        } else if (!piece.startsWith('\x1b')) print(piece)
      }
      return true
    },
    on: (_event, listener) => void listeners.add(listener),
    off: (_event, listener) => void listeners.delete(listener),
    resize(newColumns, newRows = terminal.rows) {
      const flowed: string[][] = []
      let newRow = 0
      lines.forEach((cells, at) => {
        if (at === row) newRow = flowed.length
        for (let from = 0; from === 0 || from < cells.length; from += newColumns)
          flowed.push(cells.slice(from, from + newColumns))
      })
      lines = flowed
      row = newRow
      widest = 0
      terminal.columns = newColumns
      terminal.rows = newRows
      for (const listener of listeners) listener()
    },
    screen() {
      const shown = lines.map((cells) => cells.join('').trimEnd())
      return shown.slice(0, shown.findLastIndex((text) => text !== '') + 1)
    },
  }
  return terminal
}
