import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { openS3Destination } from '../../src/destinations/s3/index.ts'
import type { FakeRequest } from '../support/s3-fake.ts'
import { engines } from '../support/settings.ts'
import { aCall, bodyOf } from './bodies.ts'
import { anObject } from './destination-contract.ts'
import { failureOf, openFast, xmlError } from './s3-fast.ts'
import { credentialEnvironment, fakeCredentials, s3Settings } from './s3-settings.ts'

beforeEach(() => {
  for (const [name, value] of Object.entries(credentialEnvironment)) vi.stubEnv(name, value)
  return () => vi.unstubAllEnvs()
})

const names = (count: number) => Array.from({ length: count }, (_, at) => `file-${String(at).padStart(2, '0')}`)

describe('the clock', () => {
  it("is set by the server's where a request is refused for it", async () => {
    const { s3, put, sent } = await openFast()
    const hours = 3_600_000
    const serverNow = () => new Date(Date.now() + 5 * hours)
    const skewOf = ({ headers }: FakeRequest) => {
      const [, y, mo, d, h, mi, s] =
        /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(headers['x-amz-date'])) ?? []
      return Math.abs(Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`) - serverNow().getTime())
    }
    s3.script = (request) =>
      skewOf(request) > hours / 4
        ? {
            status: 403,
            headers: { date: serverNow().toUTCString() },
            body: xmlError(
              'RequestTimeTooSkewed',
              'The difference between the request time and the time is too large.',
            ),
          }
        : undefined
    expect(await failureOf(put('k'))).toMatchObject({ code: 'CLOCK_SKEW', retryable: true })
    await put('k')
    await put('other')
    expect(sent('PutObject')).toHaveLength(3)
    expect(s3.keys('audio')).toEqual(['k', 'other'])
  })

  it.each([2 * 24 * 60, -20])("is set by the server's where HEAD is refused for it: %d minutes", async (minutes) => {
    const { s3, destination, sent } = await openFast({ clockAheadMs: minutes * 60_000 })
    s3.put('audio', 'k', Buffer.from('RIFF'))
    expect(await destination.headObject('k', aCall())).toMatchObject({ size: 4 })
    expect(await destination.headObject('none', aCall())).toBeUndefined()
    expect(sent('HeadObject')).toHaveLength(3)
  })

  it('of the server, where it differs, does not make uploads older or younger than they are', async () => {
    const ahead = 2 * 24 * 3_600_000
    const { destination } = await openFast({ clockAheadMs: ahead, initiated: () => new Date(Date.now() + ahead) })
    const begin = () => destination.multipart?.create(anObject('k'), aCall())
    await expect(begin()).rejects.toMatchObject({ code: 'CLOCK_SKEW' })
    await begin()
    const ages: number[] = []
    for await (const { initiatedAt } of destination.multipart?.list?.('', aCall()) ?? []) {
      ages.push(Math.abs(Date.now() - initiatedAt.getTime()))
    }
    expect(ages).toHaveLength(1)
    expect(ages[0]).toBeLessThan(60_000)
  })
})

describe('credentials that expire', () => {
  const minutes = 60_000

  /** A place that gives out credentials for so many minutes each time; counted. */
  async function giver(lifetime: number) {
    let given = 0
    const server = createServer((_, response) => {
      given += 1
      const { accessKeyId, secretAccessKey } = fakeCredentials
      const Expiration = new Date(Date.now() + lifetime * minutes).toISOString()
      const found = { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token: `token-${given}`, Expiration }
      response.setHeader('content-type', 'application/json').end(JSON.stringify(found))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined)
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined)
    const { port } = server.address() as AddressInfo
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `http://127.0.0.1:${port}/credentials`)
    return () => given
  }

  it('are asked for once by many at once, and anew before their time is over', async () => {
    const given = await giver(60)
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    const { s3, put } = await openFast({ credentials: undefined })
    const tokens = async () => {
      const before = s3.requests.length
      await Promise.all(names(32).map((key) => put(key)))
      return [...new Set(s3.requests.slice(before).map(({ headers }) => headers['x-amz-security-token']))]
    }
    const start = Date.now()
    expect(await tokens()).toEqual(['token-1'])
    vi.setSystemTime(start + 50 * minutes)
    expect(await tokens()).toEqual(['token-1'])
    expect(given()).toBe(1)
    // From five minutes before the end on, the SDK asks for others while the old ones still serve.
    vi.setSystemTime(start + 56 * minutes)
    await tokens()
    await vi.waitFor(() => expect(given()).toBe(2), { timeout: 10_000 })
    await vi.waitFor(async () => expect(await tokens()).toEqual(['token-2']), { timeout: 10_000 })
    vi.setSystemTime(start + 180 * minutes)
    expect(await tokens()).toEqual(['token-3'])
    expect(given()).toBe(3)
  })

  it('serve to their end where there are no others, and are no reason to try again', async () => {
    await giver(2)
    const { s3, put } = await openFast({ credentials: undefined })
    await Promise.all(names(32).map((key) => put(key)))
    expect(s3.counters.requests).toBe(32)
    s3.script = () => ({ status: 500, body: xmlError('InternalError') })
    await failureOf(put('k'))
    expect(s3.counters.requests).toBe(33)
  })
})

describe('what this engine cannot sign', () => {
  it.each(['mine--use1-az4--x-s3', 'mine--use1-az4--xa-s3'])('goes by the other one: %s', async (bucket) => {
    const destination = await openS3Destination(s3Settings(undefined), { url: `s3://${bucket}/`, bucket })
    expect(destination.engine).toBe('standard')
    expect(destination.multipart).toBeUndefined()
    await destination.close()
  })

  it.each(engines)('is refused in words: a multi-region access point (%s)', async (engine) => {
    const bucket = 'arn:aws:s3::123456789012:accesspoint:mfzwi23gnjvgw.mrap'
    const settings = { ...s3Settings(undefined), engine }
    const destination = await openS3Destination(settings, { url: `s3://${bucket}/`, bucket })
    onTestFinished(() => destination.close())
    const put = destination.putObject(anObject('k'), bodyOf(Buffer.from('RIFF')), aCall())
    const error = await failureOf(put)
    expect(error).toMatchObject({ code: 'BUCKET_NOT_FOUND', retryable: false })
    expect(error.message).toContain('multi-region access point')
  })
})
