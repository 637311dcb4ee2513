import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { onTestFinished, vi } from 'vitest'
import type { Destination } from '../../../../src/destinations/destination.ts'
import type { SupabaseDestinationSettings } from '../../../../src/destinations/supabase/engine.ts'
import { openSupabaseDestination } from '../../../../src/destinations/supabase/index.ts'
import { defaultSettings } from '../../../support/settings.ts'

/** A request as it came. */
export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
  /** From 1, by which connection it came. */
  readonly connection: number
}

/** What is answered: a status and a body, in JSON where it is no text. */
export interface Scripted {
  readonly status?: number
  readonly body?: unknown
  readonly type?: string
}

export interface ScriptedServer {
  readonly url: string
  readonly received: readonly Received[]
}

/** A server that answers each request as it is told, until the test ends. */
export async function scriptedServer(
  answer: (request: Received, turn: number) => Scripted | 'hang' | 'cut' | Promise<Scripted>,
): Promise<ScriptedServer> {
  const received: Received[] = []
  const connections = new Map<object, number>()
  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const { method = '', url: path = '', headers } = req
    const connection = connections.get(req.socket) ?? connections.size + 1
    connections.set(req.socket, connection)
    received.push({ method, path, headers, body: await buffer(req), connection })
    const scripted = await answer(received.at(-1) as Received, received.length)
    if (scripted === 'cut') req.socket.destroy()
    if (typeof scripted === 'string') return
    const { status = 200, body, type = 'application/json' } = scripted
    res.writeHead(status, { 'content-type': type }).end(typeof body === 'string' ? body : JSON.stringify(body))
  }
  const server = createServer((req, res) => void handle(req, res))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received }
}

export const key = 'sb_secret_of-the-test'

/** A bucket at such a server, by the fast engine, until the test ends. */
export async function bucketAt(
  url: string,
  over: Partial<SupabaseDestinationSettings> = {},
  bucket = 'audio',
): Promise<Destination> {
  vi.stubEnv('SUPABASE_SERVICE_ROLE_KEY', key)
  onTestFinished(() => void vi.unstubAllEnvs())
  const settings = { ...defaultSettings, supabase: { url }, ...over }
  const destination = await openSupabaseDestination(settings, { url: `supabase://${bucket}/`, bucket }, undefined, {
    connect: 2000,
  })
  onTestFinished(() => destination.close())
  return destination
}
