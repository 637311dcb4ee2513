import { closeSync, openSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { UploadError } from '../../../../src/errors.ts'
import type { StdinLimit } from '../../../../src/transfer/size-limits.ts'
import { notKept } from '../../../../src/transfer/stdin/kept-input.ts'
import { createStdinFile, notTwice, type StdinFile } from '../../../../src/transfer/stdin/stdin-file.ts'
import { settled } from '../../../support/fake-clock.ts'
import { ownTemporary } from './temporary.ts'

const temporary = ownTemporary()

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
    expect(await readdir(temporary().path)).toEqual([])
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
    expect(await readdir(temporary().path)).toEqual([])
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
    expect(await readdir(temporary().path)).toEqual([])
  })

  it('one that breaks off', async () => {
    const cause = new Error('the pipe broke')
    const stdin = () =>
      new Readable({
        read() {
          this.destroy(cause)
        },
      })
    const file = createStdinFile(stdin, never)
    await expect(file.facts()).rejects.toMatchObject({
      code: 'SOURCE_UNREADABLE',
      message: 'standard input broke off: the pipe broke; give the whole command again',
      cause,
    })
    await file.dispose()
    expect(await readdir(temporary().path)).toEqual([])
  })

  it('says where there is no room', async () => {
    const cause = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    expect(() => notKept(cause)).toThrow(
      expect.objectContaining({
        code: 'SOURCE_UNREADABLE',
        message: `standard input could not be kept in ${temporary().path}: no space left for it (TMPDIR names another place)`,
        cause,
      }),
    )
  })

  describe('that is sent while it is read', () => {
    const sizes = { partSize: 4, multipartThreshold: 4, limits: { maxPartSize: 1000, maxParts: 10 } }
    const most: StdinLimit = { bytes: 100, error: () => new UploadError('TOO_LARGE', 'the destination takes less') }
    const begin = (file: StdinFile) => file.begin(sizes, most, never)

    it('is not there for another reading', async () => {
      const file = createStdinFile(() => Readable.from([Buffer.alloc(5)]), never)
      const head = await begin(file)
      expect(head).toMatchObject({ beginning: { size: 5 }, whole: undefined })
      await expect(file.facts()).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE', message: notTwice })
      await expect(begin(file)).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE', message: notTwice })
      await file.dispose()
    })

    it('is kept where it goes as a whole', async () => {
      const file = createStdinFile(() => Readable.from([Buffer.alloc(4)]), never)
      expect(await begin(file)).toBeUndefined()
      expect(await file.facts()).toMatchObject({ size: 4, held: [Buffer.alloc(4), Buffer.alloc(0)] })
      expect(await begin(file)).toBeUndefined()
      await file.dispose()
    })

    it('is not begun where all of it was read before', async () => {
      const file = createStdinFile(() => Readable.from([Buffer.alloc(50)]), never)
      const facts = await file.facts()
      expect(await begin(file)).toBeUndefined()
      expect([facts.size, await file.facts()]).toEqual([50, facts])
      await file.dispose()
    })

    it.each([
      [200, 'the destination takes less'],
      [50, 'the run takes less'],
    ])('has the lesser of two limits: %i', async (bytes, said) => {
      const limit: StdinLimit = { bytes, error: () => new UploadError('HALTED', 'the run takes less') }
      const file = createStdinFile(
        () => Readable.from([Buffer.alloc(101)]),
        never,
        () => limit,
      )
      await expect(begin(file)).rejects.toMatchObject({ message: said })
      await expect(file.facts()).rejects.toMatchObject({ message: said })
      await file.dispose()
    })

    it('text in place of bytes is bytes, too', async () => {
      const file = createStdinFile(() => Readable.from(['é', '']), never)
      expect(await begin(file)).toBeUndefined()
      expect((await file.facts()).held?.[0]?.toString()).toBe('é')
      await file.dispose()
    })
  })

  it('says where it looked for room', async () => {
    await temporary().remove()
    const file = createStdinFile(() => Readable.from([]), never)
    await expect(file.facts()).rejects.toMatchObject({
      code: 'SOURCE_UNREADABLE',
      message: expect.stringContaining(temporary().path),
    })
    await file.dispose()
  })
})
