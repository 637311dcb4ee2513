import { randomBytes } from 'node:crypto'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { inProcess, type Outcome } from '../support/in-process.ts'
import { defaultSettings, engines } from '../support/settings.ts'

const MiB = 2 ** 20
/** Enough for every request that is answered, even where this process is held up meanwhile. */
const requestMs = 2000

/** Why attempts failed, in order. */
function reasons({ events }: Outcome): readonly string[] {
  return events.flatMap((event) => (event.type === 'file-retry' ? [`${event.code}: ${event.message}`] : []))
}

/**
 * A way to a server on loopback that stops reading in the middle of the first request of this kind.
 *
 * @returns its port
 */
async function deafOnce(to: number, request: RegExp): Promise<number> {
  const sockets = new Set<Socket>()
  let isDeaf = false
  const server = createServer((client) => {
    const upstream = connect(to, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        client.destroy()
        upstream.destroy()
      })
    }
    upstream.pipe(client)
    client.on('data', (bytes: Buffer) => {
      if (!isDeaf && request.test(bytes.toString('latin1'))) {
        isDeaf = true
        client.pause()
      } else {
        upstream.write(bytes)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

describe.each(engines)('the %s engine', (engine) => {
  it('sends a part again where the server stopped reading it', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    // A part of which the kernel cannot hold all: what it holds has been sent.
    const content = randomBytes(41 * MiB)
    await ws.write('in/large.bin', content)
    const port = await deafOnce(s3.port, /^PUT [^ ]*partNumber=1&/)
    const run = await upload({
      s3: { ...defaultSettings.s3, endpointUrl: `http://127.0.0.1:${port}`, region: 'us-east-1' },
      partSize: 40 * MiB,
      multipartThreshold: 16 * MiB,
      timeouts: { requestMs: 'auto', stallMs: 400 },
    })
    expect(reasons(run)).toEqual([
      `STALLED: no bytes went to or came from 127.0.0.1:${port} for 0.4 s; check the network, or raise --stall-timeout`,
    ])
    expect(run.summary).toMatchObject({ exitCode: 0, uploaded: 1, retries: 1, timeouts: 1, timeoutRate: 1 / 3 })
    expect(s3.read('bucket', 'large.bin')?.equals(content)).toBe(true)
  })

  it('sends a file again that was not done in the time the user gave', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.writeAll('in/a.txt', 'in/b.txt')
    s3.script = ({ key, attempt }) => (key === 'a.txt' && attempt === 1 ? 'hang' : undefined)
    const run = await upload({ timeouts: { requestMs, stallMs: 20_000 } })
    expect(reasons(run)).toEqual([
      `TIMEOUT: the request to 127.0.0.1:${s3.port} was not done within 2 s; raise --timeout, or lower --concurrency on a slow line`,
    ])
    expect(run.summary).toMatchObject({ exitCode: 0, uploaded: 2, retries: 1, timeouts: 1, timeoutRate: 1 / 3 })
    expect(s3.keys('bucket')).toEqual(['a.txt', 'b.txt'])
  })

  it.each([
    ['a file of more than one piece', 2 * MiB, 'PutObject'],
    ['a part', 6 * MiB, 'UploadPart'],
  ])('sends %s again that was not done in time', async (_, size, operation) => {
    const { ws, s3, upload } = await inProcess({ engine })
    const content = randomBytes(size)
    await ws.write('in/a.bin', content)
    s3.script = (request) =>
      request.operation === operation && request.partNumber <= 1 && request.attempt === 1 ? 'hang' : undefined
    const run = await upload({
      partSize: 5 * MiB,
      multipartThreshold: 5 * MiB,
      timeouts: { requestMs, stallMs: 20_000 },
    })
    expect(reasons(run)).toEqual([expect.stringContaining('was not done within 2 s')])
    expect(run.summary).toMatchObject({ exitCode: 0, uploaded: 1, retries: 1, timeouts: 1 })
    expect(s3.read('bucket', 'a.bin')?.equals(content)).toBe(true)
  })

  it('begins a multipart upload again that was not answered in time', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.write('in/large.bin', randomBytes(6 * MiB))
    s3.script = ({ operation, attempt }) =>
      operation === 'CreateMultipartUpload' && attempt === 1 ? 'hang' : undefined
    const run = await upload({
      partSize: 5 * MiB,
      multipartThreshold: 5 * MiB,
      timeouts: { requestMs, stallMs: 20_000 },
    })
    expect(reasons(run)).toEqual([expect.stringContaining('TIMEOUT: the request to 127.0.0.1')])
    expect(run.summary).toMatchObject({ exitCode: 0, uploaded: 1, timeouts: 1 })
  })
})
