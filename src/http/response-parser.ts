/** What came back for a request; of any status. */
export interface WireAnswer {
  readonly status: number
  /** By name in lower case; what came more than once is joined with `, `. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** An answer, and whether the connection can carry another request after it. */
export interface ParsedAnswer extends WireAnswer {
  readonly keepsAlive: boolean
}

/**
 * Reads answers off a connection, one at a time, whatever pieces they come in.
 * https://www.rfc-editor.org/rfc/rfc9112
 */
export interface ResponseParser {
  /** Whether anything of an answer has come. */
  readonly hasBegun: boolean
  /** The next answer is one to `HEAD`: it has no body, whatever its headers say of one. */
  expectNoBody(): void
  /**
   * Takes what was received, which is not kept.
   *
   * @returns the answer once it is complete
   * @throws Error with a `code` that begins with `HPE_`, as those of Node's own parser, where it is no answer.
   */
  receive(bytes: Buffer): ParsedAnswer | undefined
  /**
   * The connection was closed by the other side.
   *
   * @returns the answer, where its end was to be told in this way
   */
  end(): ParsedAnswer | undefined
}

/** Bytes of a status line and headers; more are none of a storage server. */
const longestHead = 64 * 1024
/** Bytes of a body: an answer to an upload is empty or a short document. */
const longestBody = 256 * 1024

const statusLine = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [^\0\r\n]*)?$/
const headerName = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/
/** No control characters but tabs: a lone line break or a NUL is read differently by different programs. */
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/
const chunkLine = /^([\dA-Fa-f]{1,8})[ \t]*(?:;.*)?$/

interface Head {
  readonly status: number
  readonly headers: Record<string, string>
  readonly keepsAlive: boolean
  /** How the body's end is found. */
  readonly framing: 'length' | 'chunks' | 'close'
  /** Bytes, where the framing is by length. */
  readonly length: number
}

export function createResponseParser(): ResponseParser {
  let pending: Buffer | undefined
  let head: Head | undefined
  let isBodiless = false

  const finish = (body: Buffer, rest: number): ParsedAnswer => {
    const { status, headers, keepsAlive } = head as Head
    pending = undefined
    head = undefined
    isBodiless = false
    // Bytes after the end belong to no request: the connection is out of step.
    return { status, headers, body, keepsAlive: keepsAlive && rest === 0 }
  }

  const receive = (bytes: Buffer): ParsedAnswer | undefined => {
    let data = pending === undefined ? bytes : Buffer.concat([pending, bytes])
    while (head === undefined) {
      const end = data.indexOf('\r\n\r\n')
      // The same verdict whether it comes at once or in pieces.
      if ((end < 0 ? data.length : end + 4) > longestHead) throw malformed('its headers are too long')
      if (end < 0) {
        if (!beginsLikeAnAnswer(data)) throw malformed('its first line is no status line')
        pending = Buffer.from(data)
        return undefined
      }
      const read = readHead(data.toString('latin1', 0, end), isBodiless)
      data = data.subarray(end + 4)
      // Interim answers say nothing of the outcome.
      if (read.status >= 200) head = read
    }
    const answer = readBody(head, data)
    if ((answer?.used ?? data.length) > longestBody) throw malformed('it is too long for an answer to an upload')
    if (answer !== undefined) return finish(answer.body, data.length - answer.used)
    pending = Buffer.from(data)
    return undefined
  }

  return {
    get hasBegun() {
      return pending !== undefined || head !== undefined
    },
    expectNoBody() {
      isBodiless = true
    },
    receive,
    end() {
      if (head?.framing !== 'close') return undefined
      return finish(pending ?? Buffer.alloc(0), 0)
    },
  }
}

function readHead(text: string, isBodiless: boolean): Head {
  const [first = '', ...lines] = text.split('\r\n')
  const [, minor, code] = statusLine.exec(first) ?? []
  if (code === undefined) throw malformed('its first line is no status line')
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(0, colon)).toLowerCase()
    const value = withoutBlanks(line, colon + 1)
    if (!headerName.test(name) || !headerValue.test(value)) throw malformed('one of its headers is none')
    headers[name] = Object.hasOwn(headers, name) ? `${headers[name]}, ${value}` : value
  }
  const status = Number(code)
  const connection = headers.connection?.toLowerCase() ?? ''
  const staysOpen = !/\bclose\b/.test(connection) && (minor === '1' || /\bkeep-alive\b/.test(connection))
  const { framing, length } = isBodiless ? noBody : framingOf(status, headers)
  return { status, headers, keepsAlive: staysOpen && framing !== 'close', framing, length }
}

const answersBegin = Buffer.from('HTTP/1.')

/** So that another protocol (TLS, say) is told at once, rather than when the other side gives up. */
function beginsLikeAnAnswer(data: Buffer): boolean {
  const length = Math.min(data.length, answersBegin.length)
  return data.compare(answersBegin, 0, length, 0, length) === 0
}

/** What stands from `from` on. No regular expression: on a long run of spaces it may take minutes. */
function withoutBlanks(line: string, from: number): string {
  let start = from
  let end = line.length
  while (start < end && isBlank(line.charCodeAt(start))) start += 1
  while (end > start && isBlank(line.charCodeAt(end - 1))) end -= 1
  return line.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}

type Framing = Pick<Head, 'framing' | 'length'>

const noBody: Framing = { framing: 'length', length: 0 }

/** https://www.rfc-editor.org/rfc/rfc9112#section-6.3 */
function framingOf(status: number, headers: Readonly<Record<string, string>>): Framing {
  const { 'transfer-encoding': encoding, 'content-length': stated } = headers
  if (status < 200 || status === 204 || status === 304) return noBody
  if (encoding !== undefined) {
    if (encoding.toLowerCase() !== 'chunked') throw malformed(`it is in an encoding that was not asked for`)
    if (stated !== undefined) throw malformed('it states its length in two ways')
    return { framing: 'chunks', length: 0 }
  }
  if (stated === undefined) return { framing: 'close', length: 0 }
  const length = lengthOf(stated)
  if (length > longestBody) throw malformed('it is too long for an answer to an upload')
  return { framing: 'length', length }
}

function lengthOf(stated: string): number {
  if (/^\d{1,15}$/.test(stated)) return Number(stated)
  // Repeated with one value, it may come as a list.
  const [first = '', ...others] = stated.split(', ')
  if (!/^\d{1,15}$/.test(first) || others.some((other) => other !== first)) throw malformed('its length is no number')
  return Number(first)
}

/** The body, once it is all there, and how many of the bytes it took. */
function readBody(
  { framing, length }: Head,
  data: Buffer,
): { readonly body: Buffer; readonly used: number } | undefined {
  if (framing === 'close') return undefined
  if (framing === 'chunks') return readChunks(data)
  if (data.length < length) return undefined
  return { body: length === 0 ? empty : Buffer.from(data.subarray(0, length)), used: length }
}

const empty = Buffer.alloc(0)

/** https://www.rfc-editor.org/rfc/rfc9112#section-7.1 */
function readChunks(data: Buffer): { readonly body: Buffer; readonly used: number } | undefined {
  const pieces: Buffer[] = []
  for (let at = 0; ; ) {
    const end = data.indexOf('\r\n', at)
    if (end < 0) return undefined
    const [, digits] = chunkLine.exec(data.toString('latin1', at, end)) ?? []
    if (digits === undefined) throw malformed('the length of one of its pieces is no number')
    const length = Number.parseInt(digits, 16)
    const start = end + 2
    if (length === 0) {
      // Trailers, if any, end with an empty line.
      const noTrailers = data.length >= start + 2 && data.indexOf('\r\n', start) === start
      const trailersEnd = noTrailers ? start - 2 : data.indexOf('\r\n\r\n', start)
      return trailersEnd < 0 ? undefined : { body: Buffer.concat(pieces), used: trailersEnd + 4 }
    }
    if (start + length > longestBody) throw malformed('it is too long for an answer to an upload')
    if (data.length < start + length + 2) return undefined
    pieces.push(data.subarray(start, start + length))
    at = start + length + 2
    if (data.toString('latin1', at - 2, at) !== '\r\n')
      throw malformed('one of its pieces has another length than stated')
  }
}

/** Named as Node's own parser names its errors. */
function malformed(why: string): Error {
  return Object.assign(new Error(`the answer cannot be read: ${why}`), { code: 'HPE_INVALID_ANSWER' })
}
