import { createServer, request } from 'node:http'
import { expect, it, onTestFinished } from 'vitest'
import { countingProxy } from '../support/counting-proxy.ts'
import { type Fault, faults } from '../support/faults.ts'
import { requestPieces } from '../support/request-pieces.ts'

/** A server that answers each request with the length of what it got. */
async function lengthServer(): Promise<{ readonly port: number; readonly got: number[] }> {
  const got: number[] = []
  const server = createServer((incoming, answer) => {
    let length = 0
    incoming.on('data', (bytes: Buffer) => {
      length += bytes.length
    })
    incoming.on('error', () => {})
    incoming.on('end', () => {
      got.push(length)
      answer.end(`${length} bytes`)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { port: address.port, got }
}

/** What a PUT of so many bytes comes to: status and body, or the code of its failure. */
function put(url: string, size: number): Promise<string> {
  return new Promise((resolve) => {
    const outgoing = request(url, { method: 'PUT', headers: { 'Content-Length': size } }, (answer) => {
      let text = ''
      answer.setEncoding('latin1').on('data', (piece: string) => {
        text += piece
      })
      answer.on('end', () => resolve(`${answer.statusCode} ${text}`))
      answer.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    })
    outgoing.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    outgoing.end(Buffer.alloc(size))
  })
}

async function through(fault: Fault | undefined, size: number) {
  const { port, got } = await lengthServer()
  const proxy = await countingProxy(port, { faultFor: () => fault })
  const answer = await put(proxy.url, size)
  return { answer, got, counts: proxy.counts() }
}

it('lets through and counts', async () => {
  const { answer, got, counts } = await through(undefined, 300_000)
  expect({ answer, got }).toEqual({ answer: '200 300000 bytes', got: [300_000] })
  expect(counts).toMatchObject({ connections: 1, requests: 1, answered: 1, faults: 0, spoiltBytes: 0 })
  expect(counts.answeredBytes).toBe(counts.bytes)
  expect(counts.bytes).toBeGreaterThan(300_000)
})

it('resets in the middle of a request: the server never has it all', async () => {
  const { answer, got, counts } = await through({ kind: 'reset', at: 100_000 }, 300_000)
  expect({ answer, got }).toEqual({ answer: 'ECONNRESET', got: [] })
  expect(counts).toMatchObject({ requests: 1, answered: 0, faults: 1 })
  expect(counts.spoiltBytes).toBe(counts.bytes)
  expect(counts.bytes).toBeGreaterThan(100_000)
})

it('resets in place of the answer: the server has it all', async () => {
  const { answer, got } = await through({ kind: 'reset', at: 10_000_000 }, 5000)
  expect({ answer, got }).toEqual({ answer: 'ECONNRESET', got: [5000] })
})

it('answers 503 by itself: the server never hears of it', async () => {
  const { answer, got, counts } = await through({ kind: 'slow-down' }, 300_000)
  expect(answer).toMatch(/^503 .*<Code>SlowDown<\/Code>/s)
  expect(got).toEqual([])
  expect(counts.spoiltBytes).toBe(counts.bytes)
})

it('cuts an answer short', async () => {
  const { answer, got } = await through({ kind: 'cut-answer', at: 20 }, 5000)
  expect({ answer, got }).toEqual({ answer: 'ECONNRESET', got: [5000] })
})

it('says when a number is reached, and gives nothing while it is held', async () => {
  const { port, got } = await lengthServer()
  const proxy = await countingProxy(port)
  proxy.hold()
  const answer = put(proxy.url, 300_000)
  await proxy.reached(({ connections }) => connections === 1)
  expect(got).toEqual([])
  proxy.release()
  await proxy.reached(({ bytes }) => bytes > 300_000)
  expect(await answer).toBe('200 300000 bytes')
})

it('tells requests apart wherever the pieces of a connection begin and end', () => {
  const text =
    'PUT /a HTTP/1.1\r\nContent-Length: 5\r\n\r\n12345GET /b HTTP/1.1\r\nHost: x\r\n\r\nPUT /c HTTP/1.1\r\ncontent-length:2\r\n\r\n67'
  for (let length = 1; length <= text.length; length += 1) {
    const pieces = requestPieces()
    const seen: Record<string, string> = {}
    for (let at = 0; at < text.length; at += length) {
      for (const { request: head, bytes, from } of pieces(Buffer.from(text.slice(at, at + length)))) {
        expect(from).toBe(seen[head.target]?.length ?? 0)
        seen[head.target] = `${seen[head.target] ?? ''}${bytes.toString()}`
        expect(seen[head.target]?.length).toBeLessThanOrEqual(head.size)
      }
    }
    expect(Object.keys(seen)).toEqual(['/a', '/b', '/c'])
    expect(Object.values(seen).join('')).toBe(text)
  }
})

it('has its faults by their shares, and the same ones again for the same seed', () => {
  const shares = { reset: 0.05, slowDown: 0.05, cutAnswer: 0.01 }
  const some = (seed: number) => {
    const faultFor = faults(shares, seed)
    return Array.from({ length: 20_000 }, () => faultFor({ method: 'PUT', target: '/', size: 1000 }))
  }
  const first = some(1)
  const count = (kind: Fault['kind']) => first.filter((fault) => fault?.kind === kind).length
  for (const [kind, share] of [
    ['reset', 1000],
    ['slow-down', 1000],
    ['cut-answer', 200],
  ] as const) {
    expect(count(kind)).toBeGreaterThan(0.8 * share)
    expect(count(kind)).toBeLessThan(1.2 * share)
  }
  expect(some(1)).toEqual(first)
  expect(some(2)).not.toEqual(first)
})
