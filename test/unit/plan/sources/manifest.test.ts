import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { UsageError } from '../../../../src/errors.ts'
import type { ListedLine } from '../../../../src/plan/sources/listed-lines.ts'
import { isManifest, readManifest } from '../../../../src/plan/sources/manifest.ts'
import type { ListedSource } from '../../../../src/plan/sources/sources.ts'
import { all, bytesInUse } from '../tree.ts'

interface Told {
  taken: number
}

async function* numbered(lines: Iterable<string>, told: Told = { taken: 0 }): AsyncGenerator<ListedLine> {
  for (const text of lines) {
    told.taken += 1
    if (text !== '') yield { text, number: told.taken }
  }
}

function read(lines: readonly string[], placesAbsolute = false, told?: Told): Promise<ListedSource[]> {
  return all(readManifest(numbered(lines, told), { file: 'l.jsonl', keepsMtime: false, placesAbsolute }))
}

/** What is said of a manifest that is refused, without where the list is named. */
async function faultsOf(...lines: readonly string[]): Promise<readonly string[]> {
  const error: unknown = await read(lines).then(
    () => undefined,
    (thrown) => thrown,
  )
  if (!(error instanceof UsageError)) expect.fail(`not refused: ${String(error)}`)
  for (const fault of error.faults) expect(fault).toMatch(/^--files-from: l\.jsonl/)
  return error.faults.map((fault) => fault.replace('--files-from: l.jsonl:', ''))
}

it.each([
  ['list.jsonl', true],
  ['x/List.JSONL', true],
  ['list.jsonl.txt', false],
  ['list.json', false],
  ['jsonl', false],
  ['-', false],
])('%s is one: %j', (file, is) => {
  expect(isManifest(file)).toBe(is)
})

describe('lines', () => {
  it.each<[string, ListedSource]>([
    ['{"path":"a.wav"}', { path: 'a.wav' }],
    [' { "path" : " a b.wav " } ', { path: ' a b.wav ' }],
    ['{"path":"-"}', { path: '-' }],
    ['{"path":"\\u8a9e/\\ud83d\\ude00.wav"}', { path: '語/😀.wav' }],
    ['{"path":"a","key":"x/{name}"}', { path: 'a', own: { key: 'x/{name}' } }],
    ['{"path":"a","key":""}', { path: 'a', own: { key: '' } }],
    ['{"path":"a","contentType":"audio/x-wav; a=b"}', { path: 'a', own: { contentType: 'audio/x-wav; a=b' } }],
    ['{"path":"a","metadata":{}}', { path: 'a', own: { properties: { metadata: {} } } }],
    [
      JSON.stringify({
        path: 'a',
        key: 'k',
        contentType: 'audio/wav',
        cacheControl: 'max-age=60',
        contentEncoding: 'gzip',
        contentDisposition: 'attachment',
        metadata: { take: '7', empty: '' },
        tags: { 'a b': 'ä' },
        storageClass: 'STANDARD_IA',
      }),
      {
        path: 'a',
        own: {
          key: 'k',
          contentType: 'audio/wav',
          properties: {
            cacheControl: 'max-age=60',
            contentEncoding: 'gzip',
            contentDisposition: 'attachment',
            metadata: { take: '7', empty: '' },
            tags: { 'a b': 'ä' },
            storageClass: 'STANDARD_IA',
          },
        },
      },
    ],
  ])('%s', async (line, expected) => {
    expect(await read([line])).toEqual([expected])
  })

  it('none, and empty ones', async () => {
    expect(await read([])).toEqual([])
    expect(await read(['', '{"path":"a"}', '', '{"path":"a"}', ''])).toEqual([{ path: 'a' }, { path: 'a' }])
  })

  it('an absolute path needs a key, or somebody who gives it one', async () => {
    const path = resolve('/x/a.wav')
    const line = JSON.stringify({ path })
    expect(await faultsOf(line)).toEqual([
      expect.stringMatching(/^1: path: .* is absolute and has no key; give it a "key", or all of them --base DIR/),
    ])
    expect(await read([line], true)).toEqual([{ path }])
    expect(await read([JSON.stringify({ path, key: 'a' })])).toEqual([{ path, own: { key: 'a' } }])
  })
})

describe('faults', () => {
  const form = 'a line is one JSON object such as {"path": "a.wav", "key": "b.wav"}'

  it.each<[string, string]>([
    ['{}', `1: path is missing; ${form}`],
    ['{"path":""}', '1: path: found "", expected the path of a file or directory'],
    ['{"path":7}', '1: path: found 7, expected the path of a file or directory'],
    ['{"path":"a\\u0000"}', '1: path: found "a\\u0000", expected whole characters: '],
    ['{"path":"\\ud800"}', '1: path: found "\\ud800", expected whole characters: '],
    ['{"path":"a","key":"\\ud800"}', '1: key: found "\\ud800", expected whole characters: '],
    ['{"path":null}', '1: path: found null, expected the path of a file or directory'],
    ['{"path":"a","key":7}', '1: key: found 7, expected a key: what follows the prefix, as it stands'],
    ['{"path":"a","key":null}', '1: key: found null, expected a key: what follows the prefix, as it stands'],
    ['{"path":"a","contentType":"wav"}', '1: contentType: found "wav", expected a media type such as audio/wav'],
    ['{"path":"a","storageClass":"ia"}', '1: storageClass: found "ia", expected a storage class such as STANDARD_IA'],
    ['{"path":"a","metadata":["x=y"]}', '1: metadata: found a list, expected an object such as {"name": "value"}'],
    ['{"path":"a","tags":"x=y"}', '1: tags: found "x=y", expected an object such as {"name": "value"}'],
    ['{"path":"a","metadata":{"x":7}}', '1: metadata.x: found 7, expected NAME=VALUE'],
    ['{"path":"a","metadata":{"x y":"7"}}', '1: metadata.x y: found "7", expected NAME=VALUE'],
    ['{"path":"a","metadata":{"x":"é"}}', '1: metadata.x: found "é", expected NAME=VALUE'],
    ['{"path":"a","tags":{"x":"!"}}', '1: tags.x: found "!", expected NAME=VALUE'],
    ['{"path":"a","Key":"x"}', '1: unknown key "Key"; a line may have path, key, contentType'],
    ['{"path":"a","acl":"private"}', '1: unknown key "acl"; a line may have path, key, contentType'],
    ['"a.wav"', `1: found "a.wav"; ${form}`],
    ['[{"path":"a.wav"}]', `1: found a list; ${form}`],
    ['null', `1: found null; ${form}`],
    ['a.wav', `1:1: expected a value; ${form}`],
    ['{"path":"a"', `1:12: expected "," or "}"; ${form}`],
    ['{"path":"a"} x', `1:14: expected the end of the line; ${form}`],
    ["{'path':'a'}", `1:2: expected a key in double quotes; ${form}`],
  ])('%s', async (line, said) => {
    const faults = await faultsOf(line)
    expect(faults).toHaveLength(1)
    expect(faults[0]).toContain(said)
  })

  it('eleven tags', async () => {
    const tags = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`t${index}`, 'x']))
    expect(await faultsOf(JSON.stringify({ path: 'a', tags }))).toEqual([
      '1: tags: found an object, expected 10 tags at most',
    ])
  })

  it('metadata that the time of each file is kept as', async () => {
    const line = '{"path":"a","metadata":{"MTime":"1"}}'
    expect(await read([line])).toHaveLength(1)
    const options = { file: 'l.jsonl', placesAbsolute: false, keepsMtime: true }
    await expect(all(readManifest(numbered([line]), options))).rejects.toThrow(
      'l.jsonl:1: metadata: mtime is what --preserve mtime keeps there; leave one of the two out',
    )
    const fine = numbered(['{"path":"a","metadata":{"take":"1"}}'])
    expect(await all(readManifest(fine, options))).toHaveLength(1)
  })

  it('all of a line, and of all lines, with their numbers', async () => {
    const faults = await faultsOf('{"path":"a"}', '', '{"path":"","size":7,"odd":1}', '{"path":"b"}', '{"path":7}')
    expect(faults.map((fault) => fault.replace(/[;,].*/, ''))).toEqual([
      '3: path: found ""',
      '3: unknown key "size"',
      '3: unknown key "odd"',
      '5: path: found 7',
    ])
  })

  it('ten are listed; then it is read no further', async () => {
    const told = { taken: 0 }
    const lines = Array.from({ length: 100 }, () => '{"path":"","odd":1}')
    const error = await read(lines, false, told).catch((thrown: UsageError) => thrown)
    expect(error).toBeInstanceOf(UsageError)
    const { faults } = error as UsageError
    expect(faults).toHaveLength(11)
    expect(faults.at(-1)).toBe('--files-from: l.jsonl: there may be more: it was read no further')
    expect(told.taken).toBe(5)
  })

  it('nothing is given behind the first', async () => {
    const given: string[] = []
    const reading = async () => {
      const lines = numbered(['{"path":"a"}', '7', '{"path":"b"}'])
      for await (const { path } of readManifest(lines, { file: 'l.jsonl', keepsMtime: false, placesAbsolute: false }))
        given.push(path)
    }
    await expect(reading()).rejects.toThrow('--files-from: l.jsonl:2: found 7')
    expect(given).toEqual(['a'])
  })

  it('quote no secrets and no control characters', async () => {
    const line = JSON.stringify({ path: 'x', key: 7, '\u001b[31m': 1, contentType: 'https://u:p4ss@host/' })
    const said = (await faultsOf(line)).join('\n')
    expect(said).not.toContain('p4ss')
    expect(said).not.toContain('\u001b')
  })
})

it('200,000 lines are not held', async () => {
  const many = function* () {
    for (let index = 0; index < 200_000; index += 1) {
      yield `{"path":"audio/take-${index}.wav","key":"k/${index}","metadata":{"take":"${index}"}}`
    }
  }
  const before = bytesInUse()
  let most = 0
  let given = 0
  for await (const _ of readManifest(numbered(many()), { file: 'l.jsonl', keepsMtime: false, placesAbsolute: false })) {
    given += 1
    if (given % 50_000 === 0) most = Math.max(most, bytesInUse() - before)
  }
  expect(given).toBe(200_000)
  expect(most).toBeLessThan(5 * 2 ** 20)
}, 30_000)
