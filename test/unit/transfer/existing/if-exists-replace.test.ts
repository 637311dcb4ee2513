import { createHash } from 'node:crypto'
import { stat, utimes, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { multipartEtagOf } from '../../../../src/destinations/etag.ts'
import type { FileRecord } from '../../../../src/observe/records.ts'
import type { PlannedFile } from '../../../../src/plan/planned-file.ts'
import type { FakeCall, Fate } from '../../../support/fake-destination.ts'
import { failure, MiB, planned, type Scene, sparseFile } from '../scene.ts'
import { fileOf, type Options, ours, send, theirs, whats } from './if-exists-scene.ts'

const size = 10
const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex')
const quoted = (etag: string): string => `"${etag}"`
const ourEtag = quoted(md5(ours(size).bytes))
const theirEtag = quoted(md5(theirs(size).bytes))
/** Nothing is kept of its bytes, so there is no checksum. */
const sizeOnly = { size, bytes: Buffer.of() }

/** Listed, each with a hundred others, or asked for one by one. */
const sights: readonly [name: string, options: Options][] = [
  ['asked for', {}],
  ['listed', { listsBy: 1000, scope: { files: 101, prefix: 'audio/' } }],
  ['asked for without a request', { headIsFree: true, listsBy: 1000, scope: { files: 101, prefix: 'audio/' } }],
]

const secondMs = 1_700_000_000_000

/** Modified so many milliseconds after a whole second. */
async function fileAt(ms: number): Promise<PlannedFile> {
  const file = await fileOf(size)
  await utimes(file.absolute, (secondMs + ms) / 1000, (secondMs + ms) / 1000)
  return { ...file, mtimeMs: (await stat(file.absolute)).mtimeMs }
}

type There = Parameters<Scene['destination']['place']>[1]

async function run(file: PlannedFile, mode: 'newer' | 'changed', there: There | undefined, options: Options = {}) {
  const scene = send(file, mode, options)
  if (there !== undefined) scene.destination.place(file.key, there)
  expect(await scene.done).toBeUndefined()
  expect(scene.records).toHaveLength(1)
  return scene
}

const at = (ms: number): Date => new Date(secondMs + ms)
const sent = { status: 'uploaded' } as const
const warnings = ({ events }: Scene): string[] =>
  events.flatMap((event) => (event.type === 'warning' ? [event.message] : []))

describe.each(sights)('newer: an object that is %s', (_name, options) => {
  it.each<[what: string, fileMs: number, there: There | undefined, expected: Partial<FileRecord>]>([
    ['there is none', 0, undefined, { status: 'uploaded', replaced: null }],
    ['of another size, later', 0, { ...theirs(3), lastModified: at(9000) }, { ...sent, replaced: { size: 3 } }],
    ['older', 2000, { ...theirs(size), lastModified: at(1000) }, { ...sent, replaced: { size } }],
    ['as old', 0, { ...theirs(size), lastModified: at(0) }, { status: 'skipped', reason: 'not-newer' }],
    ['as old, to the millisecond', 7, { ...theirs(size), lastModified: at(7) }, { reason: 'not-newer' }],
    ['later', 0, { ...theirs(size), lastModified: at(1000) }, { status: 'skipped', reason: 'not-newer' }],
    ['nobody knows how old', 0, theirs(size), sent],
    ['older by part of a second', 900, { ...theirs(size), lastModified: at(300) }, sent],
    ['of the same second, other bytes', 900, { ...theirs(size), etag: theirEtag, lastModified: at(0) }, sent],
    ['of the same second, of whose bytes nothing is known', 900, { ...sizeOnly, lastModified: at(0) }, sent],
    [
      'of the same second, the same bytes',
      900,
      { ...ours(size), etag: ourEtag, lastModified: at(0) },
      { status: 'skipped', reason: 'not-newer' },
    ],
  ])('%s', async (_what, fileMs, there, expected) => {
    const scene = await run(await fileAt(fileMs), 'newer', there, options)
    expect(scene.records).toMatchObject([expected])
    const first = options.listsBy === undefined || options.headIsFree ? 'head' : 'list-objects'
    expect(whats(scene)).toEqual(expected.reason === undefined ? [first, 'put'] : [first])
    if (expected.reason === undefined) expect(scene.destination.calls.at(-1)).toMatchObject({ ifAbsent: false })
    else expect(scene.records[0]).toMatchObject({ attempts: 0, bytesSent: 0, size })
    expect(warnings(scene)).toEqual([])
  })

  it('reads nothing of a file that is left', async () => {
    const file = await fileAt(0)
    const gone = { ...file, absolute: `${file.absolute}/nowhere` }
    const scene = await run(gone, 'newer', { ...theirs(size), lastModified: at(1000) }, options)
    expect(scene.records).toMatchObject([{ status: 'skipped', reason: 'not-newer' }])
  })
})

describe.each(sights)('changed: an object that is %s', (name, options) => {
  const isListed = name === 'listed'
  /** A listing tells no checksum, and a directory has to read for it: that is another question. */
  const asks = { '': ['head'], listed: ['list-objects', 'head'], 'asked for without a request': ['head', 'head'] }[
    name === 'asked for' ? '' : name
  ] as string[]
  const first = isListed ? 'list-objects' : 'head'

  it.each<[what: string, there: There | undefined, expected: Partial<FileRecord>, calls: readonly string[]]>([
    ['there is none', undefined, { status: 'uploaded', replaced: null }, [first, 'put']],
    ['of another size', theirs(3), { ...sent, replaced: { size: 3 } }, [first, 'put']],
    ['of the same checksum', ours(size), { status: 'skipped', reason: 'unchanged' }, asks],
    ['of another checksum', theirs(size), { ...sent, replaced: { size } }, [...asks, 'put']],
    ['of the same ETag alone', { ...sizeOnly, etag: ourEtag }, { status: 'skipped', reason: 'unchanged' }, [first]],
    ['of another ETag alone', { ...sizeOnly, etag: theirEtag }, sent, [...asks, 'put']],
    ['of the same checksum, its ETag no sum of it', { ...ours(size), etag: theirEtag }, { reason: 'unchanged' }, asks],
    ['of an ETag that says nothing, and the checksum', { ...ours(size), etag: '"v1"' }, { reason: 'unchanged' }, asks],
  ])('%s', async (_what, there, expected, calls) => {
    const scene = await run(await fileAt(0), 'changed', there, options)
    expect(scene.records).toMatchObject([expected])
    expect(whats(scene)).toEqual(calls)
    expect(warnings(scene)).toEqual([])
  })

  it('nothing of which can be compared: the file is sent, and that is said', async () => {
    const file = await fileAt(0)
    const scene = await run(file, 'changed', sizeOnly, options)
    expect(scene.records).toMatchObject([{ ...sent, replaced: { size } }])
    expect(warnings(scene)).toEqual([
      expect.stringMatching(/^--if-exists changed: a file was sent without knowing .* fake:\/\/bucket\/ has /),
    ])
    expect(scene.events.filter(({ type }) => type === 'notice')).toMatchObject([
      { message: expect.stringMatching(/^take-1\.wav is sent: fake:\/\/bucket\/ tells nothing /) },
    ])
  })

  it('is not compared where both are empty', async () => {
    const file = { ...(await sparseFile(0)), key: 'audio/empty' }
    const scene = await run(file, 'changed', { size: 0, bytes: Buffer.of(), etag: '"v1"' }, options)
    expect(scene.records).toMatchObject([{ status: 'skipped', reason: 'unchanged', size: 0 }])
    expect(whats(scene)).toEqual([first])
  })
})

describe('changed: an object made of parts', () => {
  const large = 20 * MiB
  const etagOf = (partSize: number): string => {
    const bytes = Buffer.alloc(large)
    const sums: string[] = []
    for (let start = 0; start < large; start += partSize) sums.push(md5(bytes.subarray(start, start + partSize)))
    return quoted(multipartEtagOf(sums))
  }

  it.each([
    ['this run’s', 7 * MiB, true],
    ['the AWS CLI’s', 8 * MiB, true],
    ['rclone’s', 5 * MiB, true],
    ['mc’s', 16 * MiB, true],
    ['nobody’s', 11 * MiB, false],
  ])('is the same where its parts are %s', async (_whose, partSize, isSame) => {
    const there = { size: large, bytes: Buffer.of(), etag: etagOf(partSize) }
    const settings = { partSize: 7 * MiB }
    const scene = await run(await sparseFile(large), 'changed', there, { settings })
    expect(scene.records).toMatchObject([isSame ? { reason: 'unchanged' } : sent])
    expect(warnings(scene)).toEqual([])
  })

  it('says nothing that could be compared where no known size makes so many', async () => {
    const there = { size: large, bytes: Buffer.of(), etag: quoted(`${md5(Buffer.of())}-17`) }
    const scene = await run(await sparseFile(large), 'changed', there)
    expect(scene.records).toMatchObject([sent])
    expect(warnings(scene)).toHaveLength(1)
  })
})

describe('a file that cannot be compared', () => {
  it('is sent where it changes meanwhile, as it is then', async () => {
    const file = await fileAt(0)
    const script = async ({ what }: FakeCall): Promise<Fate> => {
      if (what === 'head') await writeFile(file.absolute, Buffer.alloc(12, 7))
      return undefined
    }
    const scene = await run(file, 'newer', { ...theirs(size), etag: ourEtag, lastModified: at(-500) }, { script })
    expect(scene.records).toMatchObject([{ ...sent, size: 12 }])
  })

  it('fails where it is gone', async () => {
    const file = { ...(await fileAt(0)), absolute: '/nowhere/at/all' }
    const scene = await run(file, 'changed', { ...ours(size), etag: ourEtag })
    expect(scene.records).toMatchObject([{ status: 'failed', attempts: 0, error: { code: 'SOURCE_NOT_FOUND' } }])
  })

  it('is not known to anybody: standard input is sent, and that is said', async () => {
    const file = planned(1, { path: '-', absolute: '-', size: undefined, mtimeMs: undefined })
    for (const mode of ['newer', 'changed'] as const) {
      const scene = await run(file, mode, theirs(0))
      expect(scene.records).toMatchObject([{ ...sent, replaced: { size: 0 } }])
      expect(scene.events.filter(({ type }) => type === 'notice')).toMatchObject([
        { message: '- is sent: what standard input holds is known only by then' },
      ])
    }
  })
})

describe('the question before something is replaced', () => {
  it.each(['newer', 'changed'] as const)('cannot be left out where it is denied: %s', async (mode) => {
    const script = ({ what }: FakeCall): Fate => (what === 'head' ? failure('ACCESS_DENIED', 'no') : undefined)
    const scene = send(await fileOf(size), mode, { script, ifAbsent: 'atomic' })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'failed', error: { code: 'ACCESS_DENIED' } }])
    expect(whats(scene)).toEqual(['head'])
  })

  it('is not asked again in a later pass', async () => {
    const script = ({ what, attempt }: FakeCall): Fate =>
      what === 'put' && attempt < 4 ? failure('SERVER_ERROR', 'broken', { status: 500 }) : undefined
    const scene = await run(await fileAt(0), 'newer', { ...theirs(3), lastModified: at(0) }, { script })
    expect(whats(scene)).toEqual(['head', 'put', 'put', 'put', 'put'])
    expect(scene.records).toMatchObject([{ ...sent, replaced: { size: 3 } }])
  })

  it('notes what a file that is half there replaces, and goes on', async () => {
    const file = await sparseFile(17 * MiB)
    const lost = { uploadId: 'gone', partSize: 8 * MiB, size: 17 * MiB, mtime: undefined, parts: [] }
    const earlier = { find: async () => ({ key: file.key, unfinished: lost }) }
    const there = { ...theirs(17 * MiB), lastModified: new Date(Date.now() + 1e6) }
    const scene = await run(file, 'newer', there, { multipart: {}, earlier })
    expect(scene.records).toMatchObject([{ ...sent, replaced: { size: 17 * MiB } }])
    expect(whats(scene).slice(0, 2)).toEqual(['head', 'resume'])
  })
})
