import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Rule, Settings } from '../../src/config/settings.ts'
import type { EngineName } from '../../src/destinations/destination.ts'
import { openS3Destination } from '../../src/destinations/s3/index.ts'
import { startS3Fake } from '../support/s3-fake.ts'
import { engines } from '../support/settings.ts'
import { aCall, bodyOf } from './bodies.ts'
import { anObject } from './destination-contract.ts'
import { credentialEnvironment, fakeCredentials, s3Settings } from './s3-settings.ts'

beforeEach(() => {
  for (const [name, value] of Object.entries(credentialEnvironment)) vi.stubEnv(name, value)
  vi.stubEnv('AWS_ACCESS_KEY_ID', undefined)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined)
  return () => vi.unstubAllEnvs()
})

const keys = `aws_access_key_id = ${fakeCredentials.accessKeyId}
aws_secret_access_key = ${fakeCredentials.secretAccessKey}`

async function server() {
  const s3 = await startS3Fake({ buckets: ['audio'], credentials: fakeCredentials })
  onTestFinished(() => s3.close())
  return s3
}

async function open(
  engine: EngineName,
  config: string,
  profile: string | undefined,
  asked: Partial<Pick<Settings, 'properties' | 'rules'>> = {},
  warn?: (message: string) => void,
) {
  const directory = await mkdtemp(join(tmpdir(), 'profiles-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  await writeFile(join(directory, 'config'), config)
  vi.stubEnv('AWS_CONFIG_FILE', join(directory, 'config'))
  const destination = await openS3Destination(
    { ...s3Settings(undefined, { profile }), ...asked, engine },
    { url: 's3://audio/', bucket: 'audio' },
    warn,
  )
  onTestFinished(() => destination.close())
  return destination
}

describe.each(engines)('a profile (%s)', (engine) => {
  it("goes to the profile's own endpoint with its keys, and never to another's", async () => {
    const [wanted, other] = [await server(), await server()]
    const config = `[default]\nendpoint_url = ${other.url}\n[profile ep]\nendpoint_url = ${wanted.url}\n${keys}\n`
    const destination = await open(engine, config, 'ep')
    expect(destination.endpoint).toBe(wanted.url)
    await destination.putObject(anObject('k'), bodyOf(Buffer.from('RIFF')), aCall())
    // Path style, and of checksums only this program's own, as for any endpoint that is not AWS'.
    expect(wanted.requests[0]?.target).toMatch(/^\/audio\/k(\?|$)/)
    expect(Object.keys(wanted.requests[0]?.headers ?? {}).filter((name) => /checksum/.test(name))).toEqual(
      engine === 'fast' ? ['x-amz-checksum-crc32'] : [],
    )
    expect(other.counters.connections).toBe(0)
  })

  it("does not send a profile's signatures to the default profile's endpoint", async () => {
    const other = await server()
    const destination = await open(engine, `[default]\nendpoint_url = ${other.url}\n[profile good]\n${keys}\n`, 'good')
    expect(destination.endpoint).toBeUndefined()
    // A proxy nobody listens at keeps the request on this machine.
    vi.stubEnv('HTTPS_PROXY', 'http://127.0.0.1:1')
    const put = destination.putObject(anObject('k'), bodyOf(Buffer.from('RIFF')), aCall())
    await expect(put).rejects.toMatchObject({ message: expect.stringContaining('the proxy 127.0.0.1:1 refuses') })
    expect(other.counters.connections).toBe(0)
  })

  it('says where an endpoint that is no URL stands', async () => {
    await expect(open(engine, '[profile bad]\nendpoint_url = localhost:9000\n', 'bad')).rejects.toThrow(
      'endpoint_url of the profile "bad"',
    )
  })

  it("passes over what Supabase's endpoint does not keep, which only the profile names, unless that guards something", async () => {
    const config = '[profile supa]\nendpoint_url = https://p.supabase.co/storage/v1/s3\n'
    const when = { match: [], type: [], minSize: undefined, maxSize: undefined }
    const rule: Rule = { name: 'rules[0]', when, skip: false, contentType: undefined, properties: { sse: 'AES256' } }
    const warnings: string[] = []
    const general = { properties: { cacheControl: 'no-cache', storageClass: 'STANDARD_IA' } }
    await open(engine, config, 'supa', general, (message) => warnings.push(message))
    expect(warnings).toEqual(["storageClass has no effect for Supabase's S3 endpoint"])
    for (const guarding of [{ properties: { sse: 'AES256' } }, { rules: [rule] }]) {
      await expect(open(engine, config, 'supa', guarding)).rejects.toThrow(
        "Supabase's S3 endpoint, which the profile names, has no place for sse",
      )
    }
    await open(engine, config, 'supa')
  })
})
