import { createHash } from 'node:crypto'
import { readdirSync, readlinkSync } from 'node:fs'
import { appendFile, open, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { describe, expect, it } from 'vitest'
import type { PartBody } from '../../../src/destinations/destination.ts'
import { type FileFacts, type FileRange, fileBody } from '../../../src/transfer/file-body.ts'
import { seededRandom } from '../../support/fake-clock.ts'
import { tempDir } from '../../support/temp-dir.ts'

const bufferSize = 1024

function randomBytes(size: number): Buffer {
  const random = seededRandom(size + 1)
  return Buffer.from(Array.from({ length: size }, () => Math.floor(random() * 256)))
}

interface Made extends FileFacts {
  readonly bytes: Buffer
  body(range?: Partial<FileRange>): PartBody
}

async function makeFile(size: number): Promise<Made> {
  const absolute = join(await tempDir(), 'source.bin')
  const bytes = randomBytes(size)
  await writeFile(absolute, bytes)
  // An old one: what is written now differs in time, however coarse the file system's clock.
  await utimes(absolute, 1_700_000_000, 1_700_000_000.25)
  const facts: FileFacts = { absolute, size, mtimeMs: (await stat(absolute)).mtimeMs }
  return { ...facts, bytes, body: (range) => fileBody(facts, { start: 0, size, ...range }, bufferSize) }
}

type Way = 'open' | 'stream'
const ways: readonly Way[] = ['open', 'stream']

async function readAll(body: PartBody, way: Way, from?: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of body[way](from)) {
    // A copy: `open` uses its memory again.
    pieces.push(Buffer.from(piece as Uint8Array))
  }
  return Buffer.concat(pieces)
}

const hasProc = process.platform === 'linux'
if (!hasProc) console.log('Not tried: only Linux shows which files a process has open.')

/** How often this process has the file open. */
function timesOpen(path: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path
    } catch {
      return false
    }
  }).length
}

async function closed(path: string): Promise<void> {
  while (timesOpen(path) > 0) await new Promise((resolve) => setImmediate(resolve))
}

describe.each(ways)('%s', (way) => {
  it.each([0, 1, 1023, 1024, 1025, 4096, 5000])('all of %i bytes', async (size) => {
    const file = await makeFile(size)
    expect(file.body().size).toBe(size)
    expect(await readAll(file.body(), way)).toEqual(file.bytes)
  })

  it.each([
    // start, size, from
    [0, 5000, 1],
    [0, 5000, 4999],
    [0, 5000, 5000],
    [1000, 2000, 0],
    [1000, 2000, 1500],
    [4999, 1, 0],
    [5000, 0, 0],
    [0, 0, 0],
    [3000, 2000, 2000],
  ])('of 5000 bytes the range at %i of %i, from %i on', async (start, size, from) => {
    const file = await makeFile(5000)
    expect(await readAll(file.body({ start, size }), way, from)).toEqual(
      file.bytes.subarray(start + from, start + size),
    )
  })

  it('can be opened again and again, at once too', async () => {
    const file = await makeFile(3000)
    const body = file.body({ start: 500, size: 2000 })
    const expected = file.bytes.subarray(500, 2500)
    const read = await Promise.all([readAll(body, way), readAll(body, way, 700), readAll(body, way)])
    expect(read).toEqual([expected, expected.subarray(700), expected])
    expect(await readAll(body, way)).toEqual(expected)
  })

  it('comes in pieces no larger than the buffer', async () => {
    const file = await makeFile(5000)
    const sizes: number[] = []
    for await (const piece of file.body()[way]()) sizes.push((piece as Uint8Array).length)
    expect(sizes).toEqual([1024, 1024, 1024, 1024, 904])
  })

  const changes: readonly [name: string, change: (file: Made) => Promise<void>][] = [
    ['grew', (file) => appendFile(file.absolute, 'x')],
    ['became shorter', (file) => truncate(file.absolute, 2500)],
    ['became empty', (file) => truncate(file.absolute, 0)],
    [
      'was written to in place',
      async (file) => {
        const handle = await open(file.absolute, 'r+')
        await handle.write('x', 4000)
        await handle.close()
      },
    ],
    ['has another time', (file) => utimes(file.absolute, 1_700_000_000, 1_700_000_001)],
    ['has a time that differs in its fraction', (file) => utimes(file.absolute, 1_700_000_000, 1_700_000_000.5)],
    [
      'was replaced by another',
      async (file) => {
        await writeFile(`${file.absolute}.new`, file.bytes)
        await rename(`${file.absolute}.new`, file.absolute)
      },
    ],
  ]

  it.each(changes)('a file that %s before it is read', async (_name, change) => {
    const file = await makeFile(5000)
    await change(file)
    await expect(readAll(file.body(), way)).rejects.toMatchObject({ code: 'SOURCE_CHANGED', retryable: false })
  })

  it.each(changes.slice(0, 5))('a file that %s while it is read', async (_name, change) => {
    const file = await makeFile(5000)
    const reading = async (): Promise<void> => {
      let isFirst = true
      for await (const _piece of file.body()[way]()) {
        if (isFirst) await change(file)
        isFirst = false
      }
    }
    await expect(reading()).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
  })

  it.each(changes.slice(0, 5))('a part of a file that %s', async (_name, change) => {
    const file = await makeFile(5000)
    await change(file)
    await expect(readAll(file.body({ start: 0, size: 1000 }), way)).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
  })

  it('an empty file that grew', async () => {
    const file = await makeFile(0)
    await appendFile(file.absolute, 'x')
    await expect(readAll(file.body(), way)).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
  })

  it('a file that is gone', async () => {
    const file = await makeFile(10)
    await rm(file.absolute)
    await expect(readAll(file.body(), way)).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' })
  })

  it('a directory in its place', async () => {
    const absolute = await tempDir()
    const { size, mtimeMs } = await stat(absolute)
    const body = fileBody({ absolute, size, mtimeMs }, { start: 0, size }, bufferSize)
    await expect(readAll(body, way)).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' })
  })

  it.runIf(hasProc)('is closed after the end, an early end and a failure', async () => {
    const file = await makeFile(5000)
    await readAll(file.body(), way)
    await closed(file.absolute)

    for await (const _piece of file.body()[way]()) {
      expect(timesOpen(file.absolute)).toBe(1)
      break
    }
    await closed(file.absolute)

    await appendFile(file.absolute, 'x')
    await readAll(file.body(), way).catch(() => undefined)
    await closed(file.absolute)
  })

  it('takes no more memory for a large file', async () => {
    const size = 256 * 2 ** 20
    const absolute = join(await tempDir(), 'sparse')
    await writeFile(absolute, '')
    await truncate(absolute, size)
    const { mtimeMs } = await stat(absolute)
    const body = fileBody({ absolute, size, mtimeMs }, { start: 0, size }, 2 ** 20)
    const before = process.memoryUsage().arrayBuffers
    let most = 0
    let read = 0
    for await (const piece of body[way]()) {
      read += (piece as Uint8Array).length
      if (read % 2 ** 23 === 0) most = Math.max(most, process.memoryUsage().arrayBuffers - before)
    }
    expect(read).toBe(size)
    // A stream's chunks are its reader's own; what they leave is collected late.
    expect(most).toBeLessThan(way === 'open' ? 2 ** 22 : size / 2)
  })
})

describe('open', () => {
  it('gives views of one memory', async () => {
    const file = await makeFile(5000)
    const memories = new Set<ArrayBufferLike>()
    for await (const piece of file.body().open()) memories.add(piece.buffer)
    expect(memories.size).toBe(1)
  })

  it('opens nothing that nobody reads', async () => {
    const file = await makeFile(10)
    file.body().open()
    if (hasProc) expect(timesOpen(file.absolute)).toBe(0)
  })
})

describe('stream', () => {
  it('gives each chunk memory of its own', async () => {
    const file = await makeFile(5000)
    const chunks: Buffer[] = []
    for await (const chunk of file.body().stream()) chunks.push(chunk)
    expect(Buffer.concat(chunks)).toEqual(file.bytes)
  })

  it.runIf(hasProc)('is closed where it is destroyed, read or not', async () => {
    const file = await makeFile(5000)
    const unread = file.body().stream()
    unread.destroy()
    const read = file.body().stream()
    await read[Symbol.asyncIterator]().next()
    read.destroy()
    await closed(file.absolute)
  })

  it('can be piped', async () => {
    const file = await makeFile(100_000)
    const hash = createHash('sha256')
    await pipeline(file.body({ start: 10, size: 90_000 }).stream(), hash)
    expect(hash.digest('hex')).toBe(createHash('sha256').update(file.bytes.subarray(10, 90_010)).digest('hex'))
  })
})
