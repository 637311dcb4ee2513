import { connect, createServer, type Socket } from 'node:net'

export interface Forwarder {
  /** Starts to listen; until then connections are refused. */
  readonly listen: () => Promise<void>
  /** Connections it has closed right after an answer. */
  readonly closed: () => number
  readonly close: () => Promise<void>
}

export interface ForwarderOptions {
  readonly port: number
  /** Port of the server behind it, on loopback. */
  readonly to: number
  /** Closes a connection as soon as an answer has gone, without having announced it. */
  readonly closeAfterAnswer?: boolean
}

/** A door before a server on loopback: shut at first, and rude if wanted. */
export function forwarder({ port, to, closeAfterAnswer = false }: ForwarderOptions): Forwarder {
  const sockets = new Set<Socket>()
  let closed = 0
  const server = createServer((client) => {
    const upstream = connect(to, '127.0.0.1')
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
    client.pipe(upstream)
    upstream.on('data', (data: Buffer) => {
      // Answers here are small: each comes in one piece.
      if (!closeAfterAnswer || !data.toString('latin1').startsWith('HTTP/1.1 200')) return void client.write(data)
      closed += 1
      client.end(data)
    })
  })
  return {
    listen: () => new Promise((resolve, reject) => server.on('error', reject).listen(port, '127.0.0.1', resolve)),
    closed: () => closed,
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
