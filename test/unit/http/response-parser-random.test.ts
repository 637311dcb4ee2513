import { request } from 'node:http'
import { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { createResponseParser, type ParsedAnswer } from '../../../src/http/response-parser.ts'
import { type Random, randomFrom } from '../../support/random.ts'

const latin1 = (text: string) => Buffer.from(text, 'latin1')
const letters = 'abcdefgh XYZ019"<>/&=;:,_-\t\r\n\0\xe9'

function text({ below }: Random, length: number, from = letters): string {
  return Array.from({ length }, () => from[below(from.length)]).join('')
}

type Method = 'PUT' | 'HEAD'

interface Made {
  readonly bytes: Buffer
  /** Whether only the end of the connection ends it. */
  readonly endsWithConnection: boolean
}

/** An answer as servers may well send it. */
function anAnswer(random: Random, method: Method = 'PUT'): Made {
  const { below, oneOf } = random
  const interim = Array.from({ length: below(6) === 0 ? 1 + below(2) : 0 }, () =>
    oneOf(['HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n', 'HTTP/1.1 102 \r\n\r\n']),
  )
  const status = oneOf([200, 200, 200, 201, 204, 206, 301, 304, 400, 403, 404, 412, 500, 503])
  const head = [`HTTP/1.1 ${status} ${text(random, below(9), 'abc OK')}`.trimEnd()]
  for (let more = below(6); more > 0; more -= 1) {
    const value = text(random, below(20), 'abc XYZ019"<>/&=;:,_-')
    head.push(`${oneOf(['X-A', 'x-a', 'ETag-B', 'Server', `h${below(99)}`])}:${text(random, below(3), ' \t')}${value}`)
  }
  const body = text(random, below(3) === 0 ? below(3000) : below(20))
  const framing = status === 204 || status === 304 ? 'none' : oneOf(['length', 'length', 'chunks', 'close'])
  if (framing === 'length') head.push(`${oneOf(['Content-Length', 'content-length'])}: ${body.length}`)
  if (framing === 'chunks') head.push(`${oneOf(['Transfer-Encoding', 'transfer-encoding'])}: chunked`)
  const sent = framing === 'none' || method === 'HEAD' ? '' : framing === 'chunks' ? inChunks(random, body) : body
  return {
    bytes: latin1(`${interim.join('')}${head.join('\r\n')}\r\n\r\n${sent}`),
    endsWithConnection: framing === 'close' && method !== 'HEAD',
  }
}

function inChunks(random: Random, body: string): string {
  const { below, oneOf } = random
  const extension = () => oneOf(['', '', ';a', ';a=b', ';q="x"'])
  let chunks = ''
  for (let at = 0; at < body.length; ) {
    const length = Math.min(body.length - at, 1 + below(100))
    const digits = oneOf([length.toString(16), length.toString(16).toUpperCase(), `0${length.toString(16)}`])
    chunks += `${digits}${extension()}\r\n${body.slice(at, at + length)}\r\n`
    at += length
  }
  const trailers = oneOf(['', '', 'x-t: 1\r\n', 'x-t: 1\r\nx-u: 2\r\n'])
  return `${chunks}0${extension()}\r\n${trailers}\r\n`
}

function cut({ below }: Random, bytes: Buffer): readonly Buffer[] {
  const pieces: Buffer[] = []
  const most = 1 + below(bytes.length)
  for (let at = 0; at < bytes.length; ) {
    const length = Math.min(bytes.length - at, 1 + below(most))
    pieces.push(bytes.subarray(at, at + length))
    at += length
  }
  return pieces
}

/** Whatever comes of it: the answer, or the code of an error. */
function outcome(
  pieces: readonly Buffer[],
  method: Method = 'PUT',
): { readonly answer?: ParsedAnswer | undefined; readonly code?: string } {
  const parser = createResponseParser()
  if (method === 'HEAD') parser.expectNoBody()
  try {
    for (const piece of pieces) {
      const answer = parser.receive(piece)
      if (answer !== undefined) return { answer }
    }
    return { answer: parser.end() }
  } catch (error) {
    return { code: String((error as { readonly code?: unknown }).code) }
  }
}

interface Seen {
  readonly status: number | undefined
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

/** What Node's own client makes of it. */
function asNode(pieces: readonly Buffer[], method: Method): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const socket = new Duplex({
      read() {},
      write: (_piece, _encoding, done) => done(),
    })
    const client = request({ method, createConnection: () => socket }, (answer) => {
      const body: Buffer[] = []
      answer.on('data', (piece: Buffer) => body.push(piece))
      answer.on('error', reject)
      answer.on('end', () => {
        const headers: Record<string, string> = {}
        for (const [name, values] of Object.entries(answer.headersDistinct)) headers[name] = values?.join(', ') ?? ''
        resolve({ status: answer.statusCode, body: Buffer.concat(body).toString('latin1'), headers })
      })
    })
    client.on('error', reject)
    client.end()
    client.once('finish', () => {
      for (const piece of pieces) socket.push(piece)
      socket.push(null)
    })
  })
}

describe.each(['PUT', 'HEAD'] as const)('answers to %s made at random', (method) => {
  it.each(Array.from({ length: 20 }, (_, seed) => seed))("are what Node's own client reads (%i)", async (seed) => {
    const random = randomFrom(seed + 1)
    for (let round = 0; round < 25; round += 1) {
      const { bytes } = anAnswer(random, method)
      const { answer, code } = outcome(cut(random, bytes), method)
      const seen = { status: answer?.status, body: answer?.body.toString('latin1'), headers: { ...answer?.headers } }
      const expected = await asNode(cut(random, bytes), method)
      expect({ code, ...seen }, JSON.stringify(bytes.toString('latin1'))).toEqual(expected)
    }
  })

  it.each(Array.from({ length: 10 }, (_, seed) => seed))('are none where they are cut short (%i)', (seed) => {
    const random = randomFrom(seed + 100)
    for (let round = 0; round < 200; round += 1) {
      const { bytes, endsWithConnection } = anAnswer(random, method)
      if (endsWithConnection) continue
      const short = bytes.subarray(0, random.below(bytes.length))
      expect(outcome(cut(random, short), method)).toEqual({ answer: undefined })
    }
  })
})

describe('answers made at random', () => {
  it.each(Array.from({ length: 20 }, (_, seed) => seed))(
    'and damaged read the same whatever the pieces, or are refused (%i)',
    (seed) => {
      const random = randomFrom(seed + 1000)
      const { below, oneOf } = random
      const verdicts = new Set<string>()
      for (let round = 0; round < 300; round += 1) {
        let bytes = Buffer.from(anAnswer(random).bytes)
        for (let damage = 1 + below(3); damage > 0; damage -= 1) {
          const at = below(bytes.length)
          const kind = below(4)
          if (kind === 0) bytes[at] = below(256)
          if (kind === 1) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(5))])
          if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(below(bytes.length))])
          const insert = latin1(oneOf(['\r\n', '\n', ':', '0', ' ', '\r\n\r\n', 'Content-Length: 4\r\n', '\0', '-']))
          if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at)])
          if (bytes.length === 0) bytes = Buffer.of(0)
        }
        const whole = outcome([bytes])
        const pieces = outcome(cut(random, bytes))
        // In pieces, what follows the answer has not come yet.
        const told = ({ answer, code }: typeof whole) => ({
          code,
          answer: answer && { ...answer, keepsAlive: undefined },
        })
        expect(told(pieces), JSON.stringify(bytes.toString('latin1'))).toEqual(told(whole))
        if (whole.code !== undefined) expect(whole.code).toMatch(/^HPE_/)
        verdicts.add(whole.code ?? (whole.answer === undefined ? 'incomplete' : 'answer'))
      }
      expect([...verdicts].sort()).toEqual(['HPE_INVALID_ANSWER', 'answer', 'incomplete'])
    },
  )

  it.each(Array.from({ length: 10 }, (_, seed) => seed))(
    'of any bytes at all are refused or waited for (%i)',
    (seed) => {
      const random = randomFrom(seed + 5000)
      for (let round = 0; round < 300; round += 1) {
        const bytes = Buffer.from(Array.from({ length: 1 + random.below(200) }, () => random.below(256)))
        const begun =
          random.below(2) === 0 ? latin1(random.oneOf(['HTTP/1.1 200 ', 'HTTP/1.1 200 OK\r\n'])) : Buffer.alloc(0)
        const { answer, code = 'HPE_' } = outcome(cut(random, Buffer.concat([begun, bytes])))
        expect(answer).toBeUndefined()
        expect(code).toMatch(/^HPE_/)
      }
    },
  )
})
