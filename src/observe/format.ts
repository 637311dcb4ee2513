import stringWidth from 'string-width'
import { isPlain, printable } from '../printable.ts'

/** How numbers and names are written for people: decimal units, one common style, no name that can move a cursor. */

const sizeUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const
const counts = new Intl.NumberFormat('en-US')
const graphemes = new Intl.Segmenter()

/** `1,000`. */
export function formatCount(count: number): string {
  return counts.format(count)
}

/** `1 file`, `1,000 files`. */
export function formatFiles(count: number, approximate = false): string {
  return `${approximate ? '~' : ''}${formatCount(count)} ${count === 1 ? 'file' : 'files'}`
}

/** Bytes as `812 B`, `60.1 MB`, `312 GB`: three digits, decimal units. */
export function formatSize(bytes: number): string {
  const scale = scaleOf(bytes)
  return `${inScale(bytes, scale)} ${scale.unit}`
}

/** Two sizes in the unit of the second: `60.1/81.2 MB`; `1.8/~3.2 GB` where the second is not yet known for good. */
export function formatSizeOf(bytes: number, total: number, approximate = false): string {
  const scale = scaleOf(total)
  return `${inScale(bytes, scale)}/${approximate ? '~' : ''}${inScale(total, scale)} ${scale.unit}`
}

/** Bytes a second as `41.0 MB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatSize(bytesPerSecond)}/s`
}

/** Files a second as `20.5 files/s`. */
export function formatFileRate(filesPerSecond: number): string {
  const rate = filesPerSecond < 99.95 ? filesPerSecond.toFixed(1) : formatCount(Math.round(filesPerSecond))
  return `${rate} files/s`
}

/** A fraction of 1 as whole percent, rounded down, so that `100 %` means done: `57 %`. */
export function formatPercent(fraction: number): string {
  // 0.57 * 100 is a little less than 57.
  return `${Math.floor(Math.min(1, fraction) * 100 + 1e-9)} %`
}

/** A share of a rollout, from 0 to 100, as it was given: `0.5 %`, `10 %`. */
export function formatShare(percentage: number): string {
  return `${percentage} %`
}

/** Seconds left as `0:16`, `1:02:03`, `5d 03h`; `-:--` where nobody can tell. */
export function formatRemaining(seconds: number): string {
  const whole = Math.ceil(seconds)
  if (!Number.isFinite(whole) || whole < 0) return '-:--'
  const [days, hours, minutes] = [Math.floor(whole / 86_400), Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  if (days > 99) return '-:--'
  if (hours > 99) return `${days}d ${twoDigits(hours % 24)}h`
  if (hours > 0) return `${hours}:${twoDigits(minutes)}:${twoDigits(whole % 60)}`
  return `${minutes}:${twoDigits(whole % 60)}`
}

/** Milliseconds as `0.3 ms`, `212 ms`, `1.4 s`, `2m 03s`, `1h 02m 03s`. */
export function formatDuration(ms: number): string {
  if (ms < 9.95) return ms === 0 ? '0 ms' : `${ms.toFixed(1)} ms`
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  const rest = `${twoDigits(seconds % 60)}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${rest}`
  return `${Math.floor(seconds / 3600)}h ${twoDigits(Math.floor(seconds / 60) % 60)}m ${rest}`
}

/** A message on one line, safe as {@link printable} makes it. */
export function oneLine(message: string): string {
  return printable(message.trim().replace(/\s*[\r\n]+\s*/g, ' '))
}

/** Columns a text takes on a terminal. */
export function displayWidth(text: string): number {
  return isPlain(text) ? text.length : stringWidth(text)
}

/**
 * A name (already escaped) in exactly `width` columns: padded, or cut in its middle with `…`, so that numbering and
 * ending stay visible. Never cuts inside what is drawn as one character.
 */
export function fitName(name: string, width: number): string {
  const wide = displayWidth(name)
  if (wide <= width) return name + ' '.repeat(width - wide)
  if (width < 1) return ''
  const characters = Array.from(graphemes.segment(name), ({ segment }) => segment)
  const head = takeColumns(characters, Math.floor((width - 1) / 2))
  const tail = takeColumns(characters.reverse(), width - 1 - head.columns)
  const cut = `${head.taken.join('')}…${tail.taken.reverse().join('')}`
  return cut + ' '.repeat(width - 1 - head.columns - tail.columns)
}

function takeColumns(characters: readonly string[], columns: number): { taken: string[]; columns: number } {
  const taken: string[] = []
  let used = 0
  for (const character of characters) {
    const width = displayWidth(character)
    if (used + width > columns) break
    taken.push(character)
    used += width
  }
  return { taken, columns: used }
}

interface Scale {
  readonly unit: string
  readonly divisor: number
  readonly decimals: number
}

function scaleOf(bytes: number): Scale {
  let divisor = 1
  let unit = 0
  // 999.5 and not 1000: what would be rounded up to four digits belongs to the next unit.
  while (bytes / divisor >= 999.5 && unit < sizeUnits.length - 1) {
    divisor *= 1000
    unit += 1
  }
  return { unit: sizeUnits[unit] ?? 'B', divisor, decimals: unit > 0 && bytes / divisor < 99.95 ? 1 : 0 }
}

function inScale(bytes: number, scale: Scale): string {
  return (bytes / scale.divisor).toFixed(scale.decimals)
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
