import { mkdir, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, it, vi } from 'vitest'
import { UsageError } from '../../../src/errors.ts'
import { keyProblem } from '../../../src/plan/keys/object-key.ts'
import { createPlan, type PlanOptions } from '../../../src/plan/plan.ts'
import type { PlanLane } from '../../../src/plan/plan-file.ts'
import type { PlannedFile } from '../../../src/plan/planned-file.ts'
import { windowSize } from '../../../src/plan/sources/walk.ts'
import { randomFrom } from '../../support/random.ts'
import { defaultSettings } from '../../support/settings.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { all, posix, tree } from './tree.ts'

type Given = Partial<PlanOptions['settings']> &
  Partial<Omit<PlanOptions, 'settings' | 'lanes'>> &
  Partial<Omit<PlanLane, 'keyProblem'>> & { readonly destinationKeyProblem?: PlanLane['keyProblem'] }

async function make(
  cwd: string,
  { prefix = '', destinationKeyProblem, fixName, stdin, warn, say, isOwn, ...settings }: Given,
) {
  return createPlan({
    settings: { ...defaultSettings, sources: [], ...settings },
    lanes: [{ place: 'here', prefix, keyProblem: destinationKeyProblem ?? (() => undefined), fixName }],
    cwd,
    nowMs: Date.UTC(2026, 10, 22),
    runId: 'this-run',
    stdin: stdin ?? (() => expect.fail('standard input was opened')),
    warn: warn ?? (() => {}),
    say: say ?? (() => {}),
    isOwn: isOwn ?? (() => false),
  })
}

/** The files of a whole run: survey first. */
async function planned(cwd: string, given: Given): Promise<PlannedFile[]> {
  const plan = await make(cwd, given)
  try {
    await plan.survey(() => {})
    return await all(plan.files())
  } finally {
    await plan.dispose()
  }
}

/** Keys in scan order; of a file that fails, `CODE path`. */
async function keys(cwd: string, given: Given): Promise<string[]> {
  return (await planned(cwd, given)).map(({ problem, path, key }) => (problem ? `${problem.code} ${path}` : key))
}

const audio = ['audio/2026/a.wav', 'audio/2026/b.tar.gz', 'audio/Makefile', 'audio/.env', 'video/c.mp4']

describe('keys', () => {
  it.each<[string, Given, string[]]>([
    ['a file', { sources: ['audio/2026/a.wav'] }, ['a.wav']],
    ['a directory', { sources: ['audio'] }, ['.env', '2026/a.wav', '2026/b.tar.gz', 'Makefile']],
    ['a glob', { sources: ['audio/**/*.wav'] }, ['2026/a.wav']],
    ['an early wildcard', { sources: ['a*/2026/*.wav'] }, ['audio/2026/a.wav']],
    ['a prefix', { sources: ['audio/2026'], prefix: 'x/y/' }, ['x/y/a.wav', 'x/y/b.tar.gz']],
    ['--base .', { sources: ['audio/2026/a.wav'], base: '.' }, ['audio/2026/a.wav']],
    ['--base', { sources: ['audio/2026', 'audio/.env'], base: 'audio' }, ['2026/a.wav', '2026/b.tar.gz', '.env']],
    ['outside --base', { sources: ['audio/.env', 'video'], base: 'video' }, ['KEY_INVALID audio/.env', 'c.mp4']],
    ['--flatten', { sources: ['audio', 'video'], flatten: true }, ['.env', 'a.wav', 'b.tar.gz', 'Makefile', 'c.mp4']],
    ['--flatten --base', { sources: ['audio/.env', 'video'], flatten: true, base: 'audio' }, ['.env', 'c.mp4']],
    [
      '{path}',
      { sources: ['audio/2026'], base: '.', key: 'x/{path}' },
      ['x/audio/2026/a.wav', 'x/audio/2026/b.tar.gz'],
    ],
    ['{dir}', { sources: ['audio'], key: '{dir}/{name}{ext}' }, ['.env', '2026/a.wav', '2026/b.tar.gz', 'Makefile']],
    ['{dir}, empty', { sources: ['audio'], key: '{dir}+{index}' }, ['+1', '2026+2', '2026+3', '+4']],
    [
      '{dir} --flatten',
      { sources: ['audio/2026'], base: '.', flatten: true, key: '{dir}/{path}' },
      ['a.wav', 'b.tar.gz'],
    ],
    [
      '{name} and {ext}',
      { sources: ['audio'], key: '{index}-{name}[{ext}]' },
      [...['1-.env[]', '2-a[.wav]', '3-b.tar[.gz]', '4-Makefile[]']],
    ],
    [
      '{index}',
      { sources: ['video', 'audio/2026'], key: '{index}{ext}', prefix: 'p/' },
      ['p/1.mp4', 'p/2.wav', 'p/3.gz'],
    ],
    ['fixed', { sources: ['audio/2026/a.wav'], key: 'fixed.wav' }, ['fixed.wav']],
    ['a template that makes no key', { sources: ['audio/Makefile'], key: '{ext}' }, ['KEY_INVALID audio/Makefile']],
    ['a template that climbs', { sources: ['audio/Makefile'], key: '../{name}' }, ['KEY_INVALID audio/Makefile']],
    [
      'a template with an empty segment',
      { sources: ['audio/Makefile'], key: '{name}//x' },
      ['KEY_INVALID audio/Makefile'],
    ],
    ['one that is not there', { sources: ['video', 'gone.wav'] }, ['c.mp4', 'SOURCE_NOT_FOUND gone.wav']],
  ])('%s', async (_, given, expected) => {
    expect(await keys(await tree(...audio), given)).toEqual(expected)
  })

  it('a file in full', async () => {
    const dir = await tree('audio/2026/a.wav=12345')
    const [file] = await planned(dir, { sources: ['./audio'], prefix: 'x/' })
    expect(file).toEqual({
      index: 1,
      path: './audio/2026/a.wav',
      absolute: join(dir, 'audio', '2026', 'a.wav'),
      source: '2026/a.wav',
      key: 'x/2026/a.wav',
      size: 5,
      mtimeMs: expect.any(Number),
      contentType: 'audio/wav',
      properties: {},
      lane: 0,
      problem: undefined,
    })
  })

  it('a template changes the key alone: source name and type stay', async () => {
    const [file] = await planned(await tree('audio/a.wav'), { sources: ['audio'], key: 'x-{index}', flatten: true })
    expect(file).toMatchObject({ source: 'a.wav', key: 'x-1', contentType: 'audio/wav' })
  })

  it('every file has the type that was asked for', async () => {
    const files = await planned(await tree('a.wav', 'b.txt'), { sources: ['.'], contentType: 'application/x-take' })
    expect(files.map(({ contentType }) => contentType)).toEqual(['application/x-take', 'application/x-take'])
  })

  it('standard input is typed by its key', async () => {
    const [file] = await planned(await tree(), { sources: ['-'], key: 'notes/x.txt', prefix: 'p/' })
    expect(file).toMatchObject({
      path: '-',
      key: 'p/notes/x.txt',
      source: 'stdin',
      contentType: 'text/plain; charset=utf-8',
    })
    expect(file?.size).toBeUndefined()
    expect(file?.problem).toBeUndefined()
  })

  it("the destination's own rule holds for the full key", async () => {
    const seen: string[] = []
    const destinationKeyProblem = (key: string) => {
      seen.push(key)
      return key.includes('#') ? 'it has no "#"' : undefined
    }
    const files = await planned(await tree('a#1', 'b'), { sources: ['.'], prefix: 'p/', destinationKeyProblem })
    expect(files.map(({ problem }) => problem?.message)).toEqual(['it has no "#"', undefined])
    expect(files[0]?.problem?.code).toBe('KEY_INVALID')
    expect(seen).toEqual(['p/a#1', 'p/b'])
  })

  it.each([
    [{ excludeFrom: ['gone'] }, '--exclude-from: cannot read gone'],
    [{ filesFrom: 'gone' }, '--files-from: gone cannot be read'],
  ])('%j is refused at once', async (given, said) => {
    const making = make(await tree('a'), { sources: ['a'], ...given })
    await expect(making).rejects.toThrow(UsageError)
    await expect(making).rejects.toThrow(said)
  })
})

describe('keys that are changed', () => {
  /** As a destination has it that takes no `#`, and none beyond ASCII. */
  const fixName = (name: string): string =>
    name.replace(/[^ -~]|[#=]/gu, (odd) => `=${odd.codePointAt(0)?.toString(16)}`)
  const given = { sources: ['.'], prefix: 'p/', fixName }

  it('say what they would have been, and only they', async () => {
    const files = await planned(await tree('a#1', 'b'), given)
    expect(files.map(({ key, originalKey }) => [key, originalKey])).toEqual([
      ['p/a=231', 'p/a#1'],
      ['p/b', undefined],
    ])
  })

  it('are those of --flatten and --key, without the prefix', async () => {
    const dir = await tree('x/a#1.wav')
    expect(await keys(dir, { ...given, flatten: true })).toEqual(['p/a=231.wav'])
    expect(await keys(dir, { ...given, key: '#{name}{ext}' })).toEqual(['p/=23a=231.wav'])
    expect(await keys(dir, { ...given, prefix: 'p#/' })).toEqual(['p#/x/a=231.wav'])
  })

  it('have to be keys before and after', async () => {
    const dir = await tree('a#1')
    const destinationKeyProblem = (key: string) => (/[#2]/.test(key) ? 'it has a "#" or "2"' : undefined)
    expect(await keys(dir, { ...given, key: '../{path}' })).toEqual(['KEY_INVALID ./a#1'])
    expect(await keys(dir, { ...given, destinationKeyProblem })).toEqual(['KEY_INVALID ./a#1'])
    expect(await keys(dir, { ...given, fixName: () => 'a1', destinationKeyProblem })).toEqual(['p/a1'])
  })

  it('are told: some of them always, each of them with -v', async () => {
    const [warned, said] = [vi.fn(), vi.fn()]
    const dir = await tree('#1', '#2', '#3', '#4', '#5', 'plain')
    const plan = await make(dir, { ...given, warn: warned, say: said })
    await plan.survey(() => {})
    await all(plan.files())
    expect(warned.mock.calls).toEqual([
      ['--key-fix: 5 keys were changed: #1 → =231, #2 → =232, #3 → =233 and 2 more (each with -v)'],
    ])
    expect(said.mock.calls.flat()).toEqual([1, 2, 3, 4, 5].map((digit) => `--key-fix: #${digit} → =23${digit}`))
  })

  it('are told of as one, and not where the file fails anyway', async () => {
    const warn = vi.fn()
    const one = await make(await tree('#1', 'b'), { ...given, sources: ['.', 'gone#'], warn })
    await one.survey(() => {})
    expect(warn.mock.calls).toEqual([['--key-fix: 1 key was changed: #1 → =231']])
    const none = await make(await tree('b'), { ...given, warn: () => expect.fail('nothing was changed') })
    await none.survey(() => {})
  })

  it.runIf(posix)('never hide two spellings of one name', async () => {
    const dir = await tree('caf\u00e9', 'cafe\u0301')
    if ((await readdir(dir)).length === 1) {
      console.log('Not tried: this file system takes both forms of a name for one file.')
      return
    }
    await expect(planned(dir, given)).rejects.toThrow(
      'would both become p/caf=e9 (the same letters, in two Unicode forms)',
    )
  })

  it('are as many as there were names', async () => {
    const random = randomFrom(6)
    const letters = ['a', '=', '#', '2', '3', 'C', 'A', '9', '~', '%', ' ', '\u00e9', '\u{1f3b5}', '=23', '=C3']
    const names = new Set<string>()
    while (names.size < 400) {
      const length = 1 + random.below(4)
      names.add(
        Array.from({ length }, () => random.oneOf(letters))
          .join('')
          .trim(),
      )
      names.delete('')
    }
    const dir = await tempDir()
    for (const name of names) await writeFile(join(dir, name), '')
    const { supabaseKeyProblem, fixName } = await import('../../../src/destinations/supabase/names.ts')
    const files = await planned(dir, { ...given, fixName, destinationKeyProblem: supabaseKeyProblem })
    expect(files.map(({ source }) => source).toSorted()).toEqual([...names].toSorted())
    expect(files.filter(({ problem }) => problem !== undefined)).toEqual([])
    expect(new Set(files.map(({ key }) => key)).size).toBe(names.size)
    expect(files.filter(({ originalKey }) => originalKey !== undefined).length).toBeGreaterThan(200)
  })
})

describe.runIf(posix)('names', () => {
  it('decomposed names are stored composed', async () => {
    const dir = await tree('o\u0308/cafe\u0301.txt')
    const [file] = await planned(dir, { sources: ['.'] })
    expect(file).toMatchObject({ source: '\u00f6/caf\u00e9.txt', key: '\u00f6/caf\u00e9.txt', size: 14 })
    expect(file?.path.normalize('NFC')).toBe('./\u00f6/caf\u00e9.txt')
  })

  it.each(['.', './*', 'K.txt'])('twins in one directory, by %s', async (source) => {
    const dir = await tree('K.txt', '\u212a.txt')
    if ((await readdir(dir)).length === 1) {
      console.log('Not tried: this file system takes both forms of a name for one file.')
      return
    }
    if (source === 'K.txt') return expect(await keys(dir, { sources: [source] })).toEqual(['K.txt'])
    await expect(keys(dir, { sources: [source] })).rejects.toThrow(/K\.txt and .*\.txt would both become K\.txt/)
  })

  it('backslashes stay; what no key can hold fails', async () => {
    const bell = 'bell\u0007.txt'
    const line = 'two\nlines.txt'
    const dir = await tree('a\\b.txt', '..\\c', bell, line, '...', 'del\u007f', 'c1\u0085', ' ')
    expect((await keys(dir, { sources: ['.'] })).toSorted()).toEqual(
      [' ', '...', '..\\c', 'a\\b.txt', `KEY_INVALID ./${bell}`, `KEY_INVALID ./${line}`]
        .concat('KEY_INVALID ./c1\u0085', 'KEY_INVALID ./del\u007f')
        .toSorted(),
    )
  })

  it('linked directories are no files and take no number', async () => {
    const dir = await tree('a', 'c', 'd/e')
    await symlink('d', join(dir, 'b'))
    expect(await keys(dir, { sources: ['.'], key: '{index}-{name}' })).toEqual(['1-a', '2-c', '3-e'])
  })

  it("the run's own files stay out where the source is a link, too", async () => {
    const dir = await tree('real/a', 'real/own/b')
    await symlink('real', join(dir, 'link'))
    const own = join(await realpath(dir), 'real', 'own')
    expect(await keys(dir, { sources: ['link'], isOwn: (absolute) => absolute === own })).toEqual(['a'])
  })

  it('names that are not UTF-8 fail, the others are sent', async () => {
    const dir = await tree('a.txt', 'z/b.txt')
    const odd = (name: string) => Buffer.concat([Buffer.from(`${dir}/${name}`), Buffer.from([0xff, 0xfe])])
    const written = await writeFile(odd('latin'), 'x').then(
      () => true,
      () => false,
    )
    if (!written) {
      console.log('Not tried: this file system takes no names that are not UTF-8.')
      return
    }
    await mkdir(odd('m-dir'))
    const files = await planned(dir, { sources: ['.'] })
    expect(files.map(({ key, problem }) => [key, problem?.code])).toEqual([
      ['a.txt', undefined],
      ['latin\ufffd\ufffd', 'KEY_INVALID'],
      ['m-dir\ufffd\ufffd', 'KEY_INVALID'],
      ['z/b.txt', undefined],
    ])
    for (const { problem } of files) if (problem) expect(problem.message).toContain('not valid UTF-8')
  })
})

describe('collisions', () => {
  it.each<[string, Given]>([
    ['two files', { sources: ['audio/a.wav', 'video/a.wav'] }],
    ['two directories', { sources: ['audio', 'video'] }],
    ['two globs', { sources: ['audio/*', 'video/*'] }],
    ['--flatten', { sources: ['.'], flatten: true }],
    ['--key', { sources: ['.'], key: 'same' }],
    ['a glob --key', { sources: ['{audio,video}/*'], key: '{name}{ext}' }],
  ])('%s', async (_, given) => {
    const refused = keys(await tree('audio/a.wav', 'video/a.wav'), given)
    await expect(refused).rejects.toThrow(UsageError)
    await expect(refused).rejects.toThrow(/audio\/a\.wav and .*video\/a\.wav would both become/)
    await expect(refused).rejects.toThrow(/--base DIR or --key TEMPLATE, or rename one/)
  })

  it.each<[string, Given]>([
    ['twice', { sources: ['audio/a.wav', 'audio/a.wav'] }],
    ['by another path', { sources: ['audio/a.wav', './audio/../audio/a.wav'] }],
    ['by its directory, a glob and a list', { sources: ['audio', 'audio/*'], filesFrom: 'list', base: 'audio' }],
  ])('one file %s is planned once', async (_, given) => {
    const dir = await tree('audio/a.wav', 'list=a.wav\na.wav\n')
    const plan = await make(dir, given)
    const surveyed = await plan.survey(() => {})
    expect(surveyed).toMatchObject({ files: 1, bytes: 11 })
    for (let pass = 0; pass < 2; pass += 1) {
      expect((await all(plan.files())).map(({ key, index }) => [key, index])).toEqual([['a.wav', 1]])
    }
  })

  it.runIf(posix)('one file by a link is planned once', async () => {
    const dir = await tree('audio/a.wav', 'x/')
    await symlink('../audio/a.wav', join(dir, 'x/a.wav'))
    expect((await planned(dir, { sources: ['x/a.wav', 'audio/a.wav'] })).map(({ path }) => path)).toEqual(['x/a.wav'])
  })

  it('a broken file under the key of another fails alone', async () => {
    expect(await keys(await tree('audio/a.wav'), { sources: ['gone/a.wav', 'audio/a.wav'] })).toEqual([
      'SOURCE_NOT_FOUND gone/a.wav',
      'a.wav',
    ])
  })

  it.each<[what: string, given: Given, occurrences: (number | undefined)[]]>([
    ['by itself', { sources: ['a.wav', './a.wav', 'b.wav', 'a.wav'] }, [undefined, 2, undefined, 3]],
    ['in a list', { filesFrom: 'list' }, [undefined, 2]],
    ['in a directory, too', { sources: ['.', 'a.wav'] }, [undefined, undefined, undefined, 2]],
    ['once', { sources: ['.'] }, [undefined, undefined, undefined]],
  ])('{index}: a file that is listed more than once is told apart, %s', async (_what, given, occurrences) => {
    const dir = await tree('a.wav', 'b.wav')
    await writeFile(join(dir, 'list'), 'a.wav\na.wav\n')
    const files = await planned(dir, { ...given, key: '{index}' })
    expect(files.map(({ occurrence }) => occurrence)).toEqual(occurrences)
  })

  it('{index} cannot collide: one file twice is two objects', async () => {
    expect(await keys(await tree('a.wav'), { sources: ['a.wav', 'a.wav'], key: '{index}' })).toEqual(['1', '2'])
  })
})

describe('--files-from', () => {
  it.each<[string, string, Given, string[]]>([
    ['relative lines', 'audio/2026/a.wav\nvideo\n', {}, ['audio/2026/a.wav', 'video/c.mp4']],
    ['CRLF, empty lines, no last newline', '\r\naudio/.env\r\n\r\nvideo/c.mp4', {}, ['audio/.env', 'video/c.mp4']],
    ['NUL', 'audio/.env\0video/c.mp4\0', { null: true }, ['audio/.env', 'video/c.mp4']],
    ['after the arguments', 'video/c.mp4', { sources: ['audio/2026'] }, ['a.wav', 'b.tar.gz', 'video/c.mp4']],
    ['relative to --base', '2026/a.wav', { base: 'audio' }, ['2026/a.wav']],
    ['--flatten', 'audio/2026/a.wav', { flatten: true }, ['a.wav']],
    ['--key', 'audio/2026/a.wav', { key: 'x/{dir}/{name}' }, ['x/audio/2026/a']],
    ['gone', 'audio/.env\ngone.wav', {}, ['audio/.env', 'SOURCE_NOT_FOUND gone.wav']],
    ['outside', '../x\naudio/.env', {}, ['KEY_INVALID ../x', 'audio/.env']],
    ['filtered', 'audio/.env\naudio/2026/a.wav', { exclude: ['*.wav'] }, ['audio/.env']],
  ])('%s', async (_, list, given, expected) => {
    const dir = await tree(...audio)
    await writeFile(join(dir, 'list'), list)
    expect(await keys(dir, { filesFrom: 'list', ...given })).toEqual(expected)
  })

  it('all lines gone are failed files, not a typing error', async () => {
    expect(await keys(await tree('list=gone'), { filesFrom: 'list' })).toEqual(['SOURCE_NOT_FOUND gone'])
  })

  it('standard input is kept for the second pass, then removed', async () => {
    const temporary = await tempDir()
    for (const name of ['TMPDIR', 'TEMP', 'TMP']) vi.stubEnv(name, temporary)
    const dir = await tree(...audio)
    const stdin = () => Readable.from(['video/c.mp4\n', 'audio/.env'])
    const plan = await make(dir, { filesFrom: '-', stdin })
    await plan.survey(() => {})
    expect((await all(plan.files())).map(({ key }) => key)).toEqual(['video/c.mp4', 'audio/.env'])
    const kept = async () => (await readdir(temporary)).filter((name) => name.startsWith('upload-list-'))
    expect(await kept()).toHaveLength(1)
    await plan.dispose()
    expect(await kept()).toEqual([])
    vi.unstubAllEnvs()
  })
})

describe('selection', () => {
  const files = ['src/a.py', 'src/a.pyc', 'src/sub/b.py', 'src/sub/b.txt', 'src/build/c.py', 'src/sub/build/d.py']

  it.each<[string, Given, string[]]>([
    ['--include', { include: ['*.py'] }, ['a.py', 'build/c.py', 'sub/b.py', 'sub/build/d.py']],
    ['--exclude', { exclude: ['*.pyc', 'build/'] }, ['a.py', 'sub/b.py', 'sub/b.txt']],
    ['--exclude, anchored', { exclude: ['/build', '*.pyc', '*.txt'] }, ['a.py', 'sub/b.py', 'sub/build/d.py']],
    ['--exclude, taken back', { exclude: ['*', '!*.txt', '!*/'] }, ['sub/b.txt']],
    ['both', { include: ['/sub/'], exclude: ['build'] }, ['sub/b.py', 'sub/b.txt']],
    ['!pattern', { sources: ['src', '!build', '!*.pyc', '!src/sub/*.txt'] }, ['a.py', 'sub/b.py']],
    ['a glob and a !pattern', { sources: ['src/**/*.py', '!**/build/**'] }, ['a.py', 'sub/b.py']],
  ])('%s', async (_, given, expected) => {
    expect(await keys(await tree(...files), { sources: ['src'], ...given })).toEqual(expected)
  })

  it.each<Given>([{ exclude: ['*'] }, { include: ['*.x'] }, { sources: ['!src'] }, { sources: ['*.x'] }])(
    'nothing is left by %j',
    async (given) => {
      const dir = await tree(...files)
      await expect(keys(dir, { sources: ['src'], ...given })).rejects.toThrow('nothing to upload')
      expect(await keys(dir, { sources: ['src'], allowEmpty: true, ...given })).toEqual([])
    },
  )

  it('warnings are given once, junk is counted once', async () => {
    const warnings: string[] = []
    const dir = await tree('a', 'b/a=', '.DS_Store')
    const given = {
      sources: ['a', 'a', '.', 'gone-*'],
      base: '.',
      warn: (message: string) => void warnings.push(message),
    }
    const plan = await make(dir, given)
    expect(await plan.survey(() => {})).toMatchObject({ files: 2, junkSkipped: 1 })
    expect(await all(plan.files())).toHaveLength(2)
    expect(warnings).toEqual(['nothing matches gone-*'])
  })

  it("the run's own files are left out of every pass", async () => {
    const dir = await tree('a', 'own')
    const isOwn = (absolute: string) => absolute === join(dir, 'own')
    expect(await keys(dir, { sources: ['.', 'own', '*'], isOwn })).toEqual(['a'])
  })
})

describe('more files than are held', () => {
  it('are scanned again, with the same numbers and keys', async () => {
    const dir = await tempDir()
    for (let folder = 0; folder < 3; folder += 1) {
      await mkdir(join(dir, `${folder}`))
      const count = folder === 0 ? windowSize - 100 : 100
      const names = Array.from({ length: count }, (_, index) => join(dir, `${folder}`, `${index}.txt`))
      await Promise.all(names.map((name) => writeFile(name, '')))
    }
    await writeFile(join(dir, '.DS_Store'), '')
    const warnings: string[] = []
    const plan = await make(dir, {
      sources: ['.', '0/7.txt', 'gone-*'],
      base: '.',
      warn: (message) => void warnings.push(message),
    })
    const totals: number[] = []
    const surveyed = await plan.survey((files) => totals.push(files))
    expect(surveyed).toMatchObject({ files: windowSize + 100, held: undefined, junkSkipped: 1 })
    expect(totals.at(-1)).toBe(windowSize + 101)
    const first = (await all(plan.files())).map(({ index, key }) => `${index} ${key}`)
    expect(first).toHaveLength(windowSize + 100)
    expect(first.slice(0, 3)).toEqual(['1 0/0.txt', '2 0/1.txt', '3 0/10.txt'])
    expect(first.at(-1)).toBe(`${windowSize + 100} 2/99.txt`)
    // A file that goes away shifts the numbers, but the one that is reached twice is still sent.
    await rm(join(dir, '0', '0.txt'))
    const second = (await all(plan.files())).map(({ key }) => key)
    expect(second).toEqual(first.slice(1).map((line) => line.split(' ')[1]))
    expect(second).toContain('0/7.txt')
    expect(warnings).toEqual(['nothing matches gone-*'])
  }, 30_000)
})

it.each([
  ['scan', ['1 a', '2 b', '3 c', '4 d']],
  ['size', ['3 c', '1 a', '4 d', '2 b']],
  ['mixed', ['3 c', '2 b', '1 a', '4 d']],
] as const)('--order %s: the number and the key stay those of the scan', async (order, expected) => {
  const dir = await tree('a=12345', 'b=1', 'c=123456789', 'd=123')
  // One that is reached twice is sent once, in the place of its size.
  const files = await planned(dir, { sources: ['.', 'c'], order, key: '{path}' })
  expect(files.map(({ index, key }) => `${index} ${key}`)).toEqual(expected)
})

it('files can be had without a survey', async () => {
  expect((await all((await make(await tree('a'), { sources: ['a', 'a'] })).files())).map(({ key }) => key)).toEqual([
    'a',
    'a',
  ])
})

it('no plan lets a key through that is none', async () => {
  const dir = await tree('a', '..b', '.c', 'd /e', '%2e%2e')
  for (const key of ['{path}', '{dir}/{name}', '{ext}/{name}', '{name}/{dir}', './{path}']) {
    for (const file of await all((await make(dir, { sources: ['.'], key })).files())) {
      expect(file.problem === undefined).toBe(keyProblem(file.key) === undefined)
    }
  }
})
