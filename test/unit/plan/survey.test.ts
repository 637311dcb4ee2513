import { link, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { UploadError, UsageError } from '../../../src/errors.ts'
import { createKeyHashes } from '../../../src/plan/keys/key-hashes.ts'
import { createFileSpots } from '../../../src/plan/keys/spots.ts'
import type { PlannedFile } from '../../../src/plan/planned-file.ts'
import { windowSize } from '../../../src/plan/sources/walk.ts'
import { type SurveyOptions, survey } from '../../../src/plan/survey.ts'
import { bytesInUse, posix, tree } from './tree.ts'

type Given = Partial<PlannedFile> & Pick<PlannedFile, 'key'>

const unreadable = new UploadError('SOURCE_UNREADABLE', 'no')

function file(index: number, given: Given): PlannedFile {
  const path = given.path ?? `./${given.key}`
  return {
    index,
    path,
    absolute: `/nowhere/${path}`,
    source: given.key,
    size: 10,
    mtimeMs: 0,
    contentType: 'text/plain',
    properties: {},
    lane: 0,
    ...given,
  }
}

const missing = (path: string): Given => ({
  key: path,
  path,
  size: undefined,
  problem: new UploadError('SOURCE_NOT_FOUND', 'no such file'),
  missing: true,
})

/** Files to survey, and how often they were scanned. */
function scanning(files: Iterable<Given>, given: Partial<SurveyOptions> = {}) {
  const passes: boolean[] = []
  const scan = async function* (notes?: Parameters<SurveyOptions['scan']>[0]) {
    passes.push(notes !== undefined)
    notes?.junk()
    let index = 0
    for (const each of files) {
      index += 1
      yield file(index, each)
    }
  }
  const options = {
    scan,
    spots: createFileSpots([]),
    warn: () => {},
    keysDistinct: false,
    onlyUnicodeTwins: false,
    allowEmpty: false,
    ...given,
  }
  return { passes, options }
}

async function faultsOf(surveying: Promise<unknown>): Promise<readonly string[]> {
  const error = await surveying.then(
    () => new Error('nothing was refused'),
    (thrown: unknown) => thrown,
  )
  if (error instanceof UsageError) return error.faults
  throw error
}

const quietly = () => {}

describe('counts', () => {
  it('files, the bytes that are known, and junk', async () => {
    const { options, passes } = scanning([
      { key: 'a' },
      { key: 'b', size: 0 },
      { key: 'c', size: undefined },
      { key: 'd', size: undefined, problem: unreadable },
    ])
    const totals: number[][] = []
    const surveyed = await survey(options, (files, bytes) => totals.push([files, bytes]))
    expect(surveyed).toMatchObject({ files: 4, bytes: 10, junkSkipped: 1 })
    expect(surveyed.held?.map(({ key, index }) => [key, index])).toEqual([
      ['a', 1],
      ['b', 2],
      ['c', 3],
      ['d', 4],
    ])
    expect(totals).toEqual([
      [1, 10],
      [2, 10],
      [3, 10],
      [4, 10],
    ])
    expect(passes).toEqual([true])
  })

  it('ends where the listener of totals throws', async () => {
    const { options } = scanning(endless())
    const stop = (files: number) => {
      if (files === 3) throw new UploadError('CANCELLED', 'stopped')
    }
    await expect(survey(options, stop)).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  it.each([
    [windowSize - 1, true],
    [windowSize, true],
    [windowSize + 1, false],
    [windowSize * 2, false],
  ])('%i files are held: %s', async (count, isHeld) => {
    const { options, passes } = scanning(Array.from({ length: count }, (_, index) => ({ key: `f${index}` })))
    const { files, held } = await survey(options, quietly)
    expect([files, held?.length]).toEqual([count, isHeld ? count : undefined])
    expect(passes).toEqual([true])
  })
})

describe('nothing', () => {
  it.each<[string, Given[], string[]]>([
    [
      'no files',
      [],
      [
        'nothing to upload: no file matches the sources and filters (1 passed over as system files); --allow-empty makes that no error',
      ],
    ],
    ['one that is not there', [missing('a.wav')], ['a.wav: no such file']],
    ['several', [missing('a.wav'), missing('b.wav')], ['a.wav: no such file', 'b.wav: no such file']],
    [
      'more than anybody reads',
      Array.from({ length: 13 }, (_, index) => missing(`${index}`)),
      [...Array.from({ length: 10 }, (_, index) => `${index}: no such file`), '… and 3 more'],
    ],
  ])('%s', async (_, files, faults) => {
    expect(await faultsOf(survey(scanning(files).options, quietly))).toEqual(faults)
  })

  it('no files and no junk', async () => {
    const options = { ...scanning([]).options, scan: async function* () {} }
    expect(await faultsOf(survey(options, quietly))).toEqual([
      'nothing to upload: no file matches the sources and filters; --allow-empty makes that no error',
    ])
  })

  it.each<[string, Given[]]>([
    ['no files', []],
    ['one that is not there', [missing('a.wav')]],
  ])('--allow-empty: %s', async (_, files) => {
    const surveyed = await survey(scanning(files, { allowEmpty: true }).options, quietly)
    expect(surveyed).toMatchObject({ files: 0, bytes: 0, junkSkipped: 1, held: [] })
    expect(surveyed.repeats()(file(1, { key: 'a' }))).toBe(false)
  })

  it('one that is not there beside one that is: a failed file', async () => {
    expect(await survey(scanning([missing('a.wav'), { key: 'b' }]).options, quietly)).toMatchObject({ files: 2 })
  })

  it('a file with a problem is not nothing', async () => {
    expect(await survey(scanning([{ key: 'a', problem: unreadable }]).options, quietly)).toMatchObject({ files: 1 })
  })
})

describe('two files with one key', () => {
  const remedy = 'nothing was sent; give them different keys with --base DIR or --key TEMPLATE, or rename one'

  it('are named, with a remedy', async () => {
    const { options } = scanning([
      { key: 'a', path: 'x/a' },
      { key: 'b' },
      { key: 'a', path: 'y/a' },
      { key: 'a', path: 'z/a' },
    ])
    expect(await faultsOf(survey(options, quietly))).toEqual([
      'x/a and y/a would both become a',
      'x/a and z/a would both become a',
      remedy,
    ])
  })

  it('ten pairs are named and the others counted', async () => {
    const twice = Array.from({ length: 24 }, (_, index) => ({ key: `${index % 12}`, path: `${index}` }))
    const faults = await faultsOf(survey(scanning(twice).options, quietly))
    expect(faults).toHaveLength(12)
    expect(faults.slice(-3)).toEqual(['9 and 21 would both become 9', '… and 2 more', remedy])
  })

  it('far apart, beyond what is held: a second pass finds them, and says nothing twice', async () => {
    const files = Array.from({ length: windowSize + 5 }, (_, index) => ({ key: `f${index}` }))
    const { options, passes } = scanning([...files, { key: 'f3', path: 'other/f3' }])
    expect(await faultsOf(survey(options, quietly))).toEqual(['./f3 and other/f3 would both become f3', remedy])
    expect(passes).toEqual([true, false])
  })

  it.each<[string, Given[]]>([
    [
      'the one has a problem',
      [
        { key: 'a', path: 'x/a', problem: unreadable },
        { key: 'a', path: 'y/a' },
      ],
    ],
    [
      'the other has',
      [
        { key: 'a', path: 'x/a' },
        { key: 'a', path: 'y/a', problem: unreadable },
      ],
    ],
    [
      'both have',
      [
        { key: 'a', path: 'x/a', problem: unreadable },
        { key: 'a', path: 'x/a', problem: unreadable },
      ],
    ],
  ])('%s: only one is sent, so they do not collide, and both are reported', async (_, files) => {
    const surveyed = await survey(scanning(files).options, quietly)
    expect(surveyed.files).toBe(2)
    expect(surveyed.held?.filter(surveyed.repeats())).toEqual([])
  })

  it('are not looked for where keys are distinct', async () => {
    const { options } = scanning(
      [
        { key: 'a', path: 'x' },
        { key: 'a', path: 'y' },
      ],
      { keysDistinct: true },
    )
    expect(await survey(options, quietly)).toMatchObject({ files: 2 })
  })

  it.each(['caf\u00e9', 'K', ';', '`', 'a/K.wav', '\ud55c'])(
    'one directory: %j may have a twin that Unicode writes otherwise',
    async (key) => {
      const { options } = scanning(
        [
          { key, path: 'x' },
          { key, path: 'y' },
        ],
        { onlyUnicodeTwins: true },
      )
      expect(await faultsOf(survey(options, quietly))).toContain(`x and y would both become ${key}`)
    },
  )

  it('one directory: a key that was changed may have had a twin before', async () => {
    const { options } = scanning(
      [
        { key: 'caf=C3=A9', originalKey: 'caf\u00e9', path: 'x' },
        { key: 'caf=C3=A9', originalKey: 'caf\u00e9', path: 'y' },
      ],
      { onlyUnicodeTwins: true },
    )
    expect(await faultsOf(survey(options, quietly))).toContain('x and y would both become caf=C3=A9')
  })

  it.each(['a.wav', 'k', '\u007f', 'L^_'])('one directory: %j has none', async (key) => {
    const { options, passes } = scanning([{ key }, { key }], { onlyUnicodeTwins: true })
    const nothing = { ...createKeyHashes(), add: () => expect.fail('asked for') }
    expect(await survey(options, quietly, nothing)).toMatchObject({ files: 2 })
    expect(passes).toEqual([true])
  })

  it('every name that NFC makes ASCII is among those looked at', async () => {
    for (let code = 0x80; code < 0x11_0000; code += 1) {
      if (code >= 0xd800 && code < 0xe000) continue
      const key = String.fromCodePoint(code).normalize('NFC')
      if (/^[ -~]*$/.test(key)) expect(['K', ';', '`']).toContain(key)
    }
  })

  it('a hash that is the same for all is a suspicion, not a verdict', async () => {
    const files = Array.from({ length: 50 }, (_, index) => ({ key: `f${index}` }))
    const same = () => createKeyHashes(() => [1, 1])
    const surveyed = await survey(scanning(files).options, quietly, same())
    expect(surveyed.files).toBe(50)
    expect(surveyed.held?.filter(surveyed.repeats())).toEqual([])
    const colliding = scanning([...files, { key: 'f7', path: 'other' }]).options
    expect(await faultsOf(survey(colliding, quietly, same()))).toContain('./f7 and other would both become f7')
  })
})

describe('one file reached twice', () => {
  async function sent(files: readonly Given[]): Promise<{ files: number; bytes: number; sent: number[] }> {
    const { options } = scanning(files)
    const { files: count, bytes, held, repeats } = await survey(options, quietly)
    const isRepeat = repeats()
    return { files: count, bytes, sent: (held ?? []).filter((each) => !isRepeat(each)).map(({ index }) => index) }
  }

  it.each<[string, Given[], number[]]>([
    ['by the same path', [{ key: 'a' }, { key: 'a' }, { key: 'b' }, { key: 'a' }], [1, 3]],
    [
      'by two paths',
      [
        { key: 'a', path: 'a', absolute: '/a' },
        { key: 'a', path: './a', absolute: '/a' },
      ],
      [1],
    ],
    ['first by one that failed', [{ key: 'a', problem: unreadable }, { key: 'a' }, { key: 'a' }], [1, 2]],
    [
      'under two keys',
      [
        { key: 'a', absolute: '/x' },
        { key: 'b', absolute: '/x' },
      ],
      [1, 2],
    ],
    [
      'standard input',
      [
        { key: 'a', absolute: '-', path: '-', size: undefined },
        { key: 'a', absolute: '-', path: '-', size: undefined },
      ],
      [1],
    ],
  ])('%s', async (_, files, expected) => {
    const outcome = await sent(files)
    expect(outcome.sent).toEqual(expected)
    expect(outcome.files).toBe(expected.length)
    expect(outcome.bytes).toBe(files[0]?.size === undefined && files[0]?.absolute === '-' ? 0 : 10 * expected.length)
  })

  it('standard input is not the file "-" of the working directory', async () => {
    const dir = await tree('-')
    const before = process.cwd()
    process.chdir(dir)
    onTestFinished(() => process.chdir(before))
    const { options } = scanning([
      { key: 'a', absolute: '-', path: '-' },
      { key: 'a', absolute: join(dir, '-'), path: './-' },
    ])
    expect(await faultsOf(survey(options, quietly))).toContain('- and ./- would both become a')
  })

  it.runIf(posix)('by a link; a hard link is another file', async () => {
    const dir = await tree('a', 'sub/b')
    await symlink(join('..', 'a'), join(dir, 'sub', 'link'))
    await symlink('sub', join(dir, 'dir'))
    await link(join(dir, 'a'), join(dir, 'hard'))
    const at = (key: string, path: string): Given => ({ key, path, absolute: join(dir, path) })
    expect(await sent([at('k', 'a'), at('k', 'sub/link'), at('k', 'dir/link')])).toMatchObject({ sent: [1], files: 1 })
    const { options } = scanning([at('k', 'a'), at('k', 'hard')])
    expect(await faultsOf(survey(options, quietly))).toContain('a and hard would both become k')
    await rm(join(dir, 'a'))
    const gone = scanning([at('k', 'a'), at('k', 'sub/link')]).options
    expect(await faultsOf(survey(gone, quietly))).toContain('a and sub/link would both become k')
  })

  it('is sent once in each pass, also where files come or go between them', async () => {
    const files: Given[] = [{ key: 'a', absolute: '/a' }, { key: 'b' }, { key: 'a', absolute: '/a' }]
    const { repeats } = await survey(scanning(files).options, quietly)
    const passed = (...given: readonly Given[]) => {
      const isRepeat = repeats()
      return given.filter((each, index) => !isRepeat(file(index + 1, each))).map(({ key }) => key)
    }
    expect(passed(...files)).toEqual(['a', 'b'])
    expect(passed({ key: 'new' }, ...files)).toEqual(['new', 'a', 'b'])
    expect(passed(...files.slice(1))).toEqual(['b', 'a'])
    expect(passed(...files.slice(0, 2))).toEqual(['a', 'b'])
    expect(passed({ key: 'a', problem: unreadable }, ...files)).toEqual(['a', 'a', 'b'])
  })
})

describe('memory', () => {
  it('of 200,000 files stays flat', async () => {
    const files = 200_000
    const makeFiles = function* (): Generator<Given> {
      for (let index = 0; index < files; index += 1)
        yield { key: `recordings/2026/session-${index % 97}/take-${index}.wav` }
    }
    const before = bytesInUse()
    let most = 0
    const measure = (count: number) => {
      if (count % 20_000 === 0) most = Math.max(most, bytesInUse() - before)
    }
    const surveyed = await survey(scanning(makeFiles()).options, measure)
    expect(surveyed).toMatchObject({ files, held: undefined })
    // 16 bytes a key make 4 MB at this number; a Set of the keys would take 25.
    expect(most / 1e6).toBeLessThan(12)
  }, 30_000)
})

function* endless(): Generator<Given> {
  for (let index = 0; ; index += 1) yield { key: `f${index}` }
}
