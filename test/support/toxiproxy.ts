import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { freePort, startServer } from './server-process.ts'
import { tempDir } from './temp-dir.ts'

/** https://github.com/Shopify/toxiproxy#toxics */
export interface Toxic {
  readonly type: 'latency' | 'bandwidth' | 'slicer' | 'reset_peer' | 'timeout'
  /** upstream: what the client sends. */
  readonly stream: 'upstream' | 'downstream'
  /** Milliseconds, KB a second, bytes: see the toxic. */
  readonly attributes: Readonly<Record<string, number>>
}

/** A link before a server on loopback that can be made bad. */
export interface Link {
  readonly url: string
  /** On connections there are and those to come, until the function it gives is called. */
  readonly add: (toxic: Toxic) => Promise<() => Promise<void>>
  /** Closes all connections and refuses new ones. */
  readonly down: () => Promise<void>
  readonly up: () => Promise<void>
}

/** The program, where this machine has it. */
export const toxiproxy = process.env.UPLOAD_TEST_TOXIPROXY

/**
 * Starts toxiproxy (https://github.com/Shopify/toxiproxy) with one link. Gone when the test ends.
 *
 * @param to port of the server behind it
 * @throws Error where UPLOAD_TEST_TOXIPROXY names no program that starts
 */
export async function toxicLink(to: number): Promise<Link> {
  if (!toxiproxy) throw new Error('UPLOAD_TEST_TOXIPROXY names no toxiproxy: npm run test:endurance installs one.')
  const cwd = await tempDir('upload-toxiproxy')
  const server = await startServer({
    command: toxiproxy,
    args: (port) => ['-host', '127.0.0.1', '-port', String(port)],
    env: { LOG_LEVEL: 'warn' },
    cwd,
    logFile: join(cwd, 'log'),
  })
  onTestFinished(server.stop)

  const ask = async (method: string, path: string, body?: unknown): Promise<void> => {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!answer.ok) throw new Error(`toxiproxy: ${method} ${path}: ${answer.status} ${await answer.text()}`)
  }
  const port = await freePort()
  await ask('POST', '/proxies', { name: 'link', listen: `127.0.0.1:${port}`, upstream: `127.0.0.1:${to}` })
  let toxics = 0
  return {
    url: `http://127.0.0.1:${port}`,
    add: async (toxic) => {
      toxics += 1
      const name = `${toxic.type}-${toxics}`
      await ask('POST', '/proxies/link/toxics', { name, ...toxic })
      return () => ask('DELETE', `/proxies/link/toxics/${name}`)
    },
    down: () => ask('POST', '/proxies/link', { enabled: false }),
    up: () => ask('POST', '/proxies/link', { enabled: true }),
  }
}
