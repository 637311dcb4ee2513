import { describe, expect, it } from 'vitest'
import type { Settings } from '../../../../src/config/settings.ts'
import { withConfig } from '../loading.ts'

const to = 's3://b/'
const SUPABASE_URL = 'https://p.supabase.co'
const env = { SUPABASE_URL }
const MiB = 2 ** 20
const why = 'but with another endpoint or profile, so that a report could not tell their objects apart'

const rollout = (candidate: object) => ({ name: 'r', candidate })
const candidatesOf = (settings: Settings) => settings.rollout?.candidates ?? []

describe("the candidate's settings", () => {
  it('are those of the run, but for what it says itself, flags and variables notwithstanding', async () => {
    const { load } = await withConfig({
      to,
      onChange: 'retry',
      rules: [{ match: '*.html', cacheControl: 'no-cache' }],
      rollout: rollout({
        to: 's3://new/x',
        s3: { endpointUrl: 'http://h', region: 'r', profile: 'p', pathStyle: 'on' },
        engine: 'standard',
        concurrency: 7,
        partSize: '32MiB',
        multipartThreshold: '64MiB',
        partConcurrency: 2,
        checksum: 'sha256',
        verify: true,
        ifExists: 'skip',
        keyFix: true,
        retries: 1,
        retryDelay: '1s',
        retryMaxDelay: '2s',
        retryMaxTime: '3s',
        timeout: '4s',
        stallTimeout: '5s',
        cacheControl: 'c',
        contentEncoding: 'gzip',
        contentDisposition: 'inline',
        metadata: { a: 'b' },
        tag: { c: 'd' },
        storageClass: 'GLACIER_IR',
        acl: 'private',
        sse: 'aws:kms',
        sseKmsKeyId: 'key',
      }),
    })
    const settings = await load({
      flags: { to: 's3://flag/', engine: 'fast', concurrency: '9', region: 'flag', retries: '4', cacheControl: 'flag' },
      env: { AWS_ENDPOINT_URL: 'http://env', UPLOAD_PART_SIZE: '16MiB' },
    })
    expect(settings).toMatchObject({ to: 's3://flag/', engine: 'fast', concurrency: 9, partSize: 16 * MiB })
    expect(settings.rollout?.candidates).toEqual([
      {
        ...settings,
        rollout: undefined,
        to: 's3://new/x/',
        s3: { endpointUrl: 'http://h', region: 'r', profile: 'p', pathStyle: 'on', signRequest: true },
        engine: 'standard',
        concurrency: 7,
        partSize: 32 * MiB,
        multipartThreshold: 64 * MiB,
        partConcurrency: 2,
        checksum: 'sha256',
        verify: true,
        ifExists: 'skip',
        keyFix: true,
        retry: { retries: 1, retryDelayMs: 1000, retryMaxDelayMs: 2000, retryMaxTimeMs: 3000, retryFailed: 1 },
        timeouts: { requestMs: 4000, stallMs: 5000 },
        properties: {
          cacheControl: 'c',
          contentEncoding: 'gzip',
          contentDisposition: 'inline',
          metadata: { a: 'b' },
          tags: { c: 'd' },
          storageClass: 'GLACIER_IR',
          acl: 'private',
          sse: 'aws:kms',
          sseKmsKeyId: 'key',
        },
      },
    ])
    expect(settings.rules).toHaveLength(1)
    expect(settings.warnings).toEqual([])
  })

  it('are reached as the run is, where it does not say otherwise', async () => {
    const { load } = await withConfig({ to, s3: { profile: 'top' }, rollout: rollout({ to: 's3://new/' }) })
    const settings = await load({ flags: { region: 'flag' }, env: { AWS_ENDPOINT_URL: 'http://env' } })
    expect(candidatesOf(settings)).toMatchObject([
      { to: 's3://new/', s3: { endpointUrl: 'http://env', region: 'flag', profile: 'top' } },
    ])
  })

  it('leave what a route says itself, its place as a whole, and are none where nothing is left to change', async () => {
    const { load } = await withConfig({
      to,
      routes: [
        { match: '1', engine: 'fast', verify: true },
        { match: '2', to: 's3://two/' },
        { match: '3', s3: { region: 'three' }, engine: 'fast', partSize: '9MiB' },
        { match: '4', skip: true },
        { match: '5', partSize: '9MiB' },
        { match: '6', to: 's3://six/', engine: 'standard', partSize: '9MiB' },
      ],
      rollout: rollout({
        to: 's3://new/',
        s3: { region: 'new', endpointUrl: 'http://new' },
        engine: 'standard',
        partSize: '10MiB',
      }),
    })
    const settings = await load({ flags: { engine: 'fast', region: 'flag' } })
    const moved = { to: 's3://new/', s3: { region: 'new', endpointUrl: 'http://new' } }
    expect(candidatesOf(settings)).toMatchObject([
      { ...moved, engine: 'standard', partSize: 10 * MiB },
      { ...moved, engine: 'fast', partSize: 10 * MiB, verify: true },
      { to: 's3://two/', s3: { region: 'flag', endpointUrl: undefined }, engine: 'standard', partSize: 10 * MiB },
      undefined,
      undefined,
      { ...moved, engine: 'standard', partSize: 9 * MiB },
      undefined,
    ])
    expect(candidatesOf(settings)).toHaveLength(7)
  })

  it('are none for a route that they would not change, whatever it says', async () => {
    const { load } = await withConfig({
      to: 'file:./out/',
      routes: [{ match: '*.mp4', to: 'supabase://b/' }],
      rollout: rollout({ partSize: '9MiB' }),
    })
    expect(candidatesOf(await load({ env }))).toEqual([expect.objectContaining({ partSize: 9 * MiB }), undefined])
  })

  it('may be those of the run, which is worth a warning', async () => {
    const same = { to, engine: 'fast', routes: [{ match: '*', engine: 'fast' }], rollout: rollout({ engine: 'fast' }) }
    for (const config of [same, { ...same, rollout: rollout({}) }]) {
      const { load } = await withConfig(config)
      const settings = await load()
      expect(settings.warnings).toEqual(['rollout "r": the candidate changes nothing, so that both sides are the same'])
      expect(candidatesOf(settings)).toEqual([
        { ...settings, routes: [], rollout: undefined, warnings: [] },
        { ...settings, routes: [], rollout: undefined, warnings: [] },
      ])
      expect((await load({ env: { ASYNC_UPLOAD_ENABLED: '0' } })).warnings).toEqual([])
    }
  })

  it.each([
    ['file:./out/', { engine: 'standard', s3: { region: 'r' } }],
    ['supabase://b/', { s3: { region: 'r' } }],
  ])('at %s may change nothing that counts there: %j', async (place, candidate) => {
    const { load } = await withConfig({ to: place, rollout: rollout(candidate) })
    expect((await load({ env })).warnings).toEqual([expect.stringContaining('the candidate changes nothing')])
    const routed = await withConfig({ to, routes: [{ match: '*.mp4', to: place }], rollout: rollout(candidate) })
    const settings = await routed.load({ env })
    expect(settings.warnings).toEqual([])
    expect(candidatesOf(settings)).toEqual([expect.anything(), undefined])
  })
})

describe('a candidate at Supabase', () => {
  it('has its part sizes, and says what is passed over there alone', async () => {
    const { load } = await withConfig({
      to,
      partSize: '9MiB',
      storageClass: 'X',
      routes: [
        { match: '1', tag: { a: 'b' } },
        { match: '2', to: 's3://two/' },
      ],
      rollout: rollout({ to: 'supabase://b/' }),
    })
    const settings = await load({ env, flags: { region: 'eu' } })
    expect(candidatesOf(settings)).toMatchObject([
      { to: 'supabase://b/', partSize: 6 * MiB, properties: { storageClass: undefined } },
      { to: 'supabase://b/', partSize: 6 * MiB, properties: { storageClass: undefined, tags: undefined } },
      undefined,
    ])
    expect(settings).toMatchObject({ partSize: 9 * MiB, properties: { storageClass: 'X' }, warnings: [] })
    expect(settings.ignored).toEqual([
      expect.stringMatching(/storageClass is ignored: it has no effect for supabase.* \(rollout\.candidate\)$/),
      expect.stringMatching(/partSize is ignored: Supabase takes .* \(rollout\.candidate\)$/),
      expect.stringMatching(/routes\[0\]\.tag is ignored: .* \(rollout\.candidate, routes\[0\]\)$/),
      expect.stringMatching(/storageClass is ignored: .* \(rollout\.candidate, routes\[0\]\)$/),
      expect.stringMatching(/partSize is ignored: .* \(rollout\.candidate, routes\[0\]\)$/),
    ])
  })

  it('says nothing again that the run says already', async () => {
    const { load } = await withConfig({
      to: 'supabase://b/',
      partSize: '9MiB',
      routes: [
        { match: '1', to: 's3://one/' },
        { match: '2', to: 'supabase://two/' },
      ],
      rollout: rollout({ engine: 'standard' }),
    })
    expect((await load({ env })).ignored).toEqual([
      expect.stringMatching(
        /partSize is ignored: Supabase takes .* whole and larger ones in parts of exactly that size$/,
      ),
      expect.stringMatching(/partSize is ignored: .* \(routes\[1\]\)$/),
    ])
  })

  it.each([
    [{ to: 'supabase://b/', partSize: '7MiB' }, 'rollout.candidate.partSize: found "7MiB", but Supabase takes'],
    [{ to: 'supabase://b/', storageClass: 'X' }, 'rollout.candidate.storageClass: has no effect for supabase://'],
  ])('takes nothing that it cannot have: %j', async (candidate, said) => {
    const { faults } = await withConfig({ to, rollout: rollout(candidate) })
    expect(await faults({ env })).toEqual([expect.stringContaining(said)])
  })

  it('needs a project', async () => {
    const { faults } = await withConfig({ to, rollout: rollout({ to: 'supabase://b/' }) })
    expect(await faults()).toEqual([expect.stringMatching(/^rollout\.candidate\.to: supabase:\/\/ needs the project/)])
  })

  it('does not go without what guards the files, whoever asks for it', async () => {
    const said = 'has no effect for supabase:// destinations, where files would go without it'
    const { faults } = await withConfig({
      to,
      sse: 'AES256',
      rules: [{ match: '*', acl: 'private' }],
      rollout: rollout({ to: 'supabase://b/' }),
    })
    expect(await faults({ env })).toEqual([
      expect.stringContaining(`sse: ${said}`),
      expect.stringContaining(`rules[0].acl: ${said}`),
    ])
  })
})

describe("what is for the candidate's place alone", () => {
  it('is no fault of the run', async () => {
    const { load } = await withConfig({ to: 'supabase://b/', rollout: rollout({ to: 's3://new/' }) })
    const settings = await load({ env, flags: { region: 'eu', storageClass: 'X', partSize: '9MiB' } })
    expect(settings).toMatchObject({ partSize: 6 * MiB, properties: { storageClass: undefined } })
    expect(candidatesOf(settings)).toMatchObject([
      { partSize: 9 * MiB, s3: { region: 'eu' }, properties: { storageClass: 'X' } },
    ])
    expect(settings.ignored).toEqual([
      '--storage-class is ignored: it has no effect for supabase:// destinations',
      expect.stringMatching(/^--part-size is ignored: Supabase takes/),
    ])
  })

  it('may be for the files of some routes', async () => {
    const { load, faults } = await withConfig({
      to: 'file:./out/',
      routes: [{ match: '*.wav', to: 's3://waves/' }],
      rollout: rollout({ engine: 'standard', storageClass: 'X' }),
    })
    const settings = await load()
    expect(candidatesOf(settings).map((one) => one?.properties.storageClass)).toEqual([undefined, 'X'])
    expect(settings.ignored).toEqual([
      expect.stringMatching(
        /rollout\.candidate\.storageClass is ignored: .* file: destinations \(rollout\.candidate\)$/,
      ),
    ])
    expect(await faults({ flags: { retries: 'x' } })).toHaveLength(1)
  })

  it('is a fault where the candidate has no place that could have it', async () => {
    const { faults } = await withConfig({ to: 'file:./out/', rollout: rollout({ storageClass: 'X' }) })
    expect(await faults()).toEqual([
      'rollout.candidate.storageClass: has no effect for file: destinations; leave it out',
    ])
  })
})

describe('one URL in two places', () => {
  it.each<[object, string]>([
    [
      { to, s3: { endpointUrl: 'http://i' } },
      `rollout.candidate.to: s3://b/ is where the run itself sends files, ${why}`,
    ],
    [
      { s3: { endpointUrl: 'http://i' } },
      `rollout.candidate.s3.endpointUrl: s3://b/ is where the run itself sends files, ${why}`,
    ],
    [{ to: 's3://r/', s3: { profile: 'p' } }, `rollout.candidate.to: s3://r/ is where routes[0] sends files, ${why}`],
  ])('is refused: %j', async (candidate, said) => {
    const { faults } = await withConfig({
      to,
      routes: [{ match: '*.wav', to: 's3://r/' }],
      rollout: rollout(candidate),
    })
    expect(await faults()).toEqual([`${said}; give one another prefix`])
  })

  it('is not that of the same place, nor another prefix', async () => {
    for (const candidate of [
      { to, s3: { region: 'x' } },
      { to: 's3://b/x/', s3: { endpointUrl: 'http://i' } },
    ]) {
      const { load } = await withConfig({ to, rollout: rollout(candidate) })
      expect(candidatesOf(await load())).toHaveLength(1)
    }
  })
})

it('without a destination of the run, it is that which is asked for', async () => {
  const { faults } = await withConfig({ rollout: rollout({ to: 's3://new/' }) })
  expect(await faults()).toEqual([expect.stringMatching(/^no destination: give --to/)])
  const { faults: withEngine } = await withConfig({ rollout: rollout({ engine: 'standard' }) })
  expect(await withEngine()).toEqual([expect.stringMatching(/^no destination: give --to/)])
})
