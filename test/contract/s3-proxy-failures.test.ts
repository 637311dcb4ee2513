import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { EngineName } from '../../src/destinations/destination.ts'
import { openS3Destination } from '../../src/destinations/s3/index.ts'
import { engines } from '../support/settings.ts'
import { aCall, bodyOf } from './bodies.ts'
import { anObject } from './destination-contract.ts'
import { credentialEnvironment, s3Settings } from './s3-settings.ts'

beforeEach(() => {
  for (const [name, value] of Object.entries(credentialEnvironment)) vi.stubEnv(name, value)
  return () => vi.unstubAllEnvs()
})

/** A proxy whose whole answer to CONNECT is `answer`. */
async function proxyThatSays(answer: string): Promise<string> {
  const server = createServer()
  server.on('connect', (_, socket) => socket.end(answer))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function putThrough(engine: EngineName, proxy: string) {
  vi.stubEnv('HTTPS_PROXY', `http://${proxy}`)
  const settings = { ...s3Settings('https://s3.example.test'), engine }
  const destination = await openS3Destination(settings, { url: 's3://audio/', bucket: 'audio' })
  onTestFinished(() => destination.close())
  return destination.putObject(anObject('k'), bodyOf(Buffer.from('RIFF')), aCall())
}

describe.each(engines)('a proxy (%s)', (engine) => {
  it.each([
    [403, false],
    [404, false],
    [502, true],
    [503, true],
  ])('a tunnel refused with %i is blamed on the proxy', async (status, retryable) => {
    const page = '<html>no</html>'
    const proxy = await proxyThatSays(
      `HTTP/1.1 ${status} No\r\nContent-Type: text/html\r\nContent-Length: ${page.length}\r\n\r\n${page}`,
    )
    await expect(putThrough(engine, proxy)).rejects.toMatchObject({
      code: 'CONNECTION',
      status,
      retryable,
      message: `the proxy ${proxy} refused the connection with status ${status}; check HTTPS_PROXY and NO_PROXY`,
    })
  })

  it('a proxy that hangs up is named', async () => {
    const proxy = await proxyThatSays('')
    await expect(putThrough(engine, proxy)).rejects.toMatchObject({
      code: 'CONNECTION',
      message: `the proxy ${proxy} does not answer as a proxy does; check HTTPS_PROXY and NO_PROXY`,
    })
  })
})
