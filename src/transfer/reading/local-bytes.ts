import pLimit from 'p-limit'
import type { Checksum, ChecksumAlgorithm } from '../../destinations/destination.ts'
import { md5OfEtag, multipartEtagOf, partsOfEtag, plainEtag } from '../../destinations/etag.ts'
import { partCount, partRange } from '../../plan/part-ranges.ts'
import { checksumOf, md5Of } from './file-checksum.ts'
import type { FileFacts, FileRange } from './file-facts.ts'
import { openPartReader } from './part-reader.ts'

/** Files or parts that are read at once to be compared: more would only make the disk seek. */
const readsAtOnce = 4

/** What a destination tells of bytes it holds. */
export interface Told {
  readonly etag?: string | undefined
  readonly checksum?: Checksum | undefined
}

/** Compares bytes on the disk with what a destination tells of those it holds; each is read once, through one buffer. */
export interface LocalBytes {
  /**
   * Whether a range of a file holds the bytes told of; undefined where nothing is told that could be compared.
   *
   * @throws UploadError SOURCE_*; CANCELLED
   */
  match(told: Told, facts: FileFacts, range: FileRange, signal: AbortSignal): Promise<boolean | undefined>
  /**
   * The same for a whole file, whose object may have been made of parts.
   *
   * @param partSizes bytes a part may have had
   */
  matchObject(
    told: Told,
    facts: FileFacts,
    partSizes: readonly number[],
    signal: AbortSignal,
  ): Promise<boolean | undefined>
  /**
   * The checksum of a range of a file.
   *
   * @throws UploadError SOURCE_*; CANCELLED
   */
  checksum(algorithm: ChecksumAlgorithm, facts: FileFacts, range: FileRange, signal: AbortSignal): Promise<Checksum>
}

export function createLocalBytes(): LocalBytes {
  const limit = pLimit(readsAtOnce)

  const md5 = (facts: FileFacts, range: FileRange, signal: AbortSignal): Promise<string> =>
    limit(() => md5Of(bodyOf(facts, range), signal))

  const checksum: LocalBytes['checksum'] = (algorithm, facts, range, signal) =>
    limit(() => checksumOf(bodyOf(facts, range), algorithm, signal))

  async function match(
    { etag, checksum: told }: Told,
    facts: FileFacts,
    range: FileRange,
    signal: AbortSignal,
  ): Promise<boolean | undefined> {
    if (told !== undefined) return (await checksum(told.algorithm, facts, range, signal)).value === told.value
    const sum = md5OfEtag(etag)
    return sum === undefined ? undefined : (await md5(facts, range, signal)) === sum
  }

  return {
    match,
    checksum,
    async matchObject(told, facts, partSizes, signal) {
      const { size } = facts
      const whole = await match(told, facts, { start: 0, size }, signal)
      if (whole !== undefined) return whole
      const parts = partsOfEtag(told.etag)
      const partSize = partSizes.find((each) => partCount(size, each) === parts)
      if (parts === undefined || partSize === undefined) return undefined
      const sums: string[] = []
      for (let number = 1; number <= parts; number += 1) {
        sums.push(await md5(facts, partRange(number, size, partSize), signal))
      }
      return multipartEtagOf(sums) === plainEtag(told.etag)
    },
  }
}

function bodyOf(facts: FileFacts, range: FileRange): Parameters<typeof checksumOf>[0] {
  return { size: range.size, openReader: () => openPartReader(facts, range) }
}
