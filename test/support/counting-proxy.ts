import { connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Fault } from './faults.ts'
import { type RequestHead, type RequestPiece, requestPieces } from './request-pieces.ts'

/** What came in from clients. */
export interface ProxyCounts {
  readonly connections: number
  readonly requests: number
  /** Heads and bodies. */
  readonly bytes: number
  /** Of the requests, those the server began to answer. */
  readonly answered: number
  /** Bytes of those. */
  readonly answeredBytes: number
  /** Requests it got in the way of. */
  readonly faults: number
  /** Bytes of those requests: what a client has to send again. */
  readonly spoiltBytes: number
}

export interface CountingProxy {
  readonly port: number
  readonly url: string
  /** What came in since the proxy was started. */
  readonly counts: () => ProxyCounts
  /** Resolves once the counts are such. */
  readonly reached: (such: (counts: ProxyCounts) => boolean) => Promise<void>
  /** Takes and gives nothing any more, on connections old and new; they stay open. */
  readonly hold: () => void
  /** Goes on where `hold` left off. */
  readonly release: () => void
}

export interface CountingProxyOptions {
  /** What goes wrong with this request; nothing: it passes. Asked once for each. */
  readonly faultFor?: (request: RequestHead) => Fault | undefined
  /** Milliseconds for which the end of this request is kept back: the server is as slow as that to answer. */
  readonly delayFor?: (request: RequestHead) => number
}

const slowDown = Buffer.from(
  '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>',
)
const slowDownAnswer = Buffer.concat([
  Buffer.from(`HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nContent-Length: ${slowDown.length}\r\n\r\n`),
  slowDown,
])

/**
 * A proxy before an S3 server on loopback. It counts what clients send, request by request, and gets in the way where it
 * is asked to. Gone when the test ends.
 *
 * @param to port of the server
 */
export async function countingProxy(
  to: number,
  { faultFor, delayFor }: CountingProxyOptions = {},
): Promise<CountingProxy> {
  const counts = { connections: 0, requests: 0, bytes: 0, answered: 0, answeredBytes: 0, faults: 0, spoiltBytes: 0 }
  const sockets = new Set<Socket>()
  const waiting = new Set<{ readonly such: (counts: ProxyCounts) => boolean; readonly resolve: () => void }>()
  let held = false
  const changed = () => {
    for (const one of waiting) {
      if (!one.such(counts)) continue
      waiting.delete(one)
      one.resolve()
    }
  }

  const server = createServer((client) => {
    counts.connections += 1
    changed()
    const upstream = connect(to, '127.0.0.1')
    const pair = { client, upstream }
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one)
      one.setNoDelay(true)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      one.on('drain', () => {
        if (!held) other.resume()
      })
      if (held) one.pause()
    }
    const pieces = requestPieces()
    const way = requestWay(pair, delayFor)
    let unanswered: RequestHead | undefined
    client.on('data', (bytes) => {
      counts.bytes += bytes.length
      for (const piece of pieces(bytes)) {
        if (piece.from === 0) {
          counts.requests += 1
          unanswered = piece.request
          const fault = faultFor?.(piece.request)
          if (fault !== undefined) counts.faults += 1
          way.begin(fault)
        }
        if (way.spoilt()) counts.spoiltBytes += piece.bytes.length
        way.pass(piece)
      }
      changed()
    })
    upstream.on('data', (bytes) => {
      if (unanswered !== undefined) {
        counts.answered += 1
        counts.answeredBytes += unanswered.size
        unanswered = undefined
        changed()
      }
      way.answer(bytes)
    })
    client.on('end', () => upstream.end())
    upstream.on('end', () => client.end())
  })
  await new Promise<void>((resolve, reject) => server.on('error', reject).listen(0, '127.0.0.1', 4096, resolve))
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    url: `http://127.0.0.1:${address.port}`,
    counts: () => ({ ...counts }),
    reached: (such) =>
      new Promise((resolve) => {
        if (such(counts)) resolve()
        else waiting.add({ such, resolve })
      }),
    hold: () => {
      held = true
      for (const socket of sockets) socket.pause()
    },
    release: () => {
      held = false
      for (const socket of sockets) socket.resume()
    },
  }
}

/** What becomes of the requests of one connection, one after the other. */
function requestWay(
  { client, upstream }: { readonly client: Socket; readonly upstream: Socket },
  delayFor: CountingProxyOptions['delayFor'],
) {
  let fault: Fault | undefined
  let answered = 0

  const reset = () => {
    client.resetAndDestroy()
    upstream.destroy()
  }
  const forward = (bytes: Buffer, [from, to]: readonly [Socket, Socket]) => {
    if (bytes.length > 0 && !to.write(bytes)) from.pause()
  }
  return {
    begin: (next: Fault | undefined) => {
      fault = next
      answered = 0
    },
    spoilt: () => fault !== undefined,
    pass: ({ request, bytes, from }: RequestPiece) => {
      if (client.destroyed) return
      const last = from + bytes.length === request.size
      if (fault?.kind === 'slow-down') {
        if (last) client.write(slowDownAnswer)
        return
      }
      if (fault?.kind === 'reset' && fault.at < from + bytes.length) {
        upstream.write(bytes.subarray(0, fault.at - from))
        reset()
        return
      }
      if (!last || delayFor === undefined) return forward(bytes, [client, upstream])
      setTimeout(() => {
        if (!upstream.destroyed) forward(bytes, [client, upstream])
      }, delayFor(request))
    },
    answer: (bytes: Buffer) => {
      if (fault?.kind === 'cut-answer' && answered + bytes.length > fault.at) {
        client.end(bytes.subarray(0, Math.max(0, fault.at - answered)))
        upstream.destroy()
      } else if (fault?.kind === 'reset') {
        // It fell behind the request's last byte: the server has it all, and nobody hears of it.
        reset()
      } else {
        forward(bytes, [upstream, client])
      }
      answered += bytes.length
    },
  }
}
