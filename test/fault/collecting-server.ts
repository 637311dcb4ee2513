import { createHash } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface CollectingServer {
  readonly port: number
  /** SHA-256 of what was sent last, by path. */
  readonly stored: ReadonlyMap<string, string>
}

/** A server that takes anything and keeps its digest. Gone when the test ends. */
export async function collectingServer(tls?: {
  readonly cert: string
  readonly key: string
}): Promise<CollectingServer> {
  const stored = new Map<string, string>()
  const listener: RequestListener = (request, response) => {
    const hash = createHash('sha256')
    request.on('error', () => {})
    request.on('data', (piece: Buffer) => hash.update(piece))
    request.on('end', () => {
      stored.set(request.url ?? '', hash.digest('hex'))
      response.setHeader('etag', '"e"').end()
    })
  }
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 1024, resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { port: (server.address() as AddressInfo).port, stored }
}
