import { createHash } from 'node:crypto'
import { appendFile } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { base64OfCrc32 } from '../../../src/checksums/checksummer.ts'
import type { Part } from '../../../src/destinations/destination.ts'
import { multipartEtagOf } from '../../../src/destinations/etag.ts'
import { checkParts, type PartCheckOptions } from '../../../src/transfer/part-check.ts'
import { createLocalBytes } from '../../../src/transfer/reading/local-bytes.ts'
import { hasProc, type SourceFile, sourceFile, timesOpen } from './source-file.ts'

const partSize = 1000
const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex')
const never = new AbortController().signal
const rangeOf = ({ bytes }: SourceFile, number: number): Buffer =>
  bytes.subarray((number - 1) * partSize, number * partSize)
const byCrc = (file: SourceFile, partNumber: number): Part => {
  const range = rangeOf(file, partNumber)
  const checksum = { algorithm: 'crc32' as const, value: base64OfCrc32(crc32(range)) }
  return { partNumber, size: range.length, etag: `"e${partNumber}"`, checksum }
}

async function check(
  listed: (file: SourceFile) => readonly Part[],
  over: (file: SourceFile) => Partial<PartCheckOptions> = () => ({}),
): Promise<{ readonly fitting: number[]; readonly differing: number }> {
  const file = await sourceFile(2500)
  const options = { facts: file, partSize, recorded: [], isUnchanged: true, bytes: createLocalBytes(), signal: never }
  const { fitting, differing } = await checkParts(listed(file), { ...options, ...over(file) })
  return { fitting: fitting.map((part) => part.partNumber), differing }
}

describe('checkParts', () => {
  it('keeps what has the checksum of its range, the short last part too, in order', async () => {
    expect(await check((file) => [byCrc(file, 3), byCrc(file, 1)])).toEqual({ fitting: [1, 3], differing: 0 })
  })

  it('tells a part that holds other bytes', async () => {
    const listed = (file: SourceFile): Part[] => [byCrc(file, 1), { ...byCrc(file, 1), partNumber: 2 }]
    expect(await check(listed)).toEqual({ fitting: [1], differing: 1 })
  })

  it('passes over what is no part of this file, or of another size than its range', async () => {
    const listed = (file: SourceFile): Part[] => [
      { ...byCrc(file, 1), partNumber: 0 },
      { ...byCrc(file, 1), partNumber: 4 },
      { ...byCrc(file, 3), size: partSize },
      { ...byCrc(file, 2), size: 999 },
    ]
    expect(await check(listed)).toEqual({ fitting: [], differing: 0 })
  })

  it('goes by an ETag that is an MD5 sum where there is no checksum', async () => {
    const listed = (file: SourceFile): Part[] => [
      { partNumber: 1, size: partSize, etag: `"${md5(rangeOf(file, 1))}"` },
      { partNumber: 2, size: partSize, etag: `"${md5(rangeOf(file, 1))}"` },
    ]
    expect(await check(listed)).toEqual({ fitting: [1], differing: 1 })
  })

  it('goes by a checksum that was told when the part was sent, where the listing tells none', async () => {
    const listed = (): Part[] => [1, 2].map((partNumber) => ({ partNumber, size: partSize, etag: `"e${partNumber}"` }))
    const recorded = (file: SourceFile) => ({
      recorded: [byCrc(file, 1), { ...byCrc(file, 1), partNumber: 2, etag: '"e2"' }],
      isUnchanged: false,
    })
    expect(await check(listed, recorded)).toEqual({ fitting: [1], differing: 1 })
  })

  it.each([
    ['was recorded, and the file is as it was', '"x1"', true, [1]],
    ['was recorded, but the file has changed', '"x1"', false, []],
    ['is another than the one that was recorded', '"other"', true, []],
  ])('with nothing to compare it counts a part that %s', async (_what, etag, isUnchanged, fitting) => {
    const listed = (): Part[] => [{ partNumber: 1, size: partSize, etag: '"x1"' }]
    const over = () => ({ recorded: [{ partNumber: 1, size: partSize, etag }], isUnchanged })
    expect(await check(listed, over)).toEqual({ fitting, differing: 0 })
  })

  describe('of a sequence', () => {
    const bare = (partNumber: number, size = partSize): Part => ({ partNumber, size })
    const sequence = (over: Partial<PartCheckOptions> = {}) => ({ recorded: [], ...over, isSequential: true })

    it('counts what was sent, written down or not, where the file is as it was; not the part that is only begun', async () => {
      const recorded = (file: SourceFile) => sequence({ recorded: [{ ...byCrc(file, 1), etag: undefined }] })
      const listed = () => [bare(1), bare(2), bare(3, 100)]
      expect(await check(listed, recorded)).toEqual({ fitting: [1, 2], differing: 0 })
    })

    it('knows the checksum of a part that was not written down, if any was', async () => {
      const file = await sourceFile(2500)
      const options = { facts: file, partSize, isUnchanged: true, bytes: createLocalBytes(), signal: never }
      const recorded = [{ ...byCrc(file, 1), etag: undefined }]
      const { fitting } = await checkParts([bare(1), bare(2)], { ...options, ...sequence({ recorded }) })
      expect(fitting.map((part) => part.checksum)).toEqual([byCrc(file, 1).checksum, byCrc(file, 2).checksum])
      const unknown = await checkParts([bare(1)], { ...options, ...sequence() })
      expect(unknown.fitting).toEqual([bare(1)])
    })

    it.each<[string, (file: SourceFile) => Part[], number[]]>([
      ['a part that was not written down', (file) => [byCrc(file, 1), bare(2)], [1]],
      ['a part that is only begun', (file) => [byCrc(file, 1), bare(2, 100)], [1]],
    ])('does not know, of a file that has changed, what is in %s', async (_what, listed, fitting) => {
      expect(await check(listed, () => sequence({ isUnchanged: false }))).toEqual({ fitting, differing: 1 })
    })

    it('tells other bytes, however unchanged the file looks', async () => {
      const listed = (file: SourceFile) => [{ ...byCrc(file, 2), partNumber: 1 }]
      expect(await check(listed, () => sequence())).toEqual({ fitting: [], differing: 1 })
    })
  })

  it('does not take a file that changes meanwhile', async () => {
    const file = await sourceFile(2500)
    const listed = [byCrc(file, 1)]
    await appendFile(file.absolute, 'x')
    const options = { facts: file, partSize, recorded: [], isUnchanged: true, bytes: createLocalBytes() }
    await expect(checkParts(listed, { ...options, signal: never })).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
  })

  it('ends when the run does', async () => {
    const stop = new AbortController()
    stop.abort()
    const stopped = check(
      (file) => [byCrc(file, 1)],
      () => ({ signal: stop.signal }),
    )
    await expect(stopped).rejects.toMatchObject({ code: 'CANCELLED' })
  })
})

describe('an object as a whole', () => {
  const told: [string, (file: SourceFile) => { etag?: string; checksum?: Part['checksum'] }, boolean | undefined][] = [
    ['its checksum', ({ bytes }) => ({ checksum: { algorithm: 'crc32', value: base64OfCrc32(crc32(bytes)) } }), true],
    ['another checksum', () => ({ checksum: { algorithm: 'crc32', value: 'AAAAAA==' } }), false],
    ['its MD5', ({ bytes }) => ({ etag: `"${md5(bytes)}"` }), true],
    ['another MD5', () => ({ etag: `"${md5(Buffer.from('x'))}"` }), false],
    [
      'the ETag of its parts',
      (file) => ({ etag: `"${multipartEtagOf([1, 2, 3].map((n) => md5(rangeOf(file, n))))}"` }),
      true,
    ],
    [
      'the ETag of others of that size',
      () => ({ etag: `"${multipartEtagOf([md5(Buffer.of(1)), md5(Buffer.of(2)), md5(Buffer.of(3))])}"` }),
      false,
    ],
    ['the ETag of parts of a size nobody knows', () => ({ etag: `"${md5(Buffer.of(1))}-7"` }), undefined],
    ['nothing comparable', () => ({ etag: '"abc"' }), undefined],
  ]
  it.each(told)('by %s', async (_what, tell, expected) => {
    const file = await sourceFile(2500)
    expect(await createLocalBytes().matchObject(tell(file), file, [5000, partSize], never)).toBe(expected)
  })

  it.runIf(hasProc)('is read by a few at once, and closed', async () => {
    const file = await sourceFile(200_000)
    const bytes = createLocalBytes()
    let most = 0
    const watching = setInterval(() => {
      most = Math.max(most, timesOpen(file.absolute))
    }, 0)
    const checksum = { algorithm: 'crc32' as const, value: base64OfCrc32(crc32(file.bytes)) }
    const all = await Promise.all(Array.from({ length: 50 }, () => bytes.matchObject({ checksum }, file, [], never)))
    clearInterval(watching)
    expect(new Set(all)).toEqual(new Set([true]))
    expect([most <= 4, timesOpen(file.absolute)]).toEqual([true, 0])
  })
})
