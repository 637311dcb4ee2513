import { execFileSync } from 'node:child_process'
import { readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { UsageError } from '../../../../src/errors.ts'
import { type ListedLines, noLines, openListedLines } from '../../../../src/plan/sources/listed-lines.ts'
import { tempDir } from '../../../support/temp-dir.ts'
import { failing } from '../directories.ts'
import { all, posix, tree } from '../tree.ts'

/** Where temporary files of one test go. */
let temporary: string

beforeEach(async () => {
  temporary = await tempDir()
  for (const name of ['TMPDIR', 'TEMP', 'TMP']) vi.stubEnv(name, temporary)
  return () => vi.unstubAllEnvs()
})

/** What is kept there of lists. */
const kept = async () => (await readdir(temporary)).filter((name) => name.startsWith('upload-list-'))

const unopened = (): Readable => {
  throw new Error('standard input was opened')
}

async function textsOf(listed: ListedLines): Promise<string[]> {
  return (await all(listed.read())).map(({ text }) => text)
}

async function linesOf(contents: string | Uint8Array, separator: '\n' | '\0' = '\n'): Promise<string[]> {
  const dir = await tree()
  await writeFile(join(dir, 'list'), contents)
  return textsOf(await openListedLines('list', separator, dir, unopened))
}

describe('lines', () => {
  it.each<[string, string, string[]]>([
    ['one a line', 'a\nb c\n', ['a', 'b c']],
    ['no newline at the end', 'a\nb', ['a', 'b']],
    ['CRLF', 'a\r\nb\r\n', ['a', 'b']],
    ['CRLF without the last', 'a\r\nb\r', ['a', 'b']],
    ['a carriage return within', 'a\rb\n', ['a\rb']],
    ['empty lines', '\n\na\n\r\n\nb\n\n', ['a', 'b']],
    ['spaces are kept', ' a \n\tb\n \n', [' a ', '\tb', ' ']],
    ['a byte order mark', '\ufeffa\nb\n', ['a', 'b']],
    ['a byte order mark alone', '\ufeff', []],
    ['nothing', '', []],
    ['empty lines alone', '\n\r\n', []],
    ['the same twice', 'a\na\n', ['a', 'a']],
    ['other scripts', '語/é\u{1f600}\n', ['語/é\u{1f600}']],
    ['what looks like a comment or pattern', '#a\n!b\n*\n-\n', ['#a', '!b', '*', '-']],
  ])('%s', async (_, contents, lines) => {
    expect(await linesOf(contents)).toEqual(lines)
  })

  it.each<[string, string, string[]]>([
    ['one each', 'a\0b\0', ['a', 'b']],
    ['none behind the last', 'a\0b', ['a', 'b']],
    ['newlines within', 'a\nb\r\n\0c\r\0', ['a\nb\r\n', 'c\r']],
    ['empty ones', '\0\0a\0\0', ['a']],
  ])('NUL-separated: %s', async (_, contents, lines) => {
    expect(await linesOf(contents, '\0')).toEqual(lines)
  })

  it('each has its number, as editors show it', async () => {
    const dir = await tree()
    await writeFile(join(dir, 'list'), '\n\na\r\n\r\nb\n\nc')
    const listed = await openListedLines('list', '\n', dir, unopened)
    expect((await all(listed.read())).map(({ text, number }) => `${number} ${text}`)).toEqual(['3 a', '5 b', '7 c'])
  })

  it('bytes that are not UTF-8 become U+FFFD', async () => {
    expect(await linesOf(Buffer.from([0x61, 0xe9, 0x0a, 0x62]))).toEqual(['a\ufffd', 'b'])
    expect(await linesOf(Buffer.from([0x61, 0xe9]))).toEqual(['a\ufffd'])
  })

  it.each([0, 1, 2, 3])('many lines, cut anywhere (%i)', async (shift) => {
    // A read is 64 KiB: characters of three bytes and lines of odd length straddle its ends.
    const lines = Array.from({ length: 20_000 }, (_, index) => `${'x'.repeat(shift)}語-${index}.wav`)
    expect(await linesOf(lines.join('\r\n'))).toEqual(lines)
  })

  it('can be read again, also after the reader stopped half-way', async () => {
    const dir = await tree()
    const lines = Array.from({ length: 30_000 }, (_, index) => `line ${index}`)
    await writeFile(join(dir, 'list'), lines.join('\n'))
    const listed = await openListedLines('list', '\n', dir, unopened)
    for await (const { text } of listed.read()) if (text === 'line 5') break
    expect(await textsOf(listed)).toEqual(lines)
    await listed.dispose()
    expect(await stat(join(dir, 'list'))).toBeDefined()
  })
})

describe('what is no list', () => {
  it.each([
    ['NUL-separated, without --null', 'a\0b\0c', 'holds NUL characters; add --null'],
    [
      'UTF-16',
      Buffer.from('\ufeffa.wav\r\nb.wav\r\n', 'utf16le'),
      'holds NUL characters; add --null, or save it as UTF-8',
    ],
    ['no line ends', 'x'.repeat(200_000), 'has a line longer than any path: is it a list of files?'],
  ])('%s', async (_, contents, said) => {
    await expect(linesOf(contents)).rejects.toThrow(UsageError)
    await expect(linesOf(contents)).rejects.toThrow(`--files-from: list ${said}`)
  })

  it('a long line within reason is one', async () => {
    expect(await linesOf(`${'x'.repeat(40_000)}\n${'y'.repeat(40_000)}`)).toHaveLength(2)
  })

  it.each([
    ['nowhere', 'nowhere cannot be read (ENOENT)'],
    ['.', '. cannot be read (EISDIR)'],
    ['file/x', 'file/x cannot be read (ENOTDIR)'],
  ])('%s', async (file, said) => {
    const opening = openListedLines(file, '\n', await tree('file'), unopened)
    await expect(opening).rejects.toThrow(UsageError)
    await expect(opening).rejects.toThrow(`--files-from: ${said}`)
    expect(await kept()).toEqual([])
  })

  it('one that is gone when it is read', async () => {
    const dir = await tree('list=a')
    const listed = await openListedLines('list', '\n', dir, unopened)
    await rm(join(dir, 'list'))
    await expect(all(listed.read())).rejects.toThrow('--files-from: list cannot be read (ENOENT)')
  })
})

describe('what can be read only once', () => {
  it('standard input is kept, for its user alone, until it is disposed of', async () => {
    const listed = await openListedLines('-', '\n', await tree('-=not this'), () => Readable.from(['a\n', 'b\nc']))
    const [directory = ''] = await kept()
    const { mode } = await stat(join(temporary, directory, 'lines'))
    if (posix) expect(mode & 0o777).toBe(0o600)
    expect(await textsOf(listed)).toEqual(['a', 'b', 'c'])
    expect(await textsOf(listed)).toEqual(['a', 'b', 'c'])
    await listed.dispose()
    await listed.dispose()
    expect(await kept()).toEqual([])
  })

  it('standard input that is cut off', async () => {
    const cut = async function* () {
      yield 'a\n'
      throw Object.assign(new Error('cut'), { code: 'EIO' })
    }
    const opening = openListedLines('-', '\n', temporary, () => Readable.from(cut()))
    await expect(opening).rejects.toThrow('--files-from: standard input cannot be read (EIO)')
    expect(await kept()).toEqual([])
  })

  it('standard input that cannot be opened', async () => {
    await expect(openListedLines('-', '\n', temporary, () => failing('EBADF'))).rejects.toThrow('(EBADF)')
    expect(await kept()).toEqual([])
  })

  it.runIf(posix)('a pipe', async () => {
    const dir = await tree()
    execFileSync('mkfifo', [join(dir, 'pipe')])
    const [listed] = await Promise.all([
      openListedLines('pipe', '\n', dir, unopened),
      writeFile(join(dir, 'pipe'), 'a\nb\n'),
    ])
    expect(await textsOf(listed)).toEqual(['a', 'b'])
    expect(await textsOf(listed)).toEqual(['a', 'b'])
    await listed.dispose()
    expect(await kept()).toEqual([])
  })
})

it('no list has no lines', async () => {
  expect(await all(noLines.read())).toEqual([])
  await noLines.dispose()
})
