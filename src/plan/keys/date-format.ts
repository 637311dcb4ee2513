/** Writes a moment, in UTC. */
export type DateFormat = (atMs: number) => string

/** What is written where a token names no format. */
export const usualDateFormat = 'yyyy-MM-dd'

/**
 * Letters as Unicode has them, each in the one length that leaves nothing open.
 * https://unicode.org/reports/tr35/tr35-dates.html#Date_Field_Symbol_Table
 */
const fields: ReadonlyMap<string, (date: Date) => string> = new Map([
  ['yyyy', (date: Date) => padded(date.getUTCFullYear(), 4)],
  ['MM', (date: Date) => padded(date.getUTCMonth() + 1, 2)],
  ['dd', (date: Date) => padded(date.getUTCDate(), 2)],
  ['HH', (date: Date) => padded(date.getUTCHours(), 2)],
  ['mm', (date: Date) => padded(date.getUTCMinutes(), 2)],
  ['ss', (date: Date) => padded(date.getUTCSeconds(), 2)],
  ['SSS', (date: Date) => padded(date.getUTCMilliseconds(), 3)],
])

/** Text in quotes, a letter as often as it follows itself, or anything else. */
const pieces = /'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+|'/g

/** What is wrong with a format: the words are to follow what names it. Undefined where it is one. */
export function dateFormatFault(format: string): string | undefined {
  if (format === '') return `has no format; expected one such as ${usualDateFormat}`
  for (const [piece, , letter] of format.matchAll(pieces)) {
    if (piece === "'") return "has a quote without its other half; '' is a quote itself"
    if (letter !== undefined && !fields.has(piece)) {
      return `has "${piece}", which is no part of a date; expected ${[...fields.keys()].join(' ')}, and other letters in quotes ('T')`
    }
  }
  return undefined
}

/** Compiles a format that {@link dateFormatFault} finds nothing wrong with. */
export function compileDateFormat(format: string): DateFormat {
  const writers = [...format.matchAll(pieces)].map(([piece, quoted]): ((date: Date) => string) => {
    const literal = quoted === '' ? "'" : (quoted?.replaceAll("''", "'") ?? piece)
    return fields.get(piece) ?? (() => literal)
  })
  return (atMs) => {
    const date = new Date(atMs)
    return writers.map((write) => write(date)).join('')
  }
}

function padded(number: number, length: number): string {
  return String(number).padStart(length, '0')
}
