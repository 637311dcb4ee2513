import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { openFileDestination } from '../../../../src/destinations/file/index.ts'
import { aCall, bodyOf, someBytes } from '../../../contract/bodies.ts'
import { tempDir } from '../../../support/temp-dir.ts'

/** What the file system says of links and names; undefined: as it is. */
const says: { link?: string | undefined; rename?: string | undefined } = {}

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>()
  const refuse = (code: string): never => {
    throw Object.assign(new Error(code), { code })
  }
  return {
    ...real,
    link: async (from: string, to: string) => (says.link === undefined ? real.link(from, to) : refuse(says.link)),
    rename: async (from: string, to: string) =>
      says.rename === undefined ? real.rename(from, to) : refuse(says.rename),
  }
})

beforeEach(() => {
  says.link = undefined
  says.rename = undefined
})

async function open() {
  const directory = await tempDir()
  const destination = openFileDestination({ url: 'file:./out/', directory })
  const put = (key: string, bytes: Uint8Array) =>
    destination.putObject({ key, contentType: 'x/y', partSize: 1000, ifAbsent: true }, bodyOf(bytes), aCall())
  return { directory, destination, put }
}

describe.each(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])('a file system without links (%s)', (code) => {
  it('lets one of many writers have the name', async () => {
    says.link = code
    const { directory, destination, put } = await open()
    const writers = Array.from({ length: 20 }, (_, at) => someBytes(10_000, at + 1))
    const outcomes = await Promise.allSettled(writers.map((bytes) => put('k', bytes)))
    const won = outcomes.flatMap(({ status }, at) => (status === 'fulfilled' ? [at] : []))
    expect(won).toHaveLength(1)
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'ALREADY_EXISTS' })
    }
    expect(await readFile(join(directory, 'k'))).toEqual(writers[won[0] as number])
    await destination.close()
    expect(await readdir(directory)).toEqual(['k'])
  })

  it('leaves what is there, and no empty file where the last step fails', async () => {
    says.link = code
    const { directory, put, destination } = await open()
    await writeFile(join(directory, 'k'), 'was here')
    await expect(put('k', someBytes(10))).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    expect(await readFile(join(directory, 'k'), 'utf8')).toBe('was here')
    says.rename = 'EIO'
    await expect(put('new', someBytes(10))).rejects.toMatchObject({ code: 'SERVER_ERROR' })
    await destination.close()
    expect(await readdir(directory)).toEqual(['k'])
  })
})

it('any other trouble with a link is told as it is', async () => {
  const { directory, put, destination } = await open()
  says.link = 'ENOSPC'
  await expect(put('k', someBytes(10))).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' })
  await destination.close()
  expect(await readdir(directory)).toEqual([])
})

it('a directory of its name is no file that exists', async () => {
  const { put } = await open()
  await put('k/below', someBytes(10))
  await expect(put('k', someBytes(10))).rejects.toMatchObject({ code: 'KEY_INVALID' })
})

describe('properties', () => {
  it.each([
    [{}, 0],
    [{ cacheControl: undefined, metadata: undefined }, 0],
    [{ cacheControl: 'no-cache' }, 1],
    [{ metadata: { a: 'b' } }, 1],
    [{ cacheControl: 'no-cache', metadata: { a: 'b' } }, 1],
  ])('that files do not keep are told of once: %j', async (properties, count) => {
    const warn = vi.fn()
    openFileDestination({ url: 'file:./out/', directory: await tempDir() }, properties, warn)
    expect(warn).toHaveBeenCalledTimes(count)
    if (count > 0) expect(warn.mock.calls[0]?.[0]).toMatch(/--cache-control and --metadata/)
  })
})
