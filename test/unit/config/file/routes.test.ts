import { describe, expect, it } from 'vitest'
import type { Settings } from '../../../../src/config/settings.ts'
import { withConfig } from '../loading.ts'

const to = 's3://b/'
const SUPABASE_URL = 'https://p.supabase.co'
const sixMiB = 6 * 2 ** 20

const settingsOf = ({ routes }: Settings): readonly Settings[] => routes.map((route) => route.settings)

describe('a route', () => {
  it('has all settings of the run, but for what it says itself', async () => {
    const { load } = await withConfig({
      to,
      concurrency: 5,
      cacheControl: 'top',
      rules: [{ match: '*', acl: 'private' }],
      routes: [
        {
          match: '*.mp4',
          type: 'video/*',
          minSize: 1,
          maxSize: '1GB',
          to: 's3://videos/x',
          engine: 'standard',
          s3: { endpointUrl: 'http://h', region: 'r', profile: 'p', pathStyle: 'on' },
          partSize: '32MiB',
          multipartThreshold: '64MiB',
          partConcurrency: 2,
          checksum: 'sha256',
          verify: true,
          ifExists: 'skip',
          cacheControl: 'route',
          contentEncoding: 'gzip',
          contentDisposition: 'inline',
          metadata: { a: 'b' },
          tag: { c: 'd' },
          storageClass: 'GLACIER_IR',
          acl: 'private',
          sse: 'aws:kms',
          sseKmsKeyId: 'key',
        },
        { type: 'text/plain', storageClass: 'STANDARD_IA' },
      ],
    })
    const { routes, ...run } = await load({ args: ['a', 'b'] })
    expect(routes).toEqual([
      {
        name: 'routes[0]',
        when: { match: ['*.mp4'], type: ['video/*'], minSize: 1, maxSize: 1e9 },
        skip: false,
        settings: {
          ...run,
          routes: [],
          to: 's3://videos/x/',
          engine: 'standard',
          s3: { endpointUrl: 'http://h', region: 'r', profile: 'p', pathStyle: 'on', signRequest: true },
          partSize: 32 * 2 ** 20,
          multipartThreshold: 64 * 2 ** 20,
          partConcurrency: 2,
          checksum: 'sha256',
          verify: true,
          ifExists: 'skip',
          properties: {
            cacheControl: 'route',
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
      },
      {
        name: 'routes[1]',
        when: { match: [], type: ['text/plain'], minSize: undefined, maxSize: undefined },
        skip: false,
        settings: { ...run, routes: [], properties: { cacheControl: 'top', storageClass: 'STANDARD_IA' } },
      },
    ])
    expect(run.rules).toHaveLength(1)
  })

  it('leaves files out, whatever the run does with others', async () => {
    const { load } = await withConfig({ to, routes: [{ match: '*.tmp', skip: true }] })
    const { routes, ...run } = await load()
    expect(routes).toMatchObject([{ name: 'routes[0]', when: { match: ['*.tmp'] }, skip: true }])
    expect(routes[0]?.settings).toEqual({ ...run, routes: [] })
  })

  it('yields to the command line and to the environment, and is stronger than the rest of the config', async () => {
    const { load } = await withConfig({
      to,
      verify: true,
      checksum: 'none',
      routes: [{ match: '*', engine: 'standard', ifExists: 'skip', checksum: 'sha256', cacheControl: 'route' }],
      presets: { p: { checksum: 'crc32', onChange: 'retry' } },
    })
    const settings = await load({
      flags: { engine: 'fast', preset: 'p' },
      env: { UPLOAD_IF_EXISTS: 'fail', UPLOAD_CACHE_CONTROL: 'env' },
    })
    expect(settingsOf(settings)).toMatchObject([
      {
        engine: 'fast',
        ifExists: 'fail',
        checksum: 'sha256',
        verify: true,
        onChange: 'retry',
        properties: { cacheControl: 'env' },
      },
    ])
  })
})

describe("a route's place", () => {
  it('is its own, whatever the command line and the environment say of the usual one', async () => {
    const s3 = { endpointUrl: 'http://route', region: 'route' }
    const { load } = await withConfig({
      to: 's3://top/',
      s3: { profile: 'top' },
      routes: [{ match: '*.wav', to: 's3://route/', s3 }, { match: '*.mp4', to: 's3://other/' }, { match: '*.csv' }],
    })
    const settings = await load({
      args: ['a', 's3://arg/'],
      flags: { region: 'flag' },
      env: { AWS_ENDPOINT_URL: 'http://env' },
    })
    expect(settings).toMatchObject({ to: 's3://arg/', s3: { endpointUrl: 'http://env', region: 'flag' } })
    expect(settingsOf(settings)).toMatchObject([
      { to: 's3://route/', s3: { endpointUrl: 'http://route', region: 'route', profile: 'top' } },
      { to: 's3://other/', s3: { endpointUrl: 'http://env', region: 'flag', profile: 'top' } },
      { to: 's3://arg/', s3: { endpointUrl: 'http://env', region: 'flag', profile: 'top' } },
    ])
  })

  it('is the usual one where the route is about all files and nobody names another', async () => {
    const s3 = { endpointUrl: 'http://route' }
    const { load } = await withConfig({
      routes: [
        { match: '*.wav', to: 's3://waves/' },
        { match: '*.mp4', engine: 'standard' },
        { skip: false },
        { to: 's3://rest/', s3, cacheControl: 'rest' },
      ],
    })
    const env = { AWS_ENDPOINT_URL: 'http://env' }
    const settings = await load({ env })
    expect(settings).toMatchObject({ to: 's3://rest/', s3: { endpointUrl: 'http://route' }, properties: {} })
    expect(settingsOf(settings)).toMatchObject([
      { to: 's3://waves/', s3: { endpointUrl: 'http://env' } },
      { to: 's3://rest/', s3: { endpointUrl: 'http://route' }, engine: 'standard' },
      { to: 's3://rest/', s3: { endpointUrl: 'http://route' } },
      { to: 's3://rest/', s3: { endpointUrl: 'http://route' }, properties: { cacheControl: 'rest' } },
    ])
    expect(await load({ env, flags: { to: 'file:./out' } })).toMatchObject({ to: 'file:./out/', s3: {} })
  })

  it.each([
    [{ match: '*', to }],
    [{ type: 'a/b', to }],
    [{ minSize: 1, to }],
    [{ maxSize: 1, to }],
    [{ engine: 'fast' }],
    [{ skip: true }],
  ])('is none for all files: %j', async (route) => {
    const { faults } = await withConfig({ routes: [route] })
    expect(await faults()).toEqual([
      'no destination for files that meet no route: give --to s3://bucket/prefix/, or set UPLOAD_TO, or "to" in .uploadrc.json, or end "routes" with one that has only "to"',
    ])
  })

  it('may be another prefix, or the same place again, but not another place of the same name', async () => {
    const routes = (...places: object[]) => places.map((place, at) => ({ match: `${at}`, ...place }))
    const here = { to, s3: { endpointUrl: 'http://h', region: 'x' } }
    const fine = routes(here, { ...here, engine: 'standard' }, { to: 's3://b/x/', s3: { endpointUrl: 'http://i' } })
    const { load } = await withConfig({ to: 's3://z/', routes: fine })
    expect((await load()).routes).toHaveLength(3)
    const odd = routes(here, { to, s3: { endpointUrl: 'http://i' } }, { to: 's3://z', s3: { profile: 'p' } }, here)
    const { faults } = await withConfig({ to: 's3://z/', routes: [...odd, { match: '*', s3: { profile: 'q' } }] })
    const why = 'but with another endpoint or profile, so that a report could not tell their objects apart'
    expect(await faults()).toEqual([
      `routes[1].to: s3://b/ is where routes[0] sends files, ${why}; give one another prefix`,
      `routes[2].to: s3://z/ is where the run itself sends files, ${why}; give one another prefix`,
      `routes[4].s3.profile: s3://z/ is where the run itself sends files, ${why}; give one another prefix`,
    ])
    const local = await withConfig({ to: 'file:./o/', routes: routes({ to: 'file:./o/', s3: { profile: 'p' } }) })
    expect((await local.load()).routes).toHaveLength(1)
  })
})

describe('a route to Supabase', () => {
  const routes = [{ match: '*.mp4', to: 'supabase://b/' }]

  it('has its part sizes, and says what it passes over', async () => {
    const { load } = await withConfig({ to, partSize: '9MiB', routes })
    const settings = await load({ env: { SUPABASE_URL }, flags: { multipartThreshold: '20MiB', region: 'eu' } })
    expect(settings).toMatchObject({ partSize: 9 * 2 ** 20, s3: { region: 'eu' } })
    expect(settingsOf(settings)).toMatchObject([
      { to: 'supabase://b/', supabase: { url: SUPABASE_URL }, partSize: sixMiB, multipartThreshold: sixMiB },
    ])
    expect(settings.ignored).toEqual([
      expect.stringMatching(/partSize is ignored: Supabase takes .* \(routes\[0\]\)$/),
      expect.stringMatching(/^--multipart-threshold is ignored: Supabase takes .* \(routes\[0\]\)$/),
    ])
  })

  it('takes no other part size of its own, nor does it go without a project', async () => {
    const { faults } = await withConfig({ to, routes: [{ ...routes[0], partSize: '7MiB' }] })
    expect(await faults()).toEqual([
      expect.stringMatching(/^routes\[0\]\.to: supabase:\/\/ needs the project/),
      expect.stringMatching(/^routes\[0\]\.partSize: found "7MiB", but Supabase takes/),
    ])
  })

  it('takes none either where the destination is the usual one', async () => {
    const { faults } = await withConfig({ to: 'supabase://b/', routes: [{ match: '*', partSize: '7MiB' }] })
    expect(await faults({ env: { SUPABASE_URL } })).toEqual([
      expect.stringMatching(/^routes\[0\]\.partSize: found "7MiB", but Supabase takes/),
    ])
  })
})

it('may be what a flag is given for', async () => {
  const { load } = await withConfig({ to, routes: [{ match: '*.mp4', to: 'supabase://b/' }] })
  const settings = await load({ flags: { supabaseUrl: SUPABASE_URL } })
  expect(settingsOf(settings)).toMatchObject([{ to: 'supabase://b/', supabase: { url: SUPABASE_URL } }])
  const { faults } = await withConfig({ to, routes: [{ match: '*.mp4', to: 's3://c/' }] })
  expect(await faults({ flags: { supabaseUrl: SUPABASE_URL } })).toEqual([
    '--supabase-url: has no effect for s3:// destinations; leave it out',
  ])
})

describe('what is given for the run', () => {
  it('may be meant for a route, where the usual destination has no use for it', async () => {
    const { load, file } = await withConfig({
      to: 'file:./out/',
      storageClass: 'STANDARD_IA',
      routes: [{ match: '*.wav', to: 's3://b/' }],
    })
    const settings = await load({ flags: { tag: ['a=b'], region: 'eu' } })
    expect(settings.ignored).toEqual([
      '--tag is ignored: it has no effect for file: destinations',
      `${file}: storageClass is ignored: it has no effect for file: destinations`,
    ])
    expect(settings.properties).toMatchObject({ tags: undefined, storageClass: undefined })
    expect(settingsOf(settings)).toMatchObject([
      { s3: { region: 'eu' }, properties: { tags: { a: 'b' }, storageClass: 'STANDARD_IA' } },
    ])
  })

  it('is not, where routes lead to no other kind of destination, or to another endpoint of that kind', async () => {
    const endpointUrl = `${SUPABASE_URL}/storage/v1/s3`
    const { load, faults } = await withConfig({
      to: 's3://b/',
      s3: { endpointUrl },
      routes: [
        { match: '*.wav', s3: { endpointUrl: 'http://other' }, to: 's3://c/' },
        { match: '*.mp4', to: 'file:.' },
      ],
    })
    expect((await load({ flags: { storageClass: 'X' } })).ignored).toHaveLength(2)
    expect(await faults({ flags: { storageClass: 'X', endpointUrl: 'http://own', to: 'ftp://x' } })).toHaveLength(1)
    const same = await withConfig({ to: 'file:.', routes: [{ match: '*.wav', to: 's3://b/', s3: { endpointUrl } }] })
    expect(await same.faults({ flags: { storageClass: 'X' } })).toEqual([
      '--storage-class: has no effect for file: destinations; leave it out',
    ])
  })

  it('may be part sizes that the usual destination does not take', async () => {
    const { load, file } = await withConfig({
      to: 'supabase://b/',
      partSize: '8MiB',
      routes: [{ match: '*.wav', to: 's3://b/' }],
    })
    const settings = await load({ env: { SUPABASE_URL } })
    expect(settings.ignored).toEqual([expect.stringContaining(`${file}: partSize is ignored: Supabase takes files`)])
    expect([settings, ...settingsOf(settings)].map(({ partSize }) => partSize)).toEqual([6 * 2 ** 20, 8 * 2 ** 20])
  })
})

describe('faults', () => {
  const keys =
    'a route may hold match, type, minSize, maxSize, skip, to, engine, partSize, multipartThreshold, partConcurrency, checksum, verify, ifExists, cacheControl, contentEncoding, contentDisposition, metadata, tag, storageClass, acl, sse, sseKmsKeyId, s3'

  it.each<[unknown, string]>([
    ['*.wav', 'routes: expected a list of objects: [{ "match": "*.wav", "to": "s3://bucket/prefix/" }]'],
    [[null], `routes[0]: expected an object: ${keys}`],
    [[{ concurrency: 8 }], `routes[0].concurrency: holds for the whole run; ${keys}`],
    [[{ contentType: 'a/b' }], 'routes[0].contentType: the condition is "type"; what content type a file gets is'],
    [[{ region: 'x' }], 'routes[0].region: belongs under s3: "s3": { "region": … }'],
    [
      [{ supabase: { url: SUPABASE_URL } }],
      'routes[0].supabase: a run goes to one Supabase project; name it at the top',
    ],
    [[{ supabaseUrl: SUPABASE_URL }], 'routes[0].supabaseUrl: a run goes to one Supabase project'],
    [[{ too: 's3://x/' }], 'routes[0].too: unknown key; did you mean to?'],
    [[{ nonsense: 1 }], `routes[0].nonsense: unknown key; ${keys}`],
    [[{ s3: 'eu' }], 'routes[0].s3: expected an object with endpointUrl, region, profile, pathStyle'],
    [[{ s3: { endpoint: 'x' } }], 'routes[0].s3.endpoint: unknown key; did you mean s3.endpointUrl?'],
    [[{}, { s3: { secretAccessKey: 'hunter2' } }], 'routes[1].s3.secretAccessKey: a secret does not belong'],
    [[{ to: 's3://' }], 'routes[0].to: found "s3://", but the bucket is missing'],
    [[{ to: 's3://u:hunter2@b/' }], 'routes[0].to: a secret does not belong in a config file'],
    [[{}, { minSize: 'x' }], 'routes[1].minSize: found "x", expected a size'],
    [[{ partSize: 1 }], 'routes[0].partSize: found 1, expected a size from 5MiB'],
    [[{ skip: true, to: 's3://x/' }], 'routes[0]: files that are left out ("skip": true) have no use for to; leave'],
    [[{ ifExists: 'never' }], 'routes[0].ifExists: found "never", expected overwrite, skip, fail, newer or changed'],
  ])('%j', async (routes, said) => {
    const { faults } = await withConfig({ to, routes })
    const found = await faults()
    expect(found).toEqual([expect.stringContaining(said)])
    expect(found[0]).not.toContain('hunter2')
  })

  it('are told together with all others, and once', async () => {
    const { faults } = await withConfig({ to, retries: -1, routes: [{ minsize: 1 }, { engine: 'x' }] })
    expect(await faults({ flags: { concurrency: '0' } })).toEqual([
      expect.stringMatching(/^--concurrency: found "0"/),
      expect.stringMatching(/^retries: found -1/),
      'routes[0].minsize: unknown key; did you mean minSize?',
      expect.stringMatching(/^routes\[1\]\.engine: found "x"/),
    ])
  })
})
