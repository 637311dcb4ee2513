import { describe, expect, it } from 'vitest'
import { withConfig } from '../loading.ts'

const to = 's3://b/'

it('are as they stand, in their order', async () => {
  const { load } = await withConfig({
    to,
    rules: [
      { match: '*.html', cacheControl: 'no-cache', metadata: { kind: 'page' } },
      { match: ['*.wav', '!raw/'], type: ['Audio/*', 'video/mp4'], minSize: '10MB', maxSize: 2e7, skip: true },
      { type: 'text/csv', contentType: 'text/csv; charset=utf-8', tag: ['a=b'], storageClass: 'STANDARD_IA' },
      {
        contentEncoding: 'gzip',
        contentDisposition: 'inline',
        acl: 'private',
        sse: 'aws:kms',
        sseKmsKeyId: 'key',
        skip: false,
      },
    ],
  })
  const nothing = { match: [], type: [], minSize: undefined, maxSize: undefined }
  expect((await load()).rules).toEqual([
    {
      name: 'rules[0]',
      when: { ...nothing, match: ['*.html'] },
      skip: false,
      contentType: undefined,
      properties: { cacheControl: 'no-cache', metadata: { kind: 'page' } },
    },
    {
      name: 'rules[1]',
      when: { match: ['*.wav', '!raw/'], type: ['audio/*', 'video/mp4'], minSize: 10_000_000, maxSize: 20_000_000 },
      skip: true,
      contentType: undefined,
      properties: {},
    },
    {
      name: 'rules[2]',
      when: { ...nothing, type: ['text/csv'] },
      skip: false,
      contentType: 'text/csv; charset=utf-8',
      properties: { tags: { a: 'b' }, storageClass: 'STANDARD_IA' },
    },
    {
      name: 'rules[3]',
      when: nothing,
      skip: false,
      contentType: undefined,
      properties: {
        contentEncoding: 'gzip',
        contentDisposition: 'inline',
        acl: 'private',
        sse: 'aws:kms',
        sseKmsKeyId: 'key',
      },
    },
  ])
})

it('say nothing of what the command line or the environment say, but more than the top level', async () => {
  const rule = { match: '*', contentType: 'a/rule', cacheControl: 'rule', metadata: { a: 'rule' }, acl: 'private' }
  const { load } = await withConfig({
    to,
    contentType: 'a/top',
    cacheControl: 'top',
    acl: 'public-read',
    rules: [rule],
  })
  const settings = await load({ flags: { contentType: 'a/flag' }, env: { UPLOAD_METADATA: 'a=env' } })
  expect(settings.rules).toMatchObject([
    { contentType: undefined, properties: { cacheControl: 'rule', acl: 'private' } },
  ])
  expect(settings.rules[0]?.properties.metadata).toBeUndefined()
  expect(settings).toMatchObject({
    contentType: 'a/flag',
    properties: { cacheControl: 'top', acl: 'public-read', metadata: { a: 'env' } },
  })
})

describe('faults', () => {
  const keys =
    'a rule may hold match, type, minSize, maxSize, skip, contentType, cacheControl, contentEncoding, contentDisposition, metadata, tag, storageClass, acl, sse, sseKmsKeyId'

  it.each<[unknown, string]>([
    [{}, 'rules: expected a list of objects: [{ "match": "*.html", "cacheControl": "no-cache" }]'],
    [['*.html'], `rules[0]: expected an object: ${keys}`],
    [[{ mtch: '*' }], 'rules[0].mtch: unknown key; did you mean match?'],
    [[{}, { cachecontrol: 'x' }], 'rules[1].cachecontrol: unknown key; did you mean cacheControl?'],
    [[{ toString: 1 }], `rules[0].toString: unknown key; ${keys}`],
    [[{ concurrency: 1 }], `rules[0].concurrency: holds for the whole run; ${keys}`],
    [[{ to: 's3://x/' }], `rules[0].to: belongs into "routes"; ${keys}`],
    [[{ s3: { region: 'x' } }], `rules[0].s3: belongs into "routes"; ${keys}`],
    [[{ match: '' }], 'rules[0].match: found "", expected a pattern'],
    [[{ match: [] }], 'rules[0].match: found a list, expected a pattern at least'],
    [[{ match: '!*.wav', skip: true }], 'rules[0].match: found "!*.wav", expected a pattern for files to match before'],
    [[{ match: ['!*.wav', '#x'] }], 'rules[0].match: found a list, expected a pattern for files to match before any'],
    [[{ match: ['*', 7] }], 'rules[0].match: found a list, expected a pattern in gitignore syntax, or a list of them'],
    [[{ type: [] }], 'rules[0].type: found a list, expected a media type at least'],
    [[{ type: 'audio' }], 'rules[0].type: found "audio", expected a media type such as audio/wav, or audio/*'],
    [[{ type: ['a/b', 'c'] }], 'rules[0].type: found "c", expected a media type'],
    [[{ minSize: '10 potatoes' }], 'rules[0].minSize: found "10 potatoes", expected a size from 0'],
    [[{ maxSize: -1 }], 'rules[0].maxSize: found -1, expected a size from 0'],
    [[{ minSize: 2, maxSize: 1 }], 'rules[0]: minSize is larger than maxSize'],
    [[{ skip: 'perhaps' }], 'rules[0].skip: found "perhaps", expected true or false'],
    [
      [{ match: '*', skip: true, acl: 'private', contentType: 'a/b' }],
      'rules[0]: files that are left out ("skip": true) have no use for acl, contentType; leave one or the other out',
    ],
    [[{ acl: 'mine' }], 'rules[0].acl: found "mine", expected private'],
    [[{ metadata: { 'a b': 'c' } }], 'rules[0].metadata: found "a b=c", expected NAME=VALUE'],
    [[{ password: 'hunter2' }], 'rules[0].password: a secret does not belong in a config file'],
    [[{ metadata: { token: 'hunter2' } }], 'rules[0].metadata.token: a secret does not belong in a config file'],
  ])('%j', async (rules, said) => {
    const { faults } = await withConfig({ to, rules })
    const found = await faults()
    expect(found).toEqual([expect.stringContaining(said)])
    expect(found[0]).not.toContain('hunter2')
  })

  it('are told all at once', async () => {
    const { faults } = await withConfig({ to, rules: [{ skpi: true }, { type: 'x', sse: 'y' }, 7] })
    expect(await faults()).toHaveLength(4)
  })
})
