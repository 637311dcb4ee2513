import { readFile } from 'node:fs/promises'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { beforeAll, describe, expect, it } from 'vitest'
import { configSchema } from '../../../../src/config/file/json-schema.ts'
import { optionKeys, options } from '../../../../src/config/options/options.ts'
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
      expect.arrayContaining(['$schema', 's3', 'supabase', 'rules', 'routes', 'presets']),
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
