import { connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { type Random, randomFrom } from './random.ts'

export interface StutteringForwarder {
  readonly port: number
  /** Connections made to it so far. */
  readonly connections: () => number
  /** How often it had to wait before it took more. */
  readonly pauses: () => number
  /** Connections it broke. */
  readonly broken: () => number
}

/**
 * A slow way to a server on loopback: what comes in is taken in small and large amounts with pauses between them, so
 * that the sender's socket is full most of the time. Answers go back as they are. Gone when the test ends.
 *
 * @param seed of the amounts and pauses
 * @param breaks how many steps it goes on average before it breaks a connection; 0: never
 */
export async function stutteringForwarder(to: number, seed: number, breaks = 0): Promise<StutteringForwarder> {
  const random = randomFrom(seed)
  const sockets = new Set<Socket>()
  let connections = 0
  let pauses = 0
  let broken = 0

  const server = createServer({ highWaterMark: 4096 }, (client) => {
    connections += 1
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
    upstream.pipe(client)
    const step = (): void => {
      const piece: Buffer | null = client.read(Math.min(amount(random), client.readableLength))
      if (piece === null || piece.length === 0) {
        client.once('readable', step)
        return
      }
      upstream.write(piece)
      if (breaks > 0 && random.below(breaks) === 0) {
        broken += 1
        client.resetAndDestroy()
        return
      }
      pauses += 1
      pause(random, step)
    }
    client.on('end', () => upstream.end())
    // Something may have to fill the sender's side first.
    pause(random, step)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 1024, resolve))
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { port: address.port, connections: () => connections, pauses: () => pauses, broken: () => broken }
}

function amount({ below, oneOf }: Random): number {
  return 1 + below(oneOf([64, 1500, 20_000, 200_000]))
}

/** A turn of the loop, or a few milliseconds. */
function pause({ below }: Random, next: () => void): void {
  if (below(3) > 0) setImmediate(next)
  else setTimeout(next, below(4))
}
