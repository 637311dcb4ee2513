import { stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { preservedTime } from '../../../../src/transfer/reading/preserved-time.ts'
import { tempDir } from '../../../support/temp-dir.ts'
import { begun } from '../scanned-file.ts'
import { MiB, planned, settings, sparseFile, transfer } from '../scene.ts'

const file = { path: 'a.wav', properties: {} }

async function fileFrom(mtime: number) {
  const absolute = join(await tempDir(), 'a.wav')
  await writeFile(absolute, 'abc')
  await utimes(absolute, mtime, mtime)
  const { size, mtimeMs } = await stat(absolute)
  return { absolute, size, mtimeMs }
}

describe('a modification time that is preserved', () => {
  it.each([0, 1, 1_763_800_000, 1_763_800_000.123, 1_763_800_000.123456, 4_000_000_000.7])(
    'is the file’s to the nanosecond: %s',
    async (mtime) => {
      const facts = await fileFrom(mtime)
      const ns = await preservedTime(file, facts)
      expect(ns).toBe((await stat(facts.absolute, { bigint: true })).mtimeNs)
      expect(Math.abs(Number(ns) / 1e9 - mtime)).toBeLessThan(0.000_002)
    },
  )

  it('may be before 1970', async () => {
    const facts = await fileFrom(0)
    const before = new Date(-86_400_000)
    await utimes(facts.absolute, before, before)
    expect(await preservedTime(file, { ...facts, mtimeMs: -86_400_000 })).toBe(-86_400_000_000_000n)
  })

  it('is none of standard input, and gives way to what is said of the very file', async () => {
    const facts = await fileFrom(1)
    expect(await preservedTime({ ...file, path: '-' }, facts)).toBeUndefined()
    expect(await preservedTime({ ...file, properties: { metadata: { Mtime: '5' } } }, facts)).toBeUndefined()
  })

  it('is that of the file that is sent, or of none', async () => {
    const facts = await fileFrom(1)
    await expect(preservedTime(file, { ...facts, mtimeMs: facts.mtimeMs + 1 })).rejects.toMatchObject({
      code: 'SOURCE_CHANGED',
    })
    await expect(preservedTime(file, { ...facts, size: 4 })).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
    const gone = { ...facts, absolute: `${facts.absolute}.gone` }
    await expect(preservedTime(file, gone)).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' })
  })
})

describe('a run that preserves modification times', () => {
  const preserving = { ...settings, preserve: 'mtime' as const }

  it.each([
    ['small', 10, { small: { maxSize: 1000 } }],
    ['put', 10, {}],
    ['create', 20 * MiB, { multipart: {} }],
  ] as const)('sends them along: %s', async (what, size, destination) => {
    const one = await sparseFile(size)
    const scene = transfer({ files: [one], destination, settings: preserving })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'uploaded', attempts: 1 }])
    const { mtimeNs } = await stat(one.absolute, { bigint: true })
    expect(scene.destination.calls[0]).toMatchObject({ what, mtimeNs })
    const without = transfer({ files: [one], destination })
    await without.done
    expect(without.destination.calls[0]).toMatchObject({ what, mtimeNs: undefined })
  })

  it('looks at a small file anew that changed since it was scanned', async () => {
    const one = await sparseFile(10)
    await truncate(one.absolute, 12)
    const scene = transfer({ files: [one], destination: { small: { maxSize: 1000 } }, settings: preserving })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'uploaded', size: 12, attempts: 1 }])
    expect(begun(scene).at(-1)).toBe(12)
  })

  it('has none for standard input', async () => {
    const scene = transfer({
      files: [planned(1, { path: '-', absolute: '-', size: undefined, mtimeMs: undefined })],
      settings: preserving,
      stdin: () => Readable.from([Buffer.from('abc')]),
    })
    await scene.done
    expect(scene.records).toMatchObject([{ status: 'uploaded' }])
    expect(scene.destination.calls[0]).toMatchObject({ mtimeNs: undefined })
  })
})
