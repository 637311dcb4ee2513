import { writeFileSync } from 'node:fs'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { bytes } from '../support/data-set.ts'
import { type InProcess, inProcess } from '../support/in-process.ts'
import { fakeCredentials } from '../support/s3-environment.ts'
import type { FakeRequest, Fault } from '../support/s3-fake.ts'
import { defaultSettings, engines } from '../support/settings.ts'

const names = Array.from({ length: 40 }, (_, at) => `small-${String(at).padStart(2, '0')}.txt`)

const expired: Fault = {
  status: 400,
  body: '<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>',
}
const tokenOf = ({ headers }: FakeRequest) => headers['x-amz-security-token']

/** A profile whose process gives out `token-1`, then `token-2`, and so on up to `last`. */
async function rotating({ ws, s3 }: InProcess, last: number) {
  const process = ws.path('give.mjs')
  await ws.write(
    'give.mjs',
    `import { appendFileSync, readFileSync } from 'node:fs'
    appendFileSync(${JSON.stringify(ws.path('given'))}, 'x')
    const given = Math.min(${last}, readFileSync(${JSON.stringify(ws.path('given'))}).length)
    const keys = ${JSON.stringify({ AccessKeyId: fakeCredentials.accessKeyId, SecretAccessKey: fakeCredentials.secretAccessKey })}
    console.log(JSON.stringify({ Version: 1, ...keys, SessionToken: 'token-' + given }))`,
  )
  await ws.write('aws.ini', `[profile rotating]\nregion = us-east-1\ncredential_process = node ${process}\n`)
  vi.stubEnv('AWS_CONFIG_FILE', ws.path('aws.ini'))
  onTestFinished(() => void vi.unstubAllEnvs())
  return {
    s3: { ...defaultSettings.s3, endpointUrl: s3.url, region: 'us-east-1', profile: 'rotating' },
    given: async () => (await ws.read('given')).length,
  }
}

describe.each(engines)('the %s engine', (engine) => {
  it('goes on with the credentials that the chain has then', async () => {
    const scene = await inProcess({ engine, credentials: { ...fakeCredentials, sessionToken: 'token-2' } })
    const { ws, s3, upload } = scene
    const { s3: settings, given } = await rotating(scene, 99)
    const data = bytes('bin', 17 * 2 ** 20)
    await ws.write('in/large.bin', data)
    await ws.writeAll(...names.map((name) => `in/${name}`))
    s3.script = (request) => (tokenOf(request) === 'token-1' ? expired : undefined)
    const { summary } = await upload({ s3: settings, concurrency: 8 })
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 41, failed: 0, retries: 0 })
    expect(s3.read('bucket', 'large.bin')?.equals(data)).toBe(true)
    expect(await given()).toBe(2)
    // Those on their way when it was noticed, and no more.
    expect(s3.requests.filter((request) => tokenOf(request) === 'token-1').length).toBeLessThanOrEqual(8)
  })

  it('goes on where they expire in the middle, also of what is asked by HEAD', async () => {
    const scene = await inProcess({ engine, credentials: undefined })
    const { ws, s3, upload } = scene
    const { s3: settings, given } = await rotating(scene, 99)
    await ws.writeAll(...names.map((name) => `in/${name}`))
    let requests = 0
    s3.script = (request) => {
      requests += 1
      if (requests <= 30 || tokenOf(request) !== 'token-1') return undefined
      return request.operation === 'HeadObject' ? { status: 400 } : expired
    }
    const { summary } = await upload({ s3: settings, concurrency: 8, verify: true })
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 40, failed: 0, retries: 0 })
    expect(await given()).toBe(2)
  })

  it('ends the run once where the chain has no others, and the rest is cancelled', async () => {
    const scene = await inProcess({ engine })
    const { ws, s3, upload } = scene
    const { s3: settings, given } = await rotating(scene, 1)
    await ws.writeAll(...names.map((name) => `in/${name}`))
    s3.script = () => expired
    const { summary, events } = await upload({ s3: settings, concurrency: 8 })
    expect(summary).toMatchObject({ exitCode: 3, uploaded: 0, failed: 1, cancelled: 39, retries: 0 })
    expect(summary.byErrorCode).toMatchObject({ CREDENTIALS_EXPIRED: 1 })
    const ended = events.find((event) => event.type === 'summary')
    expect(ended?.type === 'summary' && ended.stoppedBecause).toMatch(/have expired.*--resume/)
    expect(await given()).toBe(2)
  })

  it('ends the run once where they are those of the environment', async () => {
    const { ws, s3, upload } = await inProcess({ engine })
    await ws.writeAll(...names.map((name) => `in/${name}`))
    s3.script = () => expired
    const { summary } = await upload({ concurrency: 8 })
    expect(summary).toMatchObject({ exitCode: 3, uploaded: 0, failed: 1, cancelled: 39, retries: 0 })
    expect(s3.requests.length).toBeLessThanOrEqual(8)
  })

  it('takes what another program has written into the shared file meanwhile', async () => {
    const scene = await inProcess({ engine, credentials: { ...fakeCredentials, sessionToken: 'token-2' } })
    const { ws, s3, upload } = scene
    await ws.writeAll('in/a.txt', 'in/b.txt')
    const { accessKeyId, secretAccessKey } = fakeCredentials
    const write = (token: string) =>
      writeFileSync(
        ws.path('credentials'),
        `[mine]\naws_access_key_id=${accessKeyId}\naws_secret_access_key=${secretAccessKey}\naws_session_token=${token}\n`,
      )
    write('token-1')
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', ws.path('credentials'))
    onTestFinished(() => void vi.unstubAllEnvs())
    s3.script = (request) => {
      if (tokenOf(request) !== 'token-1') return undefined
      write('token-2')
      return expired
    }
    const settings = { ...defaultSettings.s3, endpointUrl: s3.url, region: 'us-east-1', profile: 'mine' }
    const { summary } = await upload({ s3: settings })
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 2, failed: 0 })
  })
})
