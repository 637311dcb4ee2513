import { readFileSync } from 'node:fs'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { TlsSettings } from '../../src/config/settings.ts'
import type { Destination } from '../../src/destinations/destination.ts'
import { openSupabaseDestination } from '../../src/destinations/supabase/index.ts'
import { defaultSettings, engines } from '../support/settings.ts'
import { type SupabaseFake, type SupabaseFakeOptions, startSupabaseFake } from '../support/supabase-fake.ts'
import { someBytes } from './bodies.ts'
import { anObject, partSizeOf } from './destination-contract.ts'
import { startForwardProxy } from './forward-proxy.ts'
import { failureOf } from './s3-fast.ts'
import { credentialEnvironment } from './s3-settings.ts'
import { storeObject } from './store-object.ts'
import { traitsOf } from './supabase-routes.ts'

const certificatePath = fileURLToPath(new URL('certificates/server.pem', import.meta.url))
const tls = {
  cert: readFileSync(certificatePath, 'utf8'),
  key: readFileSync(new URL('certificates/server-key.pem', import.meta.url), 'utf8'),
}
const partSize = partSizeOf(traitsOf.supabase)
/** One for each protocol. */
const sizes: Readonly<Record<string, number>> = { 'small.wav': 1000, 'large.wav': 2 * partSize + 1 }

beforeEach(() => {
  for (const [name, value] of Object.entries(credentialEnvironment)) vi.stubEnv(name, value)
  vi.stubEnv('SUPABASE_KEY', undefined)
  return () => vi.unstubAllEnvs()
})

async function project(options: SupabaseFakeOptions = {}): Promise<SupabaseFake> {
  const supabase = await startSupabaseFake({ lockDrainMs: 20, ...options })
  onTestFinished(() => supabase.close())
  supabase.makeBucket('audio')
  vi.stubEnv('SUPABASE_SERVICE_ROLE_KEY', supabase.key)
  return supabase
}

/** What stands before a project and speaks TLS for it, as its gateway does. Gives its port. */
async function gatewayTo({ url }: SupabaseFake): Promise<number> {
  const sockets = new Set<Socket>()
  const gateway = createTlsServer(tls, (socket) => {
    const onward = connect(portOf(url), '127.0.0.1')
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy()).on('close', () => other.destroy())
      one.pipe(other)
    }
  })
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    gateway.close()
  })
  return (gateway.address() as AddressInfo).port
}

async function proxyTo(port: number, password?: string) {
  const proxy = await startForwardProxy(port, password)
  onTestFinished(() => proxy.close())
  return proxy
}

function portOf(url: string): number {
  return Number(new URL(url).port)
}

describe.each(engines)('%s engine', (engine) => {
  async function destinationAt(url: string, trust: Partial<TlsSettings> = {}, bucket = 'audio'): Promise<Destination> {
    const settings = { ...defaultSettings, supabase: { url }, engine, tls: { ...defaultSettings.tls, ...trust } }
    const destination = await openSupabaseDestination(settings, { url: `supabase://${bucket}/`, bucket })
    onTestFinished(() => destination.close())
    return destination
  }

  async function put(destination: Destination | Promise<Destination>, key: string) {
    await storeObject(await destination, anObject(key, partSize), someBytes(sizes[key] ?? 0))
  }

  /** Puts an object by each protocol, and asks for one. */
  async function useAll(destination: Destination, supabase: SupabaseFake): Promise<void> {
    for (const key of Object.keys(sizes)) await put(destination, key)
    const stored = [...supabase.objects.values()].map(({ key, size, protocol }) => [key, size, protocol])
    expect(stored).toEqual([
      ['small.wav', sizes['small.wav'], 'rest'],
      ['large.wav', sizes['large.wav'], 'tus'],
    ])
    expect(
      await destination.headObject('large.wav', { signal: new AbortController().signal, requests: 1 }),
    ).toMatchObject({
      size: sizes['large.wav'],
    })
  }

  it('every request says who it is from', async () => {
    const supabase = await project()
    await useAll(await destinationAt(supabase.url), supabase)
    for (const { headers } of supabase.requests) {
      expect(headers).toMatchObject({ authorization: `Bearer ${supabase.key}`, apikey: supabase.key })
      expect(headers['user-agent']).toMatch(/^bulk-upload\/\d/)
    }
  })

  it('a bucket of an awkward name is the one meant', async () => {
    const supabase = await project()
    const name = "a b?c+d&e=f, (it's 1)!"
    supabase.makeBucket(name)
    await useAll(await destinationAt(supabase.url, {}, name), supabase)
    expect([...supabase.objects.keys()]).toEqual(Object.keys(sizes).map((key) => `${name}/${key}`))
  })

  describe('a proxy', () => {
    it('gets all requests and its password, and the server does not get that', async () => {
      const supabase = await project()
      const proxy = await proxyTo(portOf(supabase.url), 'p@ss')
      vi.stubEnv('HTTP_PROXY', proxy.url.replace('//', '//user:p%40ss@'))
      await useAll(await destinationAt('http://project.example.test'), supabase)
      expect(proxy.requests).toHaveLength(supabase.requests.length)
      const targets = proxy.requests.map(({ target }) => new URL(target).host)
      expect(new Set(targets)).toEqual(new Set(['project.example.test']))
      for (const { headers } of supabase.requests) {
        expect(headers.host).toBe('project.example.test')
        expect(headers).not.toHaveProperty('proxy-authorization')
      }
    })

    it('is left out for the hosts in NO_PROXY', async () => {
      const supabase = await project()
      const proxy = await proxyTo(portOf(supabase.url))
      vi.stubEnv('HTTP_PROXY', proxy.url)
      vi.stubEnv('NO_PROXY', '127.0.0.1')
      await useAll(await destinationAt(supabase.url), supabase)
      expect(proxy.requests).toEqual([])
    })

    it('carries TLS in a tunnel, checked against the bundle', async () => {
      const supabase = await project()
      const proxy = await proxyTo(await gatewayTo(supabase))
      vi.stubEnv('HTTPS_PROXY', proxy.url)
      const url = 'https://project.s3.example.test'
      for (const key of Object.keys(sizes)) {
        expect(await failureOf(put(destinationAt(url), key))).toMatchObject({ code: 'CONNECTION', retryable: false })
      }
      expect(supabase.requests).toEqual([])
      await useAll(await destinationAt(url, { caBundle: certificatePath }), supabase)
      const asked = proxy.requests.map(({ method, target }) => `${method} ${target}`)
      expect(new Set(asked)).toEqual(new Set(['CONNECT project.s3.example.test:443']))
      expect(JSON.stringify(proxy.requests)).not.toContain(supabase.key)
    })

    it("tunnels to both hosts of Supabase's own projects, each with its part", async () => {
      const supabase = await project()
      const proxy = await proxyTo(await gatewayTo(supabase))
      vi.stubEnv('HTTPS_PROXY', proxy.url)
      await useAll(await destinationAt('https://abcdefghijklmnopqrst.supabase.co', { verify: false }), supabase)
      const hosts = supabase.requests.map(({ protocol, headers }) => `${protocol} ${headers.host}`)
      expect(new Set(hosts)).toEqual(
        new Set(['rest abcdefghijklmnopqrst.supabase.co', 'tus abcdefghijklmnopqrst.storage.supabase.co']),
      )
      expect(new Set(proxy.requests.map(({ target }) => target))).toEqual(
        new Set(['abcdefghijklmnopqrst.supabase.co:443', 'abcdefghijklmnopqrst.storage.supabase.co:443']),
      )
    })

    it.each(['http', 'https'])('that wants a password says so (%s)', async (scheme) => {
      const proxy = await proxyTo(1, 'secret-word')
      const { key } = await project()
      vi.stubEnv(`${scheme.toUpperCase()}_PROXY`, proxy.url.replace('//', '//user:wrong-word@'))
      for (const name of Object.keys(sizes)) {
        const error = await failureOf(put(destinationAt(`${scheme}://project.example.test`), name))
        expect(error).toMatchObject({ code: 'CONNECTION', retryable: false })
        expect(error.message).toContain(proxy.host)
        for (const secret of ['wrong-word', key]) expect(error.message).not.toContain(secret)
      }
    })

    it.each(['http', 'https'])('that is not there is named (%s)', async (scheme) => {
      await project()
      const proxy = await startForwardProxy(1)
      await proxy.close()
      vi.stubEnv(`${scheme.toUpperCase()}_PROXY`, proxy.url)
      for (const name of Object.keys(sizes)) {
        const error = await failureOf(put(destinationAt(`${scheme}://project.example.test`), name))
        expect(error).toMatchObject({ code: 'CONNECTION', retryable: true })
        expect(error.message).toContain(`the proxy ${proxy.host} refuses connections`)
      }
    })
  })

  describe('a certificate', () => {
    it('nobody vouches for is refused, with what to do', async () => {
      const supabase = await project()
      const url = `https://127.0.0.1:${await gatewayTo(supabase)}`
      for (const key of Object.keys(sizes)) {
        const error = await failureOf(put(destinationAt(url), key))
        expect(error).toMatchObject({ code: 'CONNECTION', retryable: false })
        expect(error.message).toContain('--ca-bundle')
      }
      expect(supabase.requests).toEqual([])
    })

    it.each([
      ['of a bundle is trusted', { caBundle: certificatePath }],
      ['is not looked at with --no-verify-ssl', { verify: false }],
    ])('%s', async (_, trust) => {
      const supabase = await project()
      await useAll(await destinationAt(`https://127.0.0.1:${await gatewayTo(supabase)}`, trust), supabase)
    })

    it('is missed where the server speaks plain HTTP', async () => {
      const { url } = await project()
      for (const key of Object.keys(sizes)) {
        const error = await failureOf(put(destinationAt(url.replace('http:', 'https:')), key))
        expect(error).toMatchObject({ code: 'CONNECTION', retryable: false })
        expect(error.message).toContain('http://')
      }
    })

    it('cannot come from a file that is not there', async () => {
      await project()
      await expect(destinationAt('https://127.0.0.1', { caBundle: '/nonexistent/ca.pem' })).rejects.toThrow(
        'cannot be read',
      )
    })
  })
})
