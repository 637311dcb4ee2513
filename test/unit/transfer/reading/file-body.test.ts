import { createHash } from 'node:crypto'
import { appendFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, expect, it } from 'vitest'
import type { Pacer, PartBody } from '../../../../src/destinations/destination.ts'
import { fileBody } from '../../../../src/transfer/reading/file-body.ts'
import { settled } from '../../../support/fake-clock.ts'
import { tempDir } from '../../../support/temp-dir.ts'
import { bufferSize, changes, closed, hasProc, sourceFile, timesOpen } from '../source-file.ts'

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

describe.each(ways)('%s', (way) => {
  it.each([0, 1, 1023, 1024, 1025, 4096, 5000])('all of %i bytes', async (size) => {
    const file = await sourceFile(size)
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
    const file = await sourceFile(5000)
    expect(await readAll(file.body({ start, size }), way, from)).toEqual(
      file.bytes.subarray(start + from, start + size),
    )
  })

  it('can be opened again and again, at once too', async () => {
    const file = await sourceFile(3000)
    const body = file.body({ start: 500, size: 2000 })
    const expected = file.bytes.subarray(500, 2500)
    const read = await Promise.all([readAll(body, way), readAll(body, way, 700), readAll(body, way)])
    expect(read).toEqual([expected, expected.subarray(700), expected])
    expect(await readAll(body, way)).toEqual(expected)
  })

  it('comes in pieces no larger than the buffer', async () => {
    const file = await sourceFile(5000)
    const sizes: number[] = []
    for await (const piece of file.body()[way]()) sizes.push((piece as Uint8Array).length)
    expect(sizes).toEqual([1024, 1024, 1024, 1024, 904])
  })

  it.each(changes)('a file that %s before it is read', async (_name, change) => {
    const file = await sourceFile(5000)
    await change(file)
    await expect(readAll(file.body(), way)).rejects.toMatchObject({ code: 'SOURCE_CHANGED', retryable: false })
  })

  it.each(changes.slice(0, 5))('a file that %s while it is read', async (_name, change) => {
    const file = await sourceFile(5000)
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
    const file = await sourceFile(5000)
    await change(file)
    await expect(readAll(file.body({ start: 0, size: 1000 }), way)).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
  })

  it('an empty file that grew', async () => {
    const file = await sourceFile(0)
    await appendFile(file.absolute, 'x')
    await expect(readAll(file.body(), way)).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
  })

  it('a file that is gone', async () => {
    const file = await sourceFile(10)
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
    const file = await sourceFile(5000)
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
    const file = await sourceFile(5000)
    const memories = new Set<ArrayBufferLike>()
    for await (const piece of file.body().open()) memories.add(piece.buffer)
    expect(memories.size).toBe(1)
  })

  it('opens nothing that nobody reads', async () => {
    const file = await sourceFile(10)
    file.body().open()
    if (hasProc) expect(timesOpen(file.absolute)).toBe(0)
  })
})

describe('stream', () => {
  it('gives each chunk memory of its own', async () => {
    const file = await sourceFile(5000)
    const chunks: Buffer[] = []
    for await (const chunk of file.body().stream()) chunks.push(chunk)
    expect(Buffer.concat(chunks)).toEqual(file.bytes)
  })

  it.runIf(hasProc)('is closed where it is destroyed, read or not', async () => {
    const file = await sourceFile(5000)
    const unread = file.body().stream()
    unread.destroy()
    const read = file.body().stream()
    await read[Symbol.asyncIterator]().next()
    read.destroy()
    await closed(file.absolute)
  })

  it('can be piped', async () => {
    const file = await sourceFile(100_000)
    const hash = createHash('sha256')
    await pipeline(file.body({ start: 10, size: 90_000 }).stream(), hash)
    expect(hash.digest('hex')).toBe(createHash('sha256').update(file.bytes.subarray(10, 90_010)).digest('hex'))
  })
})

describe('paced', () => {
  /** A pacer that lets nothing pass until it is told to, and what it was asked for. */
  function gate(pieceSize: number) {
    const asked: number[] = []
    const opens: (() => void)[] = []
    const signals: AbortSignal[] = []
    const pacer: Pacer = {
      pieceSize,
      take: (bytes, signal) =>
        new Promise((resolve, reject) => {
          asked.push(bytes)
          signals.push(signal)
          opens.push(resolve)
          signal.addEventListener('abort', () => reject(signal.reason))
        }),
    }
    return { pacer, asked, signals, open: () => opens.shift()?.() }
  }

  /** One that lets everything pass. */
  function freePacer(pieceSize: number) {
    const asked: number[] = []
    const take = async (bytes: number) => void asked.push(bytes)
    return { asked, pacer: { pieceSize, take } }
  }

  it.each([
    // pacer's piece, bytes in each piece
    [400, [400, 400, 400, 400, 400, 400, 100]],
    [5000, [1024, 1024, 452]],
  ])('%j: pieces of no more than the pacer and the buffer take', async (pieceSize, expected) => {
    const file = await sourceFile(2500)
    for (const way of ways) {
      const { pacer, asked } = freePacer(pieceSize)
      const body = fileBody(file, { start: 0, size: 2500 }, bufferSize, pacer)
      expect(await readAll(body, way)).toEqual(file.bytes)
      expect(asked).toEqual(expected)
    }
  })

  it.each(ways)('%s gives a piece once it is let pass, and not before', async (way) => {
    const file = await sourceFile(20)
    const { pacer, asked, open } = gate(10)
    const got: number[] = []
    const reading = (async () => {
      for await (const piece of fileBody(file, { start: 0, size: 20 }, bufferSize, pacer)[way]()) {
        got.push((piece as Uint8Array).length)
      }
    })()
    while (asked.length < 1) await settled()
    await settled()
    expect(got).toEqual([])
    open()
    while (asked.length < 2) await settled()
    await settled()
    expect(got).toEqual([10])
    open()
    await reading
    expect(got).toEqual([10, 10])
  })

  it.each(ways)('%s of a file that changed while it waited', async (way) => {
    const file = await sourceFile(10)
    const { pacer, asked, open } = gate(10)
    const reading = readAll(fileBody(file, { start: 0, size: 10 }, bufferSize, pacer), way)
    const outcome = expect(reading).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
    while (asked.length < 1) await settled()
    await appendFile(file.absolute, 'x')
    open()
    await outcome
  })

  it.each(ways)('%s has chunks of its own where it is a stream, and one memory where it is not', async (way) => {
    const file = await sourceFile(100)
    const pieces: Uint8Array[] = []
    const { pacer } = freePacer(10)
    for await (const piece of fileBody(file, { start: 0, size: 100 }, bufferSize, pacer)[way]()) {
      pieces.push(piece as Uint8Array)
    }
    const last = file.bytes.subarray(90)
    expect(Buffer.concat(pieces)).toEqual(way === 'stream' ? file.bytes : Buffer.concat(Array(10).fill(last)))
  })

  it.runIf(hasProc).each(ways)('%s that is given up waits no longer, and is closed', async (way) => {
    const file = await sourceFile(20)
    const { pacer, asked, signals } = gate(10)
    const pieces = fileBody(file, { start: 0, size: 20 }, bufferSize, pacer)[way]()
    const iterator = pieces[Symbol.asyncIterator]()
    const next = iterator.next().catch(() => undefined)
    while (asked.length < 1) await settled()
    expect(signals[0]?.aborted).toBe(false)
    if (way === 'stream') (pieces as Readable).destroy()
    else iterator.return?.().catch(() => undefined)
    expect(signals[0]?.aborted).toBe(true)
    await next
    await closed(file.absolute)
  })

  it('is for these two ways alone', async () => {
    const file = await sourceFile(10)
    const { pacer, asked } = gate(4)
    const body = fileBody(file, { start: 0, size: 10 }, bufferSize, pacer)
    const into = Buffer.alloc(11)
    await body.readAll(into)
    expect(into.subarray(0, 10)).toEqual(file.bytes)
    const reader = await body.openReader()
    expect(await reader.read(into, 0)).toBe(10)
    await reader.close()
    expect(asked).toEqual([])
  })
})
