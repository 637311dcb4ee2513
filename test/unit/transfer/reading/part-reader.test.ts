import { appendFile, mkdir, rm, truncate } from 'node:fs/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { FileRange } from '../../../../src/transfer/reading/file-facts.ts'
import { changes, closed, hasProc, type SourceFile, sourceFile, timesOpen } from '../source-file.ts'

/** How the disk behaves: bytes a read gives at most, and what fails. */
const disk = vi.hoisted(() => ({
  atOnce: Number.POSITIVE_INFINITY,
  openFails: undefined as Error | undefined,
  readFails: undefined as Error | undefined,
  statFails: undefined as Error | undefined,
}))

vi.mock('node:fs', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:fs')>()
  type Read = (
    fd: number,
    into: Buffer,
    at: number,
    length: number,
    position: number,
    done: (error: Error | null, bytesRead: number) => void,
  ) => void
  const read: Read = (fd, into, at, length, position, done) =>
    disk.readFails
      ? done(disk.readFails, 0)
      : original.read(fd, into, at, Math.min(length, disk.atOnce), position, done)
  const open = (path: string, flags: string, done: (error: Error | null, fd: number) => void) =>
    disk.openFails ? done(disk.openFails, -1) : original.open(path, flags, done)
  const fstat = (fd: number, done: (error: Error | null, stats?: unknown) => void) =>
    disk.statFails ? done(disk.statFails) : original.fstat(fd, done)
  return { ...original, open, read, fstat }
})

afterEach(() => {
  Object.assign(disk, {
    atOnce: Number.POSITIVE_INFINITY,
    openFails: undefined,
    readFails: undefined,
    statFails: undefined,
  })
})

const diskError = Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })

/** All bytes of a range, read at once. */
async function atOnce(file: SourceFile, range?: FileRange): Promise<Buffer> {
  const body = file.body(range)
  const into = Buffer.alloc(body.size + 1)
  await body.readAll(into)
  return into.subarray(0, body.size)
}

/** The same piece by piece, compared at the end. */
async function byPieces(file: SourceFile, range?: FileRange, pieceSize = 700): Promise<Buffer> {
  const body = file.body(range)
  const reader = await body.openReader()
  try {
    const pieces: Buffer[] = []
    for (let offset = 0; offset < body.size; ) {
      const into = Buffer.alloc(pieceSize)
      const bytesRead = await reader.read(into, offset)
      expect(bytesRead).toBeGreaterThan(0)
      pieces.push(into.subarray(0, bytesRead))
      offset += bytesRead
    }
    await reader.compare()
    return Buffer.concat(pieces)
  } finally {
    await reader.close()
  }
}

describe.each([
  ['readAll', atOnce],
  ['openReader', byPieces],
] as const)('%s', (_way, read) => {
  it.each([0, 1, 699, 700, 701, 5000])('all of %i bytes', async (size) => {
    const file = await sourceFile(size)
    expect(await read(file)).toEqual(file.bytes)
  })

  it.each([
    // start, size
    [0, 1000],
    [1000, 2000],
    [4999, 1],
    [5000, 0],
    [0, 0],
    [3000, 2000],
  ])('of 5000 bytes the range at %i of %i', async (start, size) => {
    const file = await sourceFile(5000)
    expect(await read(file, { start, size })).toEqual(file.bytes.subarray(start, start + size))
  })

  it.each([1, 7, 1000])('from a disk that gives %i bytes at a time', async (most) => {
    disk.atOnce = most
    const file = await sourceFile(1500)
    expect(await read(file)).toEqual(file.bytes)
    expect(await read(file, { start: 200, size: 1000 })).toEqual(file.bytes.subarray(200, 1200))
  })

  it.each(changes)('a file that %s', async (_name, change) => {
    const file = await sourceFile(5000)
    await change(file)
    await expect(read(file)).rejects.toMatchObject({ code: 'SOURCE_CHANGED', retryable: false })
  })

  it.each(changes)('a part of a file that %s', async (_name, change) => {
    const file = await sourceFile(5000)
    await change(file)
    await expect(read(file, { start: 100, size: 1000 })).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
  })

  it('an empty file that grew', async () => {
    const file = await sourceFile(0)
    await appendFile(file.absolute, 'x')
    await expect(read(file)).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
  })

  it('a file that is gone', async () => {
    const file = await sourceFile(10)
    await rm(file.absolute)
    await expect(read(file)).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' })
  })

  it('a directory in its place', async () => {
    const file = await sourceFile(10)
    await rm(file.absolute)
    await mkdir(file.absolute)
    await expect(read(file)).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' })
  })

  it('a file without permission', async () => {
    const file = await sourceFile(10)
    disk.openFails = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' })
    await expect(read(file)).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' })
  })

  it('a disk that fails', async () => {
    const file = await sourceFile(10)
    disk.readFails = diskError
    await expect(read(file)).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE', retryable: true })
    disk.readFails = undefined
    disk.statFails = diskError
    await expect(read(file)).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE', retryable: true })
  })

  it.runIf(hasProc)('is closed after the end and after a failure', async () => {
    const file = await sourceFile(5000)
    await read(file)
    expect(timesOpen(file.absolute)).toBe(0)
    await truncate(file.absolute, 10)
    await expect(read(file)).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
    await closed(file.absolute)
  })
})

describe('openReader', () => {
  it('reads into the whole of a small buffer, from any offset, again and again', async () => {
    const file = await sourceFile(5000)
    const reader = await file.body({ start: 1000, size: 3000 }).openReader()
    const into = Buffer.alloc(10)
    for (const offset of [0, 2990, 1234, 0]) {
      expect(await reader.read(into, offset)).toBe(10)
      expect(into).toEqual(file.bytes.subarray(1000 + offset, 1010 + offset))
    }
    expect(await reader.read(into, 2995)).toBe(5)
    expect(await reader.read(into.subarray(0, 0), 0)).toBe(0)
    await reader.close()
  })

  it('notices a change while it is open', async () => {
    const file = await sourceFile(5000)
    const reader = await file.body().openReader()
    await reader.compare()
    await truncate(file.absolute, 100)
    await expect(reader.read(Buffer.alloc(10), 200)).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
    await expect(reader.compare()).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
    await reader.close()
  })
})
