import { isUtf8 } from 'node:buffer'

/**
 * The beginning of a file as text; undefined where it is none. Text is valid UTF-8, or UTF-16 or UTF-32 with a byte
 * order mark, without control characters but those that text is laid out with and ESC, which logs are coloured with.
 *
 * @param isWhole that there is no more of it: then a character may not be cut off at the end
 */
export function textOf(head: Buffer, isWhole: boolean): string | undefined {
  const text = decoded(head, isWhole)
  return text === undefined || controlCharacter.test(text) ? undefined : text
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the purpose
const controlCharacter = /[\u0000-\u0008\u000e-\u001a\u001c-\u001f\u007f]/

function decoded(head: Buffer, isWhole: boolean): string | undefined {
  // UTF-32 first: its mark begins as that of UTF-16 does.
  if (startsWith(head, [0xff, 0xfe, 0, 0])) return utf32(head, isWhole, (at) => head.readUInt32LE(at))
  if (startsWith(head, [0, 0, 0xfe, 0xff])) return utf32(head, isWhole, (at) => head.readUInt32BE(at))
  if (startsWith(head, [0xff, 0xfe])) return utf16(head, isWhole)
  if (startsWith(head, [0xfe, 0xff])) {
    return head.length % 2 === 1 && isWhole ? undefined : utf16(Buffer.from(even(head)).swap16(), isWhole)
  }
  const whole = isWhole ? head : head.subarray(0, endOfCharacters(head))
  return isUtf8(whole) ? withoutMark(whole.toString('utf8')) : undefined
}

function utf16(head: Buffer, isWhole: boolean): string | undefined {
  if (head.length % 2 === 1 && isWhole) return undefined
  const text = even(head).toString('utf16le')
  const whole = isWhole ? text : text.replace(/[\ud800-\udbff]$/, '')
  return whole.isWellFormed() ? withoutMark(whole) : undefined
}

function utf32(head: Buffer, isWhole: boolean, codePointAt: (offset: number) => number): string | undefined {
  const rest = head.length % 4
  if (rest !== 0 && isWhole) return undefined
  let text = ''
  for (let at = 4; at < head.length - rest; at += 4) {
    const codePoint = codePointAt(at)
    if (codePoint > 0x10ffff) return undefined
    text += String.fromCodePoint(codePoint)
  }
  return text.isWellFormed() ? text : undefined
}

/** Where the last whole UTF-8 character ends, if what follows can be the beginning of another. */
function endOfCharacters(head: Buffer): number {
  for (let back = 1; back <= Math.min(3, head.length); back += 1) {
    const byte = head[head.length - back] as number
    const isContinuation = (byte & 0xc0) === 0x80
    if (isContinuation) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return length > back ? head.length - back : head.length
  }
  return head.length
}

function even(head: Buffer): Buffer {
  return head.subarray(0, head.length - (head.length % 2))
}

function withoutMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text
}

function startsWith(head: Buffer, bytes: readonly number[]): boolean {
  return bytes.every((byte, at) => head[at] === byte)
}

/** What text begins as, after white space and comments, where it is markup. */
export function markupOf(text: string): 'text/html' | 'image/svg+xml' | 'application/xml' | undefined {
  let at = afterSpace(text, 0)
  let isXml = false
  for (;;) {
    const end = text.startsWith('<!--', at) ? '-->' : text.startsWith('<?xml', at) ? '?>' : undefined
    if (end === undefined) break
    isXml ||= end === '?>'
    const closed = text.indexOf(end, at)
    if (closed === -1) break
    at = afterSpace(text, closed + end.length)
  }
  // Long enough for any of them.
  const begin = text.slice(at, at + 64)
  if (/^<(?:!doctype\s+html|html)(?![\w-])/i.test(begin)) return 'text/html'
  if (/^<(?:!doctype\s+svg|svg)(?![\w-])/i.test(begin)) return 'image/svg+xml'
  return isXml ? 'application/xml' : undefined
}

function afterSpace(text: string, from: number): number {
  return text.length - text.slice(from).trimStart().length
}
