import { closeSync, openSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createStdinFile } from '../../../src/transfer/stdin-file.ts'
import { settled } from '../../support/fake-clock.ts'
import { makeTempDir, type TempDir } from '../../support/temp-dir.ts'

let temporary: TempDir

beforeEach(async () => {
  temporary = await makeTempDir()
  vi.stubEnv('TMPDIR', temporary.path)
  vi.stubEnv('TEMP', temporary.path)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await temporary.remove()
})

const never = new AbortController().signal

describe('createStdinFile', () => {
  it.each([
    ['nothing', []],
    ['bytes', ['some ', 'bytes']],
  ])('keeps %s, readable by its user only', async (_name, chunks) => {
    const file = createStdinFile(() => Readable.from(chunks), never)
    const { absolute, size, mtimeMs } = await file.facts()
    expect(await readFile(absolute, 'utf8')).toBe(chunks.join(''))
    const stats = await stat(absolute)
    expect([size, mtimeMs]).toEqual([stats.size, stats.mtimeMs])
    if (process.platform !== 'win32') {
      expect([stats.mode & 0o777, (await stat(dirname(absolute))).mode & 0o777]).toEqual([0o600, 0o700])
    }
    await file.dispose()
    expect(await readdir(temporary.path)).toEqual([])
  })

  it('is read once, however often it is asked for', async () => {
    const stdin = vi.fn(() => Readable.from(['once']))
    const file = createStdinFile(stdin, never)
    const [one, other] = await Promise.all([file.facts(), file.facts()])
    expect(await file.facts()).toEqual(one)
    expect([other, stdin.mock.calls.length]).toEqual([one, 1])
  })

  it('is not touched where nobody asks', async () => {
    const stdin = vi.fn(() => Readable.from(['never']))
    await createStdinFile(stdin, never).dispose()
    expect(stdin).not.toHaveBeenCalled()
    expect(await readdir(temporary.path)).toEqual([])
  })

  it('is not empty where it is a directory, but a mistake', async () => {
    const fd = openSync(tmpdir(), 'r')
    onTestFinished(() => closeSync(fd))
    const input = Object.assign(Readable.from([]), { fd })
    const file = createStdinFile(() => input, new AbortController().signal)
    await expect(file.facts()).rejects.toMatchObject({
      code: 'SOURCE_UNREADABLE',
      message: expect.stringContaining('is a directory'),
    })
    await file.dispose()
  })

  it('is given up by a stop, and leaves nothing behind', async () => {
    const stop = new AbortController()
    const file = createStdinFile(() => new Readable({ read() {} }), stop.signal)
    const facts = file.facts()
    await settled()
    stop.abort()
    await expect(facts).rejects.toMatchObject({ code: 'CANCELLED' })
    await file.dispose()
    expect(await readdir(temporary.path)).toEqual([])
  })

  it.each([
    [
      'that breaks',
      new Error('the pipe broke'),
      /could not be kept in .*: the pipe broke \(TMPDIR names another place\)/,
    ],
    ['with no space left', Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }), /no space left for it/],
  ])('one %s', async (_name, cause, said) => {
    const stdin = () =>
      new Readable({
        read() {
          this.destroy(cause)
        },
      })
    const file = createStdinFile(stdin, never)
    await expect(file.facts()).rejects.toMatchObject({
      code: 'SOURCE_UNREADABLE',
      message: expect.stringMatching(said),
      cause,
    })
    await file.dispose()
    expect(await readdir(temporary.path)).toEqual([])
  })

  it('says where it looked for room', async () => {
    await temporary.remove()
    const file = createStdinFile(() => Readable.from([]), never)
    await expect(file.facts()).rejects.toMatchObject({
      code: 'SOURCE_UNREADABLE',
      message: expect.stringContaining(temporary.path),
    })
    await file.dispose()
  })
})
