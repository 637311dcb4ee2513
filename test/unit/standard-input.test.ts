import { execFileSync } from 'node:child_process'
import { closeSync, constants, createWriteStream, openSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openStandardInput } from '../../src/standard-input.ts'
import { bytes } from '../support/data-set.ts'
import { settled } from '../support/fake-clock.ts'
import { tempDir } from '../support/temp-dir.ts'

/** Copies each piece before it asks for the next, later than the next has been read. */
async function readAll(input: Readable): Promise<{ readonly all: Buffer; readonly memories: number }> {
  const pieces: Buffer[] = []
  const memories = new Set<unknown>()
  for await (const piece of input as AsyncIterable<Buffer>) {
    for (let turn = 0; turn < 3; turn += 1) await settled()
    memories.add(piece.buffer)
    pieces.push(Buffer.from(piece))
  }
  return { all: Buffer.concat(pieces), memories: memories.size }
}

/** The end of a pipe that these bytes come out of. */
async function pipeOf(data: Buffer): Promise<number> {
  const fifo = join(await tempDir(), 'pipe')
  execFileSync('mkfifo', [fifo])
  const fd = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK)
  createWriteStream('', { fd: openSync(fifo, constants.O_WRONLY) }).end(data)
  return fd
}

describe('openStandardInput', () => {
  it.each([0, 1, 65_536, 65_537, 1_000_000])('reads a file of %i bytes into two buffers', async (size) => {
    const path = join(await tempDir(), 'input')
    const data = bytes('bin', size)
    await writeFile(path, data)
    const fd = openSync(path, 'r')
    onTestFinished(() => closeSync(fd))
    const { all, memories } = await readAll(openStandardInput(fd))
    expect([all.equals(data), memories]).toEqual([true, Math.min(2, Math.ceil(size / 65_536))])
  })

  it.runIf(process.platform !== 'win32')('reads a pipe into two buffers', async () => {
    const data = bytes('bin', 1_000_000)
    const { all, memories } = await readAll(openStandardInput(await pipeOf(data)))
    expect([all.equals(data), memories]).toEqual([true, 2])
  })

  it.runIf(process.platform !== 'win32')('lets go of a pipe', async () => {
    const fifo = join(await tempDir(), 'pipe')
    execFileSync('mkfifo', [fifo])
    const input = openStandardInput(openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK))
    const closed = new Promise((resolve) => input.once('close', resolve))
    input.destroy()
    await closed
    expect(input.destroyed).toBe(true)
  })

  it('what cannot be read', async () => {
    const path = join(await tempDir(), 'input')
    const fd = openSync(path, 'w')
    onTestFinished(() => closeSync(fd))
    await expect(readAll(openStandardInput(fd))).rejects.toMatchObject({ code: 'EBADF' })
  })

  it.runIf(process.platform !== 'win32')('reads a device into two buffers', async () => {
    const fd = openSync('/dev/zero', 'r')
    onTestFinished(() => closeSync(fd))
    const memories = new Set<unknown>()
    let size = 0
    for await (const piece of openStandardInput(fd) as AsyncIterable<Buffer>) {
      memories.add(piece.buffer)
      size += piece.length
      if (size >= 1_000_000) break
    }
    expect(memories.size).toBe(2)
  })

  it.runIf(process.platform !== 'win32')('leaves everything else to Node', async () => {
    const fd = openSync(await tempDir(), 'r')
    onTestFinished(() => closeSync(fd))
    expect(openStandardInput(fd)).toBe(process.stdin)
  })
})
