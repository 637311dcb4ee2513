import { readFile } from 'node:fs/promises'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { beforeAll, describe, expect, it } from 'vitest'
import { configSchema } from '../../../../src/config/file/json-schema.ts'
import { optionKeys, options } from '../../../../src/config/options/options.ts'
import { defaultStages } from '../../../../src/rollout/stages.ts'
import { defaultTriggers } from '../../../../src/rollout/triggers.ts'
import { withConfig } from '../loading.ts'

interface Described {
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
}

const schema = configSchema()
const properties = schema.properties as Readonly<Record<string, Described>>
let allows: (json: unknown) => boolean

beforeAll(() => {
  const ajv = new Ajv2020({ strict: false })
  expect(ajv.validateSchema(schema)).toBe(true)
  const validate = ajv.compile(schema)
  allows = (json) => validate(json)
})

/** Whether the program takes a config that somebody named. */
async function isTaken(json: unknown): Promise<boolean> {
  const { file, load } = await withConfig(json)
  return load({ args: ['a', 's3://given/'], flags: { config: file } }).then(
    () => true,
    () => false,
  )
}

describe('the schema', () => {
  it('has every option that a config may hold, with its help', () => {
    for (const key of optionKeys) {
      const { inConfig, available, help } = options[key]
      if (inConfig === 'none' || !available) expect(properties, key).not.toHaveProperty(key)
      else expect(properties[key]?.description, key).toContain(help)
    }
    expect(properties.noVerifySsl?.description).toContain('--config')
    expect(Object.keys(properties)).toEqual(
      expect.arrayContaining(['$schema', 's3', 'supabase', 'rules', 'routes', 'presets', 'rollout']),
    )
  })

  it('has defaults as somebody would write them, and the words there are', () => {
    expect(properties.partSize?.default).toBe('8MiB')
    expect(properties.stallTimeout?.default).toBe('30s')
    expect(properties.concurrency?.default).toBe('auto')
    expect(properties.verify?.default).toBe(false)
    expect(properties.key).not.toHaveProperty('default')
    expect(properties.ifExists?.enum).toEqual(['overwrite', 'skip', 'fail', 'newer', 'changed'])
    for (const [key, { default: value }] of Object.entries(properties)) {
      if (value !== undefined) expect(allows({ [key]: value }), key).toBe(true)
    }
  })
})

it('has the defaults of a rollout as the program has them', async () => {
  interface Object {
    readonly properties: Readonly<Record<string, Described & { readonly items?: Object }>>
  }
  const defaultsOf = (object: Object): Readonly<Record<string, unknown>> =>
    Object.fromEntries(
      Object.entries(object.properties).flatMap(([key, { default: value }]) =>
        value === undefined ? [] : [[key, value]],
      ),
    )
  const rollout = properties.rollout as unknown as Object
  const candidate = { engine: 'standard' }
  const settingsWith = async (given: object) => {
    const { load } = await withConfig({ to: 's3://b/', rollout: { name: 'r', candidate, ...given } })
    const { rollout: settings } = await load()
    return { ...settings, candidates: undefined }
  }
  const usual = await settingsWith({})
  expect(usual).toMatchObject({ fallback: true, auto: false, stages: defaultStages, triggers: defaultTriggers })
  expect(await settingsWith(defaultsOf(rollout))).toEqual(usual)
  expect(await settingsWith({ triggers: defaultsOf(rollout.properties.triggers as unknown as Object) })).toEqual(usual)
  const stage = { ...defaultsOf(rollout.properties.stages?.items as Object), percentage: 5 }
  expect(await settingsWith({ stages: [stage] })).toEqual(await settingsWith({ stages: [{ percentage: 5 }] }))
  expect(allows({ rollout: { name: 'r', candidate, stages: rollout.properties.stages?.default } })).toBe(true)
})

it('takes the example as the program does', async () => {
  const example: unknown = JSON.parse(
    await readFile(new URL('../../../../.uploadrc.example.json', import.meta.url), 'utf8'),
  )
  expect([allows(example), await isTaken(example)]).toEqual([true, true])
})

describe('what both take', () => {
  it.each<[object]>([
    [{}],
    [{ $schema: './x.json' }],
    [{ to: 's3://b', concurrency: 8, partSize: '6MiB', retryDelay: 0, retryMaxTime: '1.5m' }],
    [{ to: 'supabase://b/p', supabase: { url: 'https://p.supabase.co' } }],
    [{ to: 'file:./out', concurrency: 'auto', partSize: 6_000_000, limitRate: '10 MB' }],
    [{ concurrency: '8', verify: 'true', quiet: '1', json: false }],
    [{ include: '*.wav', exclude: ['*.tmp'], report: ['a.jsonl', 'b.CSV'], excludeFrom: [] }],
    [{ metadata: { a: 'b' }, tag: ['c=d', 'e='], contentType: 'text/plain; charset=utf-8' }],
    [{ metadata: 'a=b', maxErrorRate: '2.5%', deadline: '06:00', timeout: 'auto', stallTimeout: '1m' }],
    [{ deadline: '2h', newerThan: '24h', olderThan: '0', key: '{dir}/{name}{ext}', runId: 'r' }],
    [{ allowExt: ['.wav', 'FLAC'], denyExt: 'exe', allowType: 'audio/*', maxSize: '500MB', maxFiles: 10 }],
    [{ s3: { endpointUrl: 'http://127.0.0.1:9000/a@b', region: 'eu-1', profile: 'p', pathStyle: 'on' } }],
    [{ noVerifySsl: true, preserve: 'mtime', sse: 'aws:kms', sseKmsKeyId: 'k' }],
    [{ rules: [] }],
    [{ rules: [{}, { match: '*', skip: true }, { match: ['a', '!b'], type: ['a/*'], minSize: 0, cacheControl: 'x' }] }],
    [
      {
        routes: [
          { match: '*', to: 's3://b/', s3: { region: 'eu' }, engine: 'standard' },
          { skip: true, maxSize: 1 },
        ],
      },
    ],
    [{ routes: [{ skip: false, to: 's3://b/', checksum: 'none', ifExists: 'newer', tag: { a: 'b' } }] }],
    [{ presets: { nightly: { to: 's3://b/', s3: { region: 'x' }, rules: [{ acl: 'private' }], routes: [{}] } } }],
    [{ rollout: { name: 'r', candidate: {} } }],
    [
      {
        rollout: {
          name: 'nightly import ü',
          candidate: { to: 's3://new/', s3: { region: 'eu' }, engine: 'standard', partSize: '6MiB', retries: 3 },
          fallback: false,
          auto: 'true',
          only: '*.wav',
          never: ['*.tmp', '!a.tmp'],
          state: '../rollout.json',
          stages: [
            { percentage: 0, duration: '2h' },
            { percentage: '0.5', minFiles: '10', minSuccess: '99.9%' },
          ],
          triggers: { window: 100, minFiles: 50, minFilesFailing: 10, maxErrors: '1%', maxLatency: '150.5%' },
        },
      },
    ],
  ])('%j', async (json) => {
    expect([allows(json), await isTaken(json)]).toEqual([true, true])
  })
})

describe('what both refuse', () => {
  it.each<[unknown]>([
    [[]],
    ['s3://b/'],
    [{ nonsense: 1 }],
    [{ config: 'x' }],
    [{ preset: 'x' }],
    [{ rollout: {} }],
    [{ rollout: [] }],
    [{ rollout: { name: 'r' } }],
    [{ rollout: { candidate: {} } }],
    [{ rollout: { name: '', candidate: {} } }],
    [{ rollout: { name: 'a\u0007b', candidate: {} } }],
    [{ rollout: { name: 'n'.repeat(101), candidate: {} } }],
    [{ rollout: { name: 'r', candidate: [] } }],
    [{ rollout: { name: 'r', candidate: { contentType: 'a/b' } } }],
    [{ rollout: { name: 'r', candidate: { supabase: {} } } }],
    [{ rollout: { name: 'r', candidate: { region: 'eu' } } }],
    [{ rollout: { name: 'r', candidate: { concurrency: 0 } } }],
    [{ rollout: { name: 'r', candidate: { limitRate: '1MB' } } }],
    [{ rollout: { name: 'r', candidate: {}, fallback: 'maybe' } }],
    [{ rollout: { name: 'r', candidate: {}, only: [] } }],
    [{ rollout: { name: 'r', candidate: {}, never: '!x' } }],
    [{ rollout: { name: 'r', candidate: {}, state: 'folder/' } }],
    [{ rollout: { name: 'r', candidate: {}, state: '~/state.json' } }],
    [{ rollout: { name: 'r', candidate: {}, stages: [] } }],
    [{ rollout: { name: 'r', candidate: {}, stages: [{ duration: '1h' }] } }],
    [{ rollout: { name: 'r', candidate: {}, stages: [{ percentage: 101 }] } }],
    [{ rollout: { name: 'r', candidate: {}, stages: [{ percentage: '1%' }] } }],
    [{ rollout: { name: 'r', candidate: {}, stages: [{ percentage: 1, minSuccess: 0.9 }] } }],
    [{ rollout: { name: 'r', candidate: {}, stages: [{ percentage: 1, duration: 24 }] } }],
    [{ rollout: { name: 'r', candidate: {}, triggers: [] } }],
    [{ rollout: { name: 'r', candidate: {}, triggers: { window: 0 } } }],
    [{ rollout: { name: 'r', candidate: {}, triggers: { maxLatency: 1.2 } } }],
    [{ rollout: { name: 'r', candidate: {}, triggers: { unknown: 1 } } }],
    [{ presets: { a: { rollout: { name: 'r', candidate: {} } } } }],
    [{ shard: '1/2' }],
    [{ $schema: 's', concurrency: 0 }],
    [{ concurrency: 1.5 }],
    [{ concurrency: 'many' }],
    [{ partSize: '6 potatoes' }],
    [{ partSize: 1 }],
    [{ retryDelay: 200 }],
    [{ retryDelay: '200' }],
    [{ verify: 'yes' }],
    [{ verify: 1 }],
    [{ to: 'nowhere' }],
    [{ to: 's3://' }],
    [{ to: 7 }],
    [{ include: 7 }],
    [{ include: [''] }],
    [{ report: ['r.doc'] }],
    [{ metadata: { a: 1 } }],
    [{ metadata: ['a'] }],
    [{ contentType: 'audio' }],
    [{ acl: 'mine' }],
    [{ engine: 'Fast' }],
    [{ deadline: 'soon' }],
    [{ maxErrorRate: '5' }],
    [{ newerThan: 'yesterday' }],
    [{ allowExt: ['tar.gz'] }],
    [{ allowType: ['audio'] }],
    [{ key: '' }],
    [{ s3: [] }],
    [{ s3: { endpoint: 'x' } }],
    [{ s3: { endpointUrl: 'https://h/?a=b' } }],
    [{ supabase: { key: 'x' } }],
    [{ rules: {} }],
    [{ rules: ['*'] }],
    [{ rules: [{ mtch: '*' }] }],
    [{ rules: [{ match: [] }] }],
    [{ rules: [{ match: '!*.wav' }] }],
    [{ routes: [{ match: ['!*.wav', '#x'] }] }],
    [{ rules: [{ type: [] }] }],
    [{ rules: [{ to: 's3://b/' }] }],
    [{ rules: [{ minSize: '1 bit' }] }],
    [{ rules: [{ skip: true, acl: 'private' }] }],
    [{ routes: [{ contentType: 'a/b' }] }],
    [{ routes: [{ supabase: {} }] }],
    [{ routes: [{ region: 'eu' }] }],
    [{ routes: [{ skip: true, to: 's3://b/' }] }],
    [{ routes: [{ s3: { secret: 'x' } }] }],
    [{ routes: [{ partSize: 1 }] }],
    [{ presets: [] }],
    [{ presets: { a: 1 } }],
    [{ presets: { a: { presets: {} } } }],
    [{ presets: { a: { rules: [{ x: 1 }] } } }],
    [{ presets: { a: { concurrency: 0 } } }],
  ])('%j', async (json) => {
    expect([allows(json), await isTaken(json)]).toEqual([false, false])
  })
})
