import { readFileSync } from 'node:fs'
import type { AddressInfo, Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { TlsSettings } from '../../src/config/settings.ts'
import { createNodeWire } from '../../src/http/node-wire.ts'
import { patienceFor } from '../../src/http/patience.ts'
import { createWire, type Wire, type WireRequest } from '../../src/http/send.ts'
import { scriptedServer } from '../fault/scripted-server.ts'
import { type S3Fake, startS3Fake } from '../support/s3-fake.ts'
import { startForwardProxy } from './forward-proxy.ts'
import { credentialEnvironment } from './s3-settings.ts'

const bundle = fileURLToPath(new URL('certificates/server.pem', import.meta.url))
const tls = {
  cert: readFileSync(bundle, 'utf8'),
  key: readFileSync(new URL('certificates/server-key.pem', import.meta.url), 'utf8'),
}

beforeEach(() => {
  for (const [name, value] of Object.entries(credentialEnvironment)) vi.stubEnv(name, value)
  return () => vi.unstubAllEnvs()
})

function aWire(trust: Partial<TlsSettings> = {}, connect = 5000): Wire {
  const patience = { connect, connectThroughProxy: connect, idle: 10_000 }
  const wire = createWire({ caBundle: undefined, verify: true, ...trust }, patience)
  onTestFinished(wire.close)
  return wire
}

const trusting = () => aWire({ caBundle: bundle })

async function server(isTls: boolean): Promise<S3Fake> {
  const s3 = await startS3Fake({ buckets: ['audio'], ...(isTls ? { tls } : {}) })
  onTestFinished(() => s3.close())
  return s3
}

async function proxyTo(port: number, password?: string) {
  const proxy = await startForwardProxy(port, password)
  onTestFinished(() => proxy.close())
  return proxy
}

const never = new AbortController().signal

function put(origin: string, key: string, body: WireRequest['body'] = Buffer.from('RIFF'), length = 4): WireRequest {
  const headers = ['host', new URL(origin).host, 'content-length', String(length)]
  return { method: 'PUT', origin, path: `/audio/${key}`, headers, body }
}

const failure = (outcome: Promise<unknown>): Promise<unknown> =>
  outcome.then(
    (value) => ({ value }),
    (error) => error,
  )

describe('through a proxy', () => {
  it('plain requests name the whole address, on connections that are kept', async () => {
    const s3 = await server(false)
    const proxy = await proxyTo(s3.port)
    vi.stubEnv('HTTP_PROXY', proxy.url)
    const wire = aWire()
    for (const key of ['a', 'b?x=1', 'c']) {
      expect(await wire.send(put('http://s3.example.test:9000', key), never)).toMatchObject({ status: 200 })
    }
    expect(proxy.requests.map(({ method, target }) => `${method} ${target}`)).toEqual([
      'PUT http://s3.example.test:9000/audio/a',
      'PUT http://s3.example.test:9000/audio/b?x=1',
      'PUT http://s3.example.test:9000/audio/c',
    ])
    expect(s3.requests[0]?.headers.host).toBe('s3.example.test:9000')
    expect(proxy.connections()).toBe(1)
    expect(s3.read('audio', 'a')?.toString()).toBe('RIFF')
  })

  it('it gets the password, the server does not', async () => {
    const s3 = await server(false)
    const proxy = await proxyTo(s3.port, 'p@ss')
    vi.stubEnv('HTTP_PROXY', proxy.url.replace('//', '//user:p%40ss@'))
    expect(await aWire().send(put('http://s3.example.test', 'a'), never)).toMatchObject({ status: 200 })
    expect(proxy.requests[0]?.authorization).toBe(`Basic ${Buffer.from('user:p@ss').toString('base64')}`)
    expect(s3.requests[0]?.headers).not.toHaveProperty('proxy-authorization')
  })

  it('a wrong password is an answer of status 407 where requests are plain', async () => {
    const proxy = await proxyTo(1, 'right')
    vi.stubEnv('HTTP_PROXY', proxy.url.replace('//', '//user:wrong@'))
    expect(await aWire().send(put('http://s3.example.test', 'a'), never)).toMatchObject({ status: 407 })
  })

  it('TLS goes in one tunnel for all requests', async () => {
    const s3 = await server(true)
    const proxy = await proxyTo(s3.port, 'word')
    vi.stubEnv('HTTPS_PROXY', proxy.url.replace('//', '//user:word@'))
    const wire = trusting()
    for (const key of ['a', 'b', 'c']) {
      expect(await wire.send(put('https://s3.example.test', key), never)).toMatchObject({ status: 200 })
    }
    expect(proxy.requests).toMatchObject([{ method: 'CONNECT', target: 's3.example.test:443' }])
    expect(s3.keys('audio')).toEqual(['a', 'b', 'c'])
    expect(s3.requests[0]?.headers).not.toHaveProperty('proxy-authorization')
  })

  it('a tunnel that is refused says why', async () => {
    const proxy = await proxyTo(1, 'right')
    vi.stubEnv('HTTPS_PROXY', proxy.url.replace('//', '//user:wrong@'))
    const error = await failure(trusting().send(put('https://s3.example.test', 'a'), never))
    expect(error).toMatchObject({ code: 'CONNECTION', retryable: false, status: 407 })
    expect(String(error)).not.toContain('wrong')
  })

  it.each(['http', 'https'])('that is not there, the proxy is named (%s)', async (scheme) => {
    const proxy = await startForwardProxy(1)
    await proxy.close()
    vi.stubEnv(`${scheme.toUpperCase()}_PROXY`, proxy.url)
    const error = await failure(aWire().send(put(`${scheme}://s3.example.test`, 'a'), never))
    expect(error).toMatchObject({ code: 'CONNECTION', message: expect.stringContaining(proxy.host) })
  })

  it.each(['http', 'https'])('that never answers, nothing is left of the connection (%s)', async (scheme) => {
    const silent = await scriptedServer(({ closed }) => closed)
    vi.stubEnv(`${scheme.toUpperCase()}_PROXY`, silent.origin)
    const wire = aWire({}, 60)
    const stop = new AbortController()
    const outcome = failure(wire.send(put(`${scheme}://s3.example.test`, 'a'), stop.signal))
    if (scheme === 'https') expect(await outcome).toMatchObject({ code: 'ETIMEDOUT' })
    await vi.waitUntil(() => silent.connections() === 1, { timeout: 10_000 })
    // A plain request is already on its way: it is for its own clock, or a stop.
    stop.abort()
    await outcome
    await vi.waitUntil(() => silent.open() === 0, { timeout: 10_000 })
  })
})

describe('over TLS', () => {
  /** A server that answers anything, and tells the names it was asked for. */
  async function naming() {
    const names: unknown[] = []
    const sockets = new Set<Socket>()
    let resumed = 0
    const one = createTlsServer(tls, (socket) => {
      sockets.add(socket)
      names.push(socket.servername)
      if (socket.isSessionReused()) resumed += 1
      socket.on('error', () => {})
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'))
    })
    await new Promise<void>((resolve) => one.listen(0, resolve))
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy()
      one.close()
    })
    return { port: (one.address() as AddressInfo).port, names, resumed: () => resumed }
  }

  it('the host is named, so that the server can choose its certificate', async () => {
    const { port, names } = await naming()
    await aWire({ verify: false }).send(put(`https://localhost:${port}`, 'a'), never)
    expect(names).toEqual(['localhost'])
  })

  it.each(['127.0.0.1', '[::1]'])('the address %s is not named', async (host) => {
    const { port, names } = await naming()
    await aWire({ verify: false }).send(put(`https://${host}:${port}`, 'a'), never)
    expect(names).toEqual([false])
  })

  it('another connection takes up the session of the first', async () => {
    const { port, resumed } = await naming()
    const wire = aWire({ verify: false })
    for (const key of ['a', 'b', 'c']) await wire.send(put(`https://localhost:${port}`, key), never)
    expect(resumed()).toBeGreaterThan(0)
  })

  it('a certificate nobody vouches for, or for another host, is refused', async () => {
    const s3 = await server(true)
    expect(await failure(aWire().send(put(s3.url, 'a'), never))).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
    const other = s3.url.replace('127.0.0.1', 'localhost')
    expect(await failure(trusting().send(put(other, 'a'), never))).toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    })
    expect(s3.requests).toEqual([])
    expect(await trusting().send(put(s3.url, 'a'), never)).toMatchObject({ status: 200 })
  })

  it.each([
    ["the program's own client", createWire],
    ["Node's", createNodeWire],
  ])('a large piece that moves slowly is waited for; one that does not move is not (%s)', async (_, open) => {
    const size = 24 * 2 ** 20
    const slowly = async (pauses: number, pauseMs: number) => {
      const sockets = new Set<Socket>()
      const one = createTlsServer(tls, (socket) => {
        sockets.add(socket)
        let received = 0
        let paused = 0
        let records = 0
        socket.on('error', () => {})
        socket.on('data', (bytes: Buffer) => {
          received += bytes.length
          if (received > size) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
          records += 1
          if (paused === pauses || records % 4 > 0) return
          paused += 1
          socket.pause()
          if (pauseMs > 0) setTimeout(() => socket.resume(), pauseMs)
        })
      })
      await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve))
      onTestFinished(() => {
        for (const socket of sockets) socket.destroy()
        one.close()
      })
      const patience = { ...patienceFor({ requestMs: 'auto', stallMs: 30_000 }), connect: 5000, idle: 2000 }
      const wire = open({ caBundle: bundle, verify: true }, patience)
      onTestFinished(wire.close)
      const origin = `https://127.0.0.1:${(one.address() as AddressInfo).port}`
      const body = async function* () {
        yield Buffer.alloc(size)
      }
      return failure(wire.send(put(origin, 'a', body, size), never))
    }
    expect(await slowly(300, 10)).toMatchObject({ value: { status: 200 } })
    expect(await slowly(5, 0)).toMatchObject({ name: 'TimeoutError' })
  })

  it.each([
    ['whole', (bytes: Buffer) => bytes],
    [
      'in pieces',
      (bytes: Buffer) =>
        async function* () {
          yield bytes
        },
    ],
  ])('an answer that is there before Node tells of the last write is taken (body %s)', async (_, bodyOf) => {
    // In a thread of its own the server answers while this one is busy.
    const worker = new Worker(
      `const { createServer } = require('node:https')
       const { parentPort, workerData } = require('node:worker_threads')
       const server = createServer(workerData, (request, response) => request.resume().on('end', () => response.end()))
       server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))`,
      { eval: true, workerData: tls },
    )
    onTestFinished(async () => void (await worker.terminate()))
    const port = await new Promise<number>((resolve) => worker.once('message', resolve))
    const wire = trusting()
    const body = Buffer.alloc(1000)
    const send = () => wire.send(put(`https://127.0.0.1:${port}`, 'k', bodyOf(body), body.length), never)
    await send()
    for (let round = 0; round < 5; round += 1) {
      const answer = await new Promise((resolve, reject) => {
        setTimeout(() => {
          send().then(resolve, reject)
          keepBusy()
        }, 1)
      })
      expect(answer).toMatchObject({ status: 200 })
    }
  })
})

/** Keeps the loop busy after what was begun in its turn. */
function keepBusy(): void {
  process.nextTick(() => {
    const until = performance.now() + 30
    while (performance.now() < until);
  })
}

it('to another IPv6 address, plain', async () => {
  const s3 = await scriptedServer(async ({ request, answer }) => {
    await request()
    answer()
  }, '::1')
  expect(await aWire().send(put(s3.origin, 'a'), never)).toMatchObject({ status: 200 })
})
