import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { S3Settings, TlsSettings } from '../../src/config/settings.ts'
import type { Destination } from '../../src/destinations/destination.ts'
import { openS3Destination } from '../../src/destinations/s3/index.ts'
import { type S3Fake, type S3FakeOptions, startS3Fake } from '../support/s3-fake.ts'
import { engines } from '../support/settings.ts'
import { aCall, bodyOf } from './bodies.ts'
import { anObject } from './destination-contract.ts'
import { startForwardProxy } from './forward-proxy.ts'
import { failureOf } from './s3-fast.ts'
import { credentialEnvironment, fakeCredentials, s3Settings } from './s3-settings.ts'
import { storeObject } from './store-object.ts'

const certificatePath = fileURLToPath(new URL('certificates/server.pem', import.meta.url))
const profiles = fileURLToPath(new URL('aws-config.ini', import.meta.url))
const tls = {
  cert: readFileSync(certificatePath, 'utf8'),
  key: readFileSync(new URL('certificates/server-key.pem', import.meta.url), 'utf8'),
}

beforeEach(() => {
  for (const [name, value] of Object.entries(credentialEnvironment)) vi.stubEnv(name, value)
  return () => vi.unstubAllEnvs()
})

async function server(options: S3FakeOptions = {}): Promise<S3Fake> {
  const s3 = await startS3Fake({ buckets: ['audio'], credentials: fakeCredentials, ...options })
  onTestFinished(() => s3.close())
  return s3
}

async function proxyTo(port: number, password?: string) {
  const proxy = await startForwardProxy(port, password)
  onTestFinished(() => proxy.close())
  return proxy
}

describe.each(engines)('%s engine', (engine) => {
  async function destinationAt(
    url: string | undefined,
    s3: Partial<S3Settings> = {},
    trust: Partial<TlsSettings> = {},
  ): Promise<Destination> {
    const destination = await openS3Destination(
      { ...s3Settings(url, s3, trust), engine },
      { url: 's3://audio/', bucket: 'audio' },
    )
    onTestFinished(() => destination.close())
    return destination
  }

  const put = async (destination: Destination | Promise<Destination>, key = 'a b/#1.wav') =>
    (await destination).putObject(anObject(key), bodyOf(Buffer.from('RIFF')), aCall())

  describe('the region', () => {
    it('is followed to where the bucket is, once for all requests', async () => {
      const s3 = await server({ regions: { audio: 'eu-central-1' } })
      const destination = await destinationAt(s3.url)
      await Promise.all(['a', 'b', 'c', 'd'].map((key) => put(destination, key)))
      await put(destination, 'e')
      expect(s3.keys('audio')).toEqual(['a', 'b', 'c', 'd', 'e'])
      const signedFor = (at: number) =>
        /\/([a-z0-9-]+)\/s3\//.exec(s3.requests.at(at)?.headers.authorization ?? '')?.[1]
      expect(signedFor(0)).toBe('us-east-1')
      expect(signedFor(-1)).toBe('eu-central-1')
      expect(s3.requests.filter(({ key }) => key === 'e')).toHaveLength(1)
    })

    it('is followed by each request of a multipart upload', async () => {
      const s3 = await server({ regions: { audio: 'ap-south-2' } })
      await storeObject(await destinationAt(s3.url), anObject('k'), Buffer.alloc(12_000_000))
      expect(s3.object('audio', 'k')?.size).toBe(12_000_000)
    })

    it('is not followed round in circles', async () => {
      const s3 = await server()
      s3.script = () => ({ status: 301, headers: { 'x-amz-bucket-region': 'eu-west-1' } })
      expect(await failureOf(put(destinationAt(s3.url)))).toMatchObject({ code: 'BUCKET_NOT_FOUND', status: 301 })
      expect(s3.requests).toHaveLength(2)
    })

    it('that is no region is not followed', async () => {
      const s3 = await server()
      s3.script = () => ({ status: 301, headers: { 'x-amz-bucket-region': 'evil.example/#' } })
      expect(await failureOf(put(destinationAt(s3.url)))).toMatchObject({ code: 'BUCKET_NOT_FOUND' })
      expect(s3.requests).toHaveLength(1)
    })

    it.each([
      ['the settings', { region: 'eu-north-1' }, {}, 'eu-north-1'],
      ['AWS_REGION', {}, { AWS_REGION: 'sa-east-1' }, 'sa-east-1'],
      ['AWS_DEFAULT_REGION', {}, { AWS_DEFAULT_REGION: 'sa-east-1' }, 'sa-east-1'],
      ['a profile', { profile: 'other' }, { AWS_CONFIG_FILE: profiles }, 'me-south-1'],
      ['the default profile', {}, { AWS_CONFIG_FILE: profiles }, 'af-south-1'],
      ['nothing', {}, {}, 'us-east-1'],
      ['nothing, and an empty AWS_REGION', {}, { AWS_REGION: '' }, 'us-east-1'],
    ])('comes from %s', async (_, settings, environment, region) => {
      for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
      const s3 = await server()
      await put(destinationAt(s3.url, settings))
      expect(s3.requests[0]?.headers.authorization).toContain(`/${region}/s3/aws4_request`)
    })
  })

  describe('credentials', () => {
    it('bring their session token', async () => {
      const s3 = await server({ credentials: { ...fakeCredentials, sessionToken: 'token+/=' } })
      vi.stubEnv('AWS_SESSION_TOKEN', 'token+/=')
      await put(destinationAt(s3.url))
      expect(s3.keys('audio')).toEqual(['a b/#1.wav'])
    })

    it('do not follow a redirect to another host', async () => {
      const elsewhere = await startS3Fake({ buckets: ['audio'] })
      onTestFinished(() => elsewhere.close())
      const s3 = await server()
      for (const status of [301, 302, 303, 307, 308]) {
        s3.script = () => ({ status, headers: { location: `${elsewhere.url}/audio/k` } })
        await failureOf(put(destinationAt(s3.url)))
      }
      expect(elsewhere.counters.connections).toBe(0)
    })

    it('are left out with --no-sign-request', async () => {
      const s3 = await startS3Fake({ buckets: ['audio'] })
      onTestFinished(() => s3.close())
      vi.stubEnv('AWS_ACCESS_KEY_ID', '')
      await put(destinationAt(s3.url, { signRequest: false }))
      expect(s3.requests[0]?.headers.authorization).toBeUndefined()
      expect(s3.keys('audio')).toHaveLength(1)
    })
  })

  describe('the address', () => {
    it('has the bucket in its path at an endpoint of the user', async () => {
      const s3 = await server()
      await put(destinationAt(s3.url))
      expect(s3.requests[0]?.target).toMatch(/^\/audio\/a%20b\/%231\.wav(\?|$)/)
    })

    it('has the bucket in its host with --path-style off', async () => {
      const s3 = await server()
      const proxy = await proxyTo(s3.port)
      vi.stubEnv('HTTP_PROXY', proxy.url)
      await put(destinationAt('http://s3.example.test:8080', { pathStyle: 'off' }))
      expect(proxy.requests).toMatchObject([
        { target: expect.stringContaining('http://audio.s3.example.test:8080/a%20b/%231.wav') },
      ])
      expect(s3.requests[0]?.headers.host).toBe('audio.s3.example.test:8080')
      expect(s3.keys('audio')).toEqual(['a b/#1.wav'])
    })

    it.each(['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'])('comes from %s', async (name) => {
      const s3 = await server()
      vi.stubEnv(name, s3.url)
      await put(destinationAt(undefined))
      expect(s3.requests[0]?.target).toMatch(/^\/audio\//)
    })

    it.each(['ftp://h/', 'no url', '://'])('%j is refused', async (url) => {
      await expect(destinationAt(url)).rejects.toThrow(/--endpoint-url/)
    })
  })

  describe('a proxy', () => {
    it('is left out for the hosts in NO_PROXY', async () => {
      const s3 = await server()
      const proxy = await proxyTo(s3.port)
      vi.stubEnv('HTTP_PROXY', proxy.url)
      vi.stubEnv('NO_PROXY', 'localhost,127.0.0.1')
      await put(destinationAt(s3.url))
      expect(proxy.requests).toEqual([])
      expect(s3.keys('audio')).toHaveLength(1)
    })

    it('gets its password, and the server does not', async () => {
      const s3 = await server()
      const proxy = await proxyTo(s3.port, 'p@ss')
      vi.stubEnv('HTTP_PROXY', proxy.url.replace('//', '//user:p%40ss@'))
      const destination = await destinationAt('http://s3.example.test')
      await put(destination, 'a')
      await put(destination, 'b')
      expect(s3.keys('audio')).toEqual(['a', 'b'])
      expect(proxy.connections()).toBe(1)
      expect(JSON.stringify(s3.requests[0]?.headers)).not.toContain(Buffer.from('user:p@ss').toString('base64'))
    })

    it.each(['http', 'https'])('that wants a password says so (%s)', async (scheme) => {
      const s3 = await server(scheme === 'https' ? { tls } : {})
      const proxy = await proxyTo(s3.port, 'secret-word')
      vi.stubEnv(`${scheme.toUpperCase()}_PROXY`, proxy.url.replace('//', '//user:wrong-word@'))
      const error = await failureOf(put(destinationAt(`${scheme}://s3.example.test`)))
      expect(error).toMatchObject({ code: 'CONNECTION', retryable: false })
      expect(error.message).toContain(proxy.host)
      expect(error.message).not.toContain('wrong-word')
    })

    it('carries TLS in a tunnel, checked against the bundle', async () => {
      const s3 = await server({ tls })
      const proxy = await proxyTo(s3.port)
      vi.stubEnv('HTTPS_PROXY', proxy.url)
      const url = 'https://s3.example.test'
      expect(await failureOf(put(destinationAt(url)))).toMatchObject({ code: 'CONNECTION', retryable: false })
      const trusting = await destinationAt(url, { pathStyle: 'off' }, { caBundle: certificatePath })
      await put(trusting, 'a')
      await put(trusting, 'b')
      expect(s3.keys('audio')).toEqual(['a', 'b'])
      expect(proxy.requests.at(-1)).toMatchObject({ method: 'CONNECT', target: 'audio.s3.example.test:443' })
      // The untrusted one, and one tunnel for both objects.
      expect(proxy.requests).toHaveLength(2)
      await put(destinationAt(url, {}, { verify: false }), 'c')
      expect(s3.keys('audio')).toEqual(['a', 'b', 'c'])
    })

    it.each(['http', 'https'])('that is not there is named (%s)', async (scheme) => {
      const s3 = await server()
      const proxy = await startForwardProxy(s3.port)
      await proxy.close()
      vi.stubEnv(`${scheme.toUpperCase()}_PROXY`, proxy.url)
      const error = await failureOf(put(destinationAt(`${scheme}://s3.example.test`)))
      expect(error).toMatchObject({ code: 'CONNECTION', retryable: true })
      expect(error.message).toContain(`the proxy ${proxy.host} refuses connections`)
    })

    it.each(['socks5://127.0.0.1:1080', 'http://%zz'])(
      '%j is refused when the destination is opened',
      async (value) => {
        vi.stubEnv('HTTP_PROXY', value)
        await expect(destinationAt('http://s3.example.test')).rejects.toThrow(/HTTP_PROXY/)
      },
    )
  })

  describe('a certificate', () => {
    it('nobody vouches for is refused, with what to do', async () => {
      const s3 = await server({ tls })
      const error = await failureOf(put(destinationAt(s3.url)))
      expect(error).toMatchObject({ code: 'CONNECTION', retryable: false })
      expect(error.message).toContain('--ca-bundle')
      expect(s3.requests).toEqual([])
    })

    it('of a bundle is trusted', async () => {
      const s3 = await server({ tls })
      await put(destinationAt(s3.url, {}, { caBundle: certificatePath }), 'a')
      vi.stubEnv('AWS_CA_BUNDLE', certificatePath)
      await put(destinationAt(s3.url), 'b')
      expect(s3.keys('audio')).toEqual(['a', 'b'])
    })

    it('is not looked at with --no-verify-ssl', async () => {
      const s3 = await server({ tls })
      await put(destinationAt(s3.url, {}, { verify: false }))
      expect(s3.keys('audio')).toHaveLength(1)
    })

    it('for another name is refused', async () => {
      const s3 = await server({ tls })
      const error = await failureOf(
        put(destinationAt(s3.url.replace('127.0.0.1', 'localhost'), {}, { caBundle: certificatePath })),
      )
      expect(error).toMatchObject({ code: 'CONNECTION', retryable: false })
      expect(error.message).toContain('localhost')
    })

    it('is missed where the server speaks plain HTTP', async () => {
      const s3 = await server()
      const error = await failureOf(put(destinationAt(s3.url.replace('http:', 'https:'))))
      expect(error).toMatchObject({ code: 'CONNECTION', retryable: false })
      expect(error.message).toContain('http://')
    })

    it.each([
      ['a file that is not there', '/nonexistent/ca.pem', 'cannot be read'],
      ['a file without one', fileURLToPath(import.meta.url), 'no certificate'],
    ])('cannot come from %s', async (_, caBundle, words) => {
      await expect(destinationAt('https://127.0.0.1', {}, { caBundle })).rejects.toThrow(words)
    })
  })

  it('sends what the server needs to know, and no more', async () => {
    const s3 = await server()
    await put(destinationAt(s3.url))
    const { headers } = s3.requests[0] ?? {}
    expect(headers).toMatchObject({ 'content-type': 'audio/wav', 'content-length': '4', host: `127.0.0.1:${s3.port}` })
    expect(headers?.['user-agent']).toContain('bulk-upload')
    expect(Object.keys(headers ?? {})).not.toContain('expect')
    expect(Object.keys(headers ?? {}).filter((name) => /checksum|trailer|md5|encoding/.test(name))).toEqual(
      engine === 'fast' ? ['x-amz-checksum-crc32'] : [],
    )
  })
})
