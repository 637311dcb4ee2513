/** As much of `tty.WriteStream` as drawing needs. */
export interface TerminalStream {
  readonly columns?: number | undefined
  readonly rows?: number | undefined
  write(text: string): unknown
  on(event: 'resize', listener: () => void): unknown
  off(event: 'resize', listener: () => void): unknown
}

/** The terminal as cli-progress calls it (its `terminal` option, which its types leave out). */
export interface FrameTerminal {
  cursor(visible: boolean): void
  cursorTo(): void
  cursorRelativeReset(): void
  clearRight(): void
  clearLine(): void
  clearBottom(): void
  newline(): void
  write(text: string, raw?: boolean): void
  lineWrapping(): void
  isTTY(): boolean
  getWidth(): number
  /** Puts what was written since the last call on the screen. */
  flush(): void
  /** What is on the screen may have been moved about: the next frame begins by clearing it. */
  invalidate(): void
}

const hideCursor = '\x1b[?25l'
const showCursor = '\x1b[?25h'
const noWrap = '\x1b[?7l'
const wrap = '\x1b[?7h'
const clearRest = '\x1b[J'
const clearRestOfLine = '\x1b[K'
// Whole lines, so that the terminal also forgets which of them it had broken. Not all at once from the first column:
// tmux saves a screen that is cleared from its very corner to its history.
const clearBlock = `\r\x1b[2K\x1b[C${clearRest}\r`

/**
 * Gathers what cli-progress draws and writes each frame at once, and only where it differs from the last: no flicker,
 * one system call. Between frames the cursor rests at the beginning of the first row. A terminal that re-flows its
 * lines when resized keeps it there, so drawing from the cursor downwards replaces all of the old rows and nothing
 * else, which no count of rows could promise.
 */
export function createFrameTerminal(stream: TerminalStream): FrameTerminal {
  let above = ''
  let rows: string[] = ['']
  let drawn = ''
  let stale = false

  return {
    cursor: (visible) => void stream.write(visible ? showCursor : hideCursor),
    cursorTo() {},
    cursorRelativeReset() {},
    clearRight() {},
    clearLine() {},
    clearBottom() {
      stream.write(clearBlock)
      drawn = ''
    },
    newline() {
      rows.push('')
    },
    write(text, raw = false) {
      if (raw) above += text
      else rows[rows.length - 1] += text
    },
    lineWrapping() {},
    isTTY: () => true,
    getWidth: () => stream.columns || 80,
    flush() {
      // Overwriting row by row and clearing only what lies below leaves nothing of the old frame and does not flicker.
      const shown = rows.slice(0, rows.findLastIndex((row) => row !== '') + 1)
      const block = shown.map((row) => row + clearRestOfLine).join('\n')
      const up = shown.length > 1 ? `\x1b[${shown.length - 1}A` : ''
      if (above !== '' || stale || block !== drawn) {
        const said = above.replaceAll('\n', `${clearRestOfLine}\n`)
        // A name the terminal draws wider than expected is cut at the edge instead of breaking the rows below it.
        const before = stale ? clearBlock : '\r'
        stream.write(`${before}${said}${noWrap}${block}${block === '' ? clearBlock : clearRest}${wrap}${up}\r`)
      }
      drawn = block
      above = ''
      rows = ['']
      stale = false
    },
    invalidate() {
      stale = true
    },
  }
}
