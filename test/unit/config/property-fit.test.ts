import { describe, expect, it } from 'vitest'
import { fitToDestination, type Layers } from '../../../src/config/destination-fit.ts'
import type { GivenEntry } from '../../../src/config/file/config-entries.ts'
import type { GivenValue } from '../../../src/config/given.ts'
import { flagOf, variableOf } from '../../../src/config/options/option-spec.ts'
import type { OptionKey } from '../../../src/config/options/options.ts'
import { fitRules, type Place, unkeptAt } from '../../../src/config/property-fit.ts'
import { resolveOptions } from '../../../src/config/resolve.ts'

type Values = Partial<Record<OptionKey, unknown>>

const layer = (values: Values, from: (key: string) => string): GivenValue[] =>
  Object.entries(values).map(([key, value]) => ({ key: key as OptionKey, value, from: from(key) }))

/** What was given on the command line, in the environment and in the config. */
function fitted(line: Values, environment: Values = {}, config: Values = {}, others: readonly Place[] = []) {
  const layers: Layers = [layer(line, flagOf), layer(environment, variableOf), layer(config, (key) => `c: ${key}`)]
  return fitToDestination(resolveOptions(layers.flat()), layers, undefined, others)
}

const fits = { faults: [], ignored: [] }

const supabaseUrl = 'https://p.supabase.co'
const ofS3Alone = {
  contentEncoding: 'gzip',
  contentDisposition: 'attachment',
  tag: ['a=b'],
  storageClass: 'STANDARD_IA',
  acl: 'private',
  sse: 'aws:kms',
  sseKmsKeyId: 'k',
}
const everywhere = { cacheControl: 'no-cache', metadata: ['a=b'], preserve: 'mtime', contentType: 'a/b' }
const elsewhere = [
  [{ to: 'supabase://b/', supabaseUrl }, 'supabase:// destinations'],
  [{ to: 'file:./out/' }, 'file: destinations'],
  [{ to: 's3://b/', endpointUrl: 'https://p.supabase.co/storage/v1/s3' }, "Supabase's S3 endpoint"],
] as const

describe('properties', () => {
  it('of all kinds are kept by S3, wherever they were given', () => {
    const all = { ...ofS3Alone, ...everywhere }
    for (const endpoint of [{}, { endpointUrl: 'https://s3.example.test/storage' }]) {
      expect(fitted({ to: 's3://b/', ...endpoint, ...all })).toMatchObject(fits)
      expect(fitted({ to: 's3://b/', ...endpoint }, all)).toMatchObject(fits)
      expect(fitted({ to: 's3://b/', ...endpoint }, {}, all)).toMatchObject(fits)
    }
  })

  describe.each(elsewhere)('at %j', (to, where) => {
    it('that every destination deals with in its own way are no fault', () => {
      expect(fitted({ ...to, ...everywhere })).toMatchObject(fits)
    })

    it.each(Object.entries(ofS3Alone))(
      'that it cannot keep are a fault where they were given for it: %s',
      (key, value) => {
        const said = `has no effect for ${where}; leave it out`
        expect(fitted({ ...to, [key]: value })).toMatchObject({ faults: [`${flagOf(key)}: ${said}`], ignored: [] })
        expect(fitted({ ...to }, { [key]: value })).toMatchObject({
          faults: [`${variableOf(key)}: ${said}`],
          ignored: [],
        })
        expect(fitted({}, {}, { ...to, [key]: value })).toMatchObject({ faults: [`c: ${key}: ${said}`], ignored: [] })
      },
    )

    it('are passed over, and that is said, where they are a general wish that guards nothing', () => {
      const { contentEncoding, contentDisposition, tag, storageClass } = ofS3Alone
      const general = { contentEncoding, contentDisposition, tag, storageClass }
      expect(fitted({ ...to }, {}, general)).toMatchObject({
        faults: [],
        ignored: Object.keys(general).map((key) => `c: ${key} is ignored: it has no effect for ${where}`),
        // What a journal, and whoever continues by it, would otherwise take for given.
        values: { contentEncoding: undefined, contentDisposition: undefined, tag: undefined, storageClass: undefined },
      })
    })

    it('that guard what is sent are always a fault', () => {
      const { acl, sse, sseKmsKeyId } = ofS3Alone
      const said = `has no effect for ${where}, where files would go without it; leave it out, or give it in other routes alone`
      expect(fitted({ ...to }, {}, { acl, sse, sseKmsKeyId })).toMatchObject({
        faults: [`c: acl: ${said}`, `c: sse: ${said}`, `c: sseKmsKeyId: ${said}`],
        ignored: [],
      })
    })
  })
})

describe('properties that a destination of some routes keeps', () => {
  const { contentEncoding, contentDisposition, tag, storageClass } = ofS3Alone
  const general = { contentEncoding, contentDisposition, tag, storageClass }
  const s3 = [{ to: 's3://b/', endpointUrl: undefined }]

  it.each(elsewhere)('are passed over at %j, and that is said', (to, where) => {
    const said = (key: string) => `${flagOf(key)} is ignored: it has no effect for ${where}`
    expect(fitted({ ...to, ...general }, {}, {}, s3)).toMatchObject({
      faults: [],
      ignored: Object.keys(general).map(said),
      values: { storageClass: undefined },
    })
  })

  it.each(elsewhere)('are a fault all the same where they guard what is sent to %j', (to, where) => {
    const said = `has no effect for ${where}, where files would go without it; leave it out, or give it in other routes alone`
    expect(fitted({ ...to, sse: 'AES256' }, {}, {}, s3).faults).toEqual([`--sse: ${said}`])
  })

  it.each(elsewhere)('are a fault where the routes lead to no other kind than %j', (to, where) => {
    const others = [{ endpointUrl: undefined, ...to }]
    const faults = [`--storage-class: has no effect for ${where}; leave it out`]
    expect(fitted({ ...to, storageClass }, {}, {}, others).faults).toEqual(faults)
  })
})

describe('a key of KMS', () => {
  const to = 's3://b/'
  const sseKmsKeyId = 'k'
  const why = 'a key of KMS is used by sse aws:kms or aws:kms:dsse alone; give one of them too, or leave it out'

  it.each(['aws:kms', 'aws:kms:dsse'])('goes with %s', (sse) => {
    expect(fitted({ to, sse, sseKmsKeyId })).toMatchObject(fits)
    expect(fitted({ to, sseKmsKeyId }, {}, { sse })).toMatchObject(fits)
    expect(fitted({ to, sse }, {}, { sseKmsKeyId })).toMatchObject(fits)
  })

  it('is a fault with no encryption, or another that is no stronger a wish', () => {
    expect(fitted({ to, sseKmsKeyId })).toMatchObject({ faults: [`--sse-kms-key-id: ${why}`], ignored: [] })
    expect(fitted({ to, sseKmsKeyId, sse: 'AES256' }).faults).toEqual([`--sse-kms-key-id: ${why}`])
    expect(fitted({ to, sseKmsKeyId }, { sse: 'AES256' }).faults).toEqual([`--sse-kms-key-id: ${why}`])
  })

  it('is passed over where somebody chose another encryption over it', () => {
    expect(fitted({ to, sse: 'AES256' }, {}, { sse: 'aws:kms', sseKmsKeyId })).toMatchObject({
      faults: [],
      ignored: ['c: sseKmsKeyId is ignored: --sse is AES256'],
      values: { sse: 'AES256', sseKmsKeyId: undefined },
    })
  })

  it('says nothing more where it, or the encryption, was refused already', () => {
    expect(fitted({ to, sseKmsKeyId, sse: 'nonsense' })).toMatchObject(fits)
    expect(fitted({ to, sseKmsKeyId: '' })).toMatchObject(fits)
  })
})

it('a modification time is given once, by --preserve or as metadata', () => {
  const to = 's3://b/'
  const why = 'mtime is what --preserve mtime keeps there; leave one of the two out'
  expect(fitted({ to, preserve: 'mtime', metadata: ['Mtime=1'] })).toMatchObject({
    faults: [`--metadata: ${why}`],
    ignored: [],
  })
  expect(fitted({ to, preserve: 'mtime' }, {}, { metadata: { mtime: '1' } }).faults).toEqual([`c: metadata: ${why}`])
  expect(fitted({ to, metadata: ['mtime=1'] })).toMatchObject(fits)
  expect(fitted({ to, preserve: 'mtime', metadata: ['mtimes=1'] })).toMatchObject(fits)
})

describe('rules', () => {
  const rule = (given: Values): GivenEntry => ({
    name: 'rules[0]',
    when: { match: [], type: [], minSize: undefined, maxSize: undefined },
    skip: false,
    given: layer(given, (key) => `rules[0].${key}`),
  })
  const place = (values: Values) => resolveOptions(layer(values, flagOf)).values
  const s3 = place({ to: 's3://b/' })
  const supabase = place({ to: 'supabase://b/' })

  it('may say anything of files that go to S3, or nobody knows where', () => {
    for (const at of [s3, place({})]) {
      expect(fitRules([rule({ ...ofS3Alone, ...everywhere })], [at])).toEqual(fits)
    }
  })

  it('are passed over in part at other destinations, said once', () => {
    const { contentEncoding, tag } = ofS3Alone
    const rules = [rule({ contentEncoding, tag, cacheControl: 'no-cache' })]
    expect(fitRules(rules, [s3, supabase, supabase])).toEqual({
      faults: [],
      ignored: ['contentEncoding', 'tag'].map(
        (key) => `rules[0].${key} is ignored: it has no effect for supabase:// destinations`,
      ),
    })
  })

  it('never in what guards the files', () => {
    const { acl, sse, sseKmsKeyId } = ofS3Alone
    const { faults, ignored } = fitRules([rule({ acl, sse, sseKmsKeyId })], [s3, supabase])
    expect(faults.map((fault) => fault.split(':')[0])).toEqual(['rules[0].acl', 'rules[0].sse', 'rules[0].sseKmsKeyId'])
    expect(ignored).toEqual([])
  })

  it('name a key of KMS where that is used', () => {
    const { sseKmsKeyId } = ofS3Alone
    expect(fitRules([rule({ sseKmsKeyId })], [s3]).faults).toEqual([
      expect.stringMatching(/^rules\[0\].sseKmsKeyId: a key/),
    ])
    expect(fitRules([rule({ sseKmsKeyId })], [place({ to: 's3://b/', sse: 'aws:kms' })])).toEqual(fits)
    expect(
      fitRules([rule({ sseKmsKeyId, sse: 'AES256' })], [place({ to: 's3://b/', sse: 'aws:kms' })]).faults,
    ).toHaveLength(1)
  })

  it('give no modification time beside --preserve', () => {
    const metadata = { mtime: '1' }
    expect(fitRules([rule({ metadata })], [s3])).toEqual(fits)
    expect(fitRules([rule({ metadata })], [place({ to: 's3://b/', preserve: 'mtime' })]).faults).toEqual([
      expect.stringMatching(/^rules\[0\].metadata: mtime is what --preserve mtime keeps/),
    ])
  })
})

it.each([
  ['s3://b/', undefined, undefined],
  ['s3://b/', 'https://s3.example.com', undefined],
  ['s3://b/', 'https://p.supabase.co/storage/v1/s3', ['contentEncoding', 'contentDisposition', 'tags', 'storageClass']],
  ['supabase://b/', undefined, ['contentEncoding', 'contentDisposition', 'tags', 'storageClass']],
  [
    'file:./out/',
    undefined,
    ['contentEncoding', 'contentDisposition', 'tags', 'storageClass', 'cacheControl', 'metadata'],
  ],
])('what a manifest cannot give objects in %s (%s)', (to, endpointUrl, names) => {
  const unkept = unkeptAt({ to, endpointUrl })
  expect(unkept && [...unkept.names]).toEqual(names)
})
