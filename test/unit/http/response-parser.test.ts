import { describe, expect, it } from 'vitest'
import { createResponseParser, type ParsedAnswer } from '../../../src/http/response-parser.ts'

const latin1 = (text: string) => Buffer.from(text, 'latin1')
const lines = (...all: string[]) => latin1(`${all.join('\r\n')}\r\n\r\n`)

/** What is read of the pieces, the end of the connection after them. */
function read(...pieces: readonly Buffer[]): ParsedAnswer | undefined {
  const parser = createResponseParser()
  let answer: ParsedAnswer | undefined
  for (const piece of pieces) {
    if (answer !== undefined) throw new Error('the answer was there before its last piece')
    // What was received is not the parser's to keep.
    const memory = Buffer.from(piece)
    answer = parser.receive(memory)
    memory.fill('#')
  }
  return answer ?? parser.end()
}

function codeOf(act: () => unknown): unknown {
  try {
    return act()
  } catch (error) {
    return (error as { readonly code?: unknown }).code
  }
}

interface Row {
  readonly name: string
  readonly bytes: Buffer
  readonly answer: { readonly status: number; readonly body?: string; readonly keepsAlive?: boolean }
  readonly headers?: Readonly<Record<string, string>>
}

const rows: readonly Row[] = [
  { name: 'no body', bytes: lines('HTTP/1.1 200 OK', 'Content-Length: 0'), answer: { status: 200 } },
  {
    name: 'what S3 says to an upload',
    bytes: lines('HTTP/1.1 200 OK', 'x-amz-id-2: a/b=', 'ETag: "0123"', 'Server: AmazonS3', 'Content-Length: 0'),
    answer: { status: 200 },
    headers: { 'x-amz-id-2': 'a/b=', etag: '"0123"', server: 'AmazonS3', 'content-length': '0' },
  },
  {
    name: 'a body of a stated length',
    bytes: latin1('HTTP/1.1 403 Forbidden\r\nContent-Length: 12\r\n\r\n<Error/>\r\n\r\n'),
    answer: { status: 403, body: '<Error/>\r\n\r\n' },
  },
  {
    name: 'a length with zeros',
    bytes: latin1('HTTP/1.1 200 \r\ncontent-length: 0003\r\n\r\nabc'),
    answer: { status: 200, body: 'abc' },
  },
  {
    name: 'one length stated twice',
    bytes: latin1('HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc'),
    answer: { status: 200, body: 'abc' },
  },
  { name: 'no reason', bytes: lines('HTTP/1.1 503', 'Content-Length: 0'), answer: { status: 503 } },
  {
    name: 'a reason of other letters',
    bytes: lines('HTTP/1.1 500 D\xe9sol\xe9', 'Content-Length: 0'),
    answer: { status: 500 },
  },
  {
    name: '204 has no body, whatever it states',
    bytes: lines('HTTP/1.1 204 No Content', 'Content-Length: 7'),
    answer: { status: 204 },
  },
  {
    name: '304 has none either',
    bytes: lines('HTTP/1.1 304 Not Modified', 'Transfer-Encoding: chunked'),
    answer: { status: 304 },
  },
  {
    name: 'pieces',
    bytes: latin1('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n'),
    answer: { status: 200, body: 'hello world' },
  },
  {
    name: 'pieces with extensions, capitals, line breaks within, and trailers',
    bytes: latin1(
      'HTTP/1.1 200 OK\r\nTRANSFER-ENCODING: Chunked\r\n\r\n0A;name="a;b"\r\n01\r\n\r\n6789\r\n3 \t; x\r\nabc\r\n00;last\r\nx-a: b\r\nx-c: d\r\n\r\n',
    ),
    answer: { status: 200, body: '01\r\n\r\n6789abc' },
  },
  {
    name: 'no pieces',
    bytes: latin1('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
    answer: { status: 200 },
  },
  {
    name: 'up to the end of the connection',
    bytes: latin1('HTTP/1.1 200 OK\r\nServer: s\r\n\r\nall\r\nof it'),
    answer: { status: 200, body: 'all\r\nof it', keepsAlive: false },
  },
  {
    name: 'nothing up to the end of the connection',
    bytes: lines('HTTP/1.1 200 OK'),
    answer: { status: 200, keepsAlive: false },
  },
  {
    name: 'after 100',
    bytes: latin1('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
    answer: { status: 200, body: 'ok' },
    headers: { 'content-length': '2' },
  },
  {
    name: 'after several interim answers',
    bytes: latin1(
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 5\r\n\r\nHTTP/1.1 100\r\n\r\nHTTP/1.1 102 P\r\nTransfer-Encoding: chunked\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n',
    ),
    answer: { status: 201 },
    headers: { 'content-length': '0' },
  },
  {
    name: 'HTTP/1.0',
    bytes: lines('HTTP/1.0 200 OK', 'Content-Length: 0'),
    answer: { status: 200, keepsAlive: false },
  },
  {
    name: 'HTTP/1.0 that stays',
    bytes: lines('HTTP/1.0 200 OK', 'Connection: Keep-Alive', 'Content-Length: 0'),
    answer: { status: 200 },
  },
  {
    name: 'HTTP/1.0 that cannot make up its mind',
    bytes: lines('HTTP/1.0 200 OK', 'Connection: keep-alive, close', 'Content-Length: 0'),
    answer: { status: 200, keepsAlive: false },
  },
  ...['close', 'Close', 'CLOSE', 'x, close', 'close,x'].map((value) => ({
    name: `Connection: ${value}`,
    bytes: lines('HTTP/1.1 200 OK', `Connection: ${value}`, 'Content-Length: 0'),
    answer: { status: 200, keepsAlive: false },
  })),
  ...['keep-alive', 'Keep-Alive', 'KEEP-ALIVE', '', 'closely'].map((value) => ({
    name: `Connection: ${value}`,
    bytes: lines('HTTP/1.1 200 OK', `CONNECTION:${value}`, 'Content-Length: 0'),
    answer: { status: 200 },
  })),
  {
    name: 'headers that come twice, are empty, or stand between blanks',
    bytes: lines(
      'HTTP/1.1 200 OK',
      'X-A: 1',
      'x-a:2',
      'X-a: \t3 \t',
      'Empty:',
      'Blank: \t ',
      'In: a \t b',
      'Content-Length: 0',
    ),
    answer: { status: 200 },
    headers: { 'x-a': '1, 2, 3', empty: '', blank: '', in: 'a \t b', 'content-length': '0' },
  },
  {
    name: 'headers with the names of what objects have',
    bytes: lines(
      'HTTP/1.1 200 OK',
      'constructor: a',
      'Constructor: b',
      'hasownproperty: c',
      '__proto__: d',
      'Content-Length: 0',
    ),
    answer: { status: 200 },
    headers: { constructor: 'a, b', hasownproperty: 'c', 'content-length': '0' },
  },
  {
    name: 'a web page',
    bytes: latin1('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>'),
    answer: { status: 200, body: '<html></html>' },
  },
]

describe('an answer', () => {
  const all = ({ bytes, answer, headers }: Row, ...pieces: readonly Buffer[]) => {
    const got = read(...(pieces.length > 0 ? pieces : [bytes]))
    const { status, body = '', keepsAlive = true } = answer
    expect({ ...got, body: got?.body.toString('latin1'), headers: undefined }).toEqual({
      status,
      body,
      keepsAlive,
      headers: undefined,
    })
    if (headers !== undefined) expect({ ...got?.headers }).toEqual(headers)
  }

  it.each(rows)('is read: $name', (row) => all(row))

  it.each(rows)('is the same in two pieces, wherever it is cut: $name', (row) => {
    for (let at = 1; at < row.bytes.length; at += 1) all(row, row.bytes.subarray(0, at), row.bytes.subarray(at))
  })

  it.each(rows)('is the same byte by byte: $name', (row) => {
    all(row, ...Array.from(row.bytes, (byte) => Buffer.of(byte)))
  })

  it.each(rows.filter(({ answer }) => answer.keepsAlive !== false))(
    'is not there before its last byte: $name',
    ({ bytes }) => {
      for (let at = 0; at < bytes.length; at += 1) {
        const parser = createResponseParser()
        expect(parser.receive(bytes.subarray(0, at))).toBeUndefined()
        expect(parser.end()).toBeUndefined()
      }
    },
  )

  it('comes after another on the same connection', () => {
    const parser = createResponseParser()
    for (const { bytes, answer } of rows.filter(({ answer }) => answer.keepsAlive !== false)) {
      expect(parser.hasBegun).toBe(false)
      expect(parser.receive(bytes.subarray(0, 9))).toBeUndefined()
      expect(parser.hasBegun).toBe(true)
      expect(parser.receive(bytes.subarray(9))).toMatchObject({ status: answer.status, keepsAlive: true })
    }
    expect(parser.hasBegun).toBe(false)
    expect(parser.end()).toBeUndefined()
  })

  it('has begun with an interim one', () => {
    const parser = createResponseParser()
    parser.receive(lines('HTTP/1.1 100 Continue'))
    expect(parser.hasBegun).toBe(true)
  })

  it.each(rows.filter(({ answer }) => answer.keepsAlive !== false))(
    'with something after it makes the connection useless: $name',
    ({ bytes, answer }) => {
      for (const more of ['H', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', '\0', '\r\n']) {
        const got = read(Buffer.concat([bytes, latin1(more)]))
        expect(got).toMatchObject({ status: answer.status, keepsAlive: false })
        expect(got?.body.toString('latin1')).toBe(answer.body ?? '')
      }
    },
  )

  it('is none where nothing comes', () => {
    expect(read()).toBeUndefined()
  })
})

describe('an answer to HEAD', () => {
  /** Interim answers and headers; what the body would have been is not sent. */
  const headOf = ({ bytes }: Row): string => {
    const heads = bytes.toString('latin1').split('\r\n\r\n')
    const interim = heads.findIndex((head) => !head.startsWith('HTTP/1.1 1'))
    return `${heads.slice(0, interim + 1).join('\r\n\r\n')}\r\n\r\n`
  }

  it.each(rows)('has no body, whatever it says of one: $name', (row) => {
    const head = headOf(row)
    const bytes = latin1(head)
    const statesItsEnd = /content-length|transfer-encoding/i.test(head)
    const keepsAlive = statesItsEnd ? (row.answer.keepsAlive ?? true) : true
    for (let at = 1; at < bytes.length; at += 1) {
      const parser = createResponseParser()
      parser.expectNoBody()
      expect(parser.receive(bytes.subarray(0, at))).toBeUndefined()
      const got = parser.receive(bytes.subarray(at))
      expect({ ...got, headers: undefined, body: got?.body.length }).toEqual({
        status: row.answer.status,
        headers: undefined,
        body: 0,
        keepsAlive,
      })
      if (row.headers !== undefined) expect({ ...got?.headers }).toEqual(row.headers)
    }
  })

  it('may tell of an object of any size', () => {
    const parser = createResponseParser()
    parser.expectNoBody()
    const answer = parser.receive(lines('HTTP/1.1 200 OK', 'Content-Length: 5000000000'))
    expect(answer).toMatchObject({ headers: { 'content-length': '5000000000' }, keepsAlive: true })
  })

  it('with a body all the same makes the connection useless', () => {
    const parser = createResponseParser()
    parser.expectNoBody()
    const answer = parser.receive(latin1('HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone'))
    expect({ ...answer, body: answer?.body.length }).toMatchObject({ status: 404, body: 0, keepsAlive: false })
  })

  it('is followed by one that has a body', () => {
    const parser = createResponseParser()
    parser.expectNoBody()
    const bytes = latin1('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n')
    expect(parser.receive(bytes)?.body.length).toBe(0)
    expect(parser.hasBegun).toBe(false)
    expect(parser.receive(bytes)).toBeUndefined()
    expect(parser.receive(latin1('abc'))?.body.toString()).toBe('abc')
  })
})

const ok = 'HTTP/1.1 200 OK\r\n'
const inPieces = `${ok}Transfer-Encoding: chunked\r\n\r\n`
const invalid: readonly (readonly [string, Buffer])[] = [
  ['two lengths', latin1(`${ok}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`)],
  ['two lengths in one header', latin1(`${ok}Content-Length: 3, 4\r\n\r\nabcd`)],
  ['a negative length', latin1(`${ok}Content-Length: -1\r\n\r\n`)],
  ['a signed length', latin1(`${ok}Content-Length: +1\r\n\r\na`)],
  ['a length that is no number', latin1(`${ok}Content-Length: ten\r\n\r\n`)],
  ['a hexadecimal length', latin1(`${ok}Content-Length: 0x3\r\n\r\nabc`)],
  ['a broken length', latin1(`${ok}Content-Length: 1.5\r\n\r\nab`)],
  ['an empty length', latin1(`${ok}Content-Length:\r\n\r\n`)],
  ['a length beyond all numbers', latin1(`${ok}Content-Length: 99999999999999999999\r\n\r\n`)],
  ['a length beyond the limit', latin1(`${ok}Content-Length: 262145\r\n\r\n`)],
  ['a length and pieces', latin1(`${ok}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`)],
  ['an unknown encoding', latin1(`${ok}Transfer-Encoding: gzip\r\n\r\n`)],
  ['several encodings', latin1(`${ok}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`)],
  ['pieces twice', latin1(`${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`)],
  ['a piece of no length', latin1(`${inPieces}\r\nabc\r\n`)],
  ['a piece whose length is no number', latin1(`${inPieces}xyz\r\nabc\r\n`)],
  ['a piece of a negative length', latin1(`${inPieces}-3\r\nabc\r\n`)],
  ['a piece of a prefixed length', latin1(`${inPieces}0x3\r\nabc\r\n`)],
  ['a piece of a huge length', latin1(`${inPieces}ffffffffff\r\n`)],
  ['a piece longer than the limit', latin1(`${inPieces}40001\r\n`)],
  ['a piece shorter than stated', latin1(`${inPieces}4\r\nabc\r\n0\r\n\r\n`)],
  ['a piece longer than stated', latin1(`${inPieces}2\r\nabc\r\n0\r\n\r\n`)],
  ['a header without a colon', latin1(`${ok}Content-Length 0\r\n\r\n`)],
  ['a header without a name', latin1(`${ok}: 0\r\n\r\n`)],
  ['a blank before the colon', latin1(`${ok}Content-Length : 0\r\n\r\n`)],
  ['a folded header', latin1(`${ok}X-A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n`)],
  ['a header name of two words', latin1(`${ok}X A: 1\r\nContent-Length: 0\r\n\r\n`)],
  ['a lone LF in a header', latin1(`${ok}X-A: 1\nContent-Length: 5\r\nContent-Length: 0\r\n\r\n`)],
  ['a lone CR in a header', latin1(`${ok}X-A: 1\rX-B: 2\r\nContent-Length: 0\r\n\r\n`)],
  ['a NUL in a header', latin1(`${ok}X-A: 1\0\r\nContent-Length: 0\r\n\r\n`)],
  ['a NUL in a name', latin1(`${ok}X-\0: 1\r\nContent-Length: 0\r\n\r\n`)],
  ['a NUL in the reason', latin1('HTTP/1.1 200 O\0K\r\nContent-Length: 0\r\n\r\n')],
  ['an empty line before it', latin1(`\r\n${ok}Content-Length: 0\r\n\r\n`)],
  ['HTTP/2', latin1('HTTP/2 200\r\nContent-Length: 0\r\n\r\n')],
  ['HTTP/1.2', latin1('HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n')],
  ['a status of two digits', latin1('HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n')],
  ['a status of four digits', latin1('HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n')],
  ['a status below 100', latin1('HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n')],
  ['a status above 599', latin1('HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n')],
  ['a status that is no number', latin1('HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n')],
  ['small letters', latin1('http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')],
  ['a web page without headers', latin1('<!doctype html><html></html>')],
  ['a TLS alert', Buffer.from('15030300020228', 'hex')],
  ['SSH', latin1('SSH-2.0-OpenSSH_9.6\r\n')],
  ['headers beyond the limit', latin1(`${ok}X-A: ${'a'.repeat(65_536)}\r\n\r\n`)],
  ['headers that never end', latin1(`${ok}X-A: ${'a'.repeat(65_536)}`)],
  ['interim headers beyond the limit', latin1(`HTTP/1.1 103 E\r\nX-A: ${'a'.repeat(65_536)}\r\n\r\n`)],
  ['a body without a length beyond the limit', latin1(`${ok}\r\n${'a'.repeat(262_145)}`)],
  ['pieces that are too long together', latin1(`${inPieces}${`ffff\r\n${'a'.repeat(65_535)}\r\n`.repeat(5)}0\r\n\r\n`)],
  ['extensions that never end', latin1(`${inPieces}3;${'a'.repeat(262_145)}`)],
  ['trailers that never end', latin1(`${inPieces}0\r\n${'x: y\r\n'.repeat(50_000)}`)],
  ['a bad one after a good interim one', latin1('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 abc\r\n\r\n')],
]

describe('what is no answer', () => {
  it.each(invalid)('is refused: %s', (_, bytes) => {
    expect(codeOf(() => read(bytes))).toMatch(/^HPE_/)
  })

  it.each(invalid.filter(([, bytes]) => bytes.length < 300))('is refused wherever it is cut: %s', (_, bytes) => {
    for (let at = 1; at < bytes.length; at += 1) {
      const parser = createResponseParser()
      const parse = () => parser.receive(bytes.subarray(0, at)) ?? parser.receive(bytes.subarray(at)) ?? parser.end()
      expect(codeOf(parse)).toMatch(/^HPE_/)
    }
  })

  it.each(invalid.filter(([, bytes]) => bytes.length >= 300))(
    'is refused in pieces as large as a socket gives: %s',
    (_, bytes) => {
      const parser = createResponseParser()
      const parse = () => {
        for (let at = 0; at < bytes.length; at += 65_536) {
          const answer = parser.receive(bytes.subarray(at, at + 65_536))
          if (answer !== undefined) return answer
        }
        return parser.end()
      }
      expect(codeOf(parse)).toMatch(/^HPE_/)
    },
  )

  it('is told by its first bytes', () => {
    expect(codeOf(() => createResponseParser().receive(Buffer.of(0x15)))).toMatch(/^HPE_/)
    expect(codeOf(() => createResponseParser().receive(latin1('HTTP/2')))).toMatch(/^HPE_/)
  })

  it('takes no longer to read for all its blanks', () => {
    const blanks = ' '.repeat(60_000)
    // In a pattern that tries each way to divide them, either would take minutes.
    expect(read(latin1(`${ok}X-A: a${blanks}b\r\nContent-Length: 0\r\n\r\n`))).toMatchObject({ status: 200 })
    expect(codeOf(() => read(latin1(`${ok}X-A:${blanks}\r${blanks}\r\n\r\n`)))).toMatch(/^HPE_/)
  })
})

it('headers and bodies of just the largest size are read', () => {
  const head = `${ok}Content-Length: 262144\r\nX-A: `
  const padding = 'a'.repeat(65_536 - head.length - 4)
  const bytes = latin1(`${head}${padding}\r\n\r\n${'b'.repeat(262_144)}`)
  expect(read(bytes)?.body.length).toBe(262_144)
  expect(read(bytes.subarray(0, 100_000), bytes.subarray(100_000))?.body.length).toBe(262_144)
  expect(read(latin1(`${ok}\r\n${'b'.repeat(262_144)}`))?.body.length).toBe(262_144)
})
