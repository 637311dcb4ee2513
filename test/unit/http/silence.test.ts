import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, type RequestListener, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, it, onTestFinished } from 'vitest'
import { endingSilence, type SilenceLimits } from '../../../src/http/silence.ts'

/** A server, and a way to send it a body; ends with the answer's body. */
async function scene(limits: SilenceLimits, listener: RequestListener) {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const keeping = new Agent({ keepAlive: true, timeout: 4000 })
  const agent = endingSilence(keeping, limits)
  onTestFinished(() => {
    keeping.destroy()
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return async (body: Buffer = Buffer.alloc(0)): Promise<string> => {
    const sending = request({ host: '127.0.0.1', port, method: 'PUT', agent })
    // As the SDK's handler does: it may come after the answer.
    sending.on('error', () => {})
    sending.end(body)
    const [answer] = (await once(sending, 'response')) as [IncomingMessage]
    return text(answer)
  }
}

const later = (act: () => void): void => void setTimeout(act, 150)

it('a server may think for longer than a line may be silent', async () => {
  const send = await scene({ sending: 30, answering: 10_000 }, (_, response) => later(() => response.end('done')))
  expect(await send(Buffer.alloc(100))).toBe('done')
  expect(await send()).toBe('done')
})

it('a server that does not answer is left', async () => {
  const send = await scene({ sending: 10_000, answering: 30 }, () => {})
  await expect(send(Buffer.alloc(100))).rejects.toMatchObject({ reason: 'silent', limitMs: 30 })
})

it('a server that falls silent in its answer is left', async () => {
  const send = await scene({ sending: 10_000, answering: 30 }, (_, response) => void response.write('do'))
  await expect(send()).rejects.toMatchObject({ reason: 'silent', limitMs: 30 })
})

it('a connection that is kept has nothing left of the request before', async () => {
  const sockets = new Set<unknown>()
  const send = await scene({ sending: 30, answering: 10_000 }, ({ socket }, response) => {
    sockets.add(socket)
    response.end('done')
  })
  const warnings: Error[] = []
  const note = (warning: Error): void => void warnings.push(warning)
  process.on('warning', note)
  onTestFinished(() => void process.off('warning', note))
  for (let n = 0; n < 20; n += 1) {
    expect(await send()).toBe('done')
    // So that the connection is free again.
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(sockets.size).toBe(1)
  // Of listeners that are never taken away.
  expect(warnings).toEqual([])
})
