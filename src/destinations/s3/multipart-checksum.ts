import { checksummerOf } from '../../checksums/checksummer.ts'
import { isCombinable } from '../../checksums/crc-combine.ts'
import { wholeChecksum } from '../../checksums/whole-checksum.ts'
import { UploadError } from '../../errors.ts'
import type { Checksum, ChecksumAlgorithm, Part } from '../destination.ts'
import {
  algorithmNamed,
  type ChecksumAnswer,
  type ChecksumFields,
  checksumField,
  checksumIn,
  checksumNames,
} from './checksum.ts'

/** What a server says it keeps of the checksums of one multipart upload. */
export interface KeptChecksums {
  readonly algorithm: ChecksumAlgorithm
  /** One of the object's bytes; otherwise one of the parts' checksums. */
  readonly isFullObject: boolean
}

/** @param answer to `CreateMultipartUpload` or `ListParts`; undefined where it names no checksum */
export function keptChecksums(answer: {
  readonly ChecksumAlgorithm?: string | undefined
  readonly ChecksumType?: string | undefined
}): KeptChecksums | undefined {
  const algorithm = algorithmNamed(answer.ChecksumAlgorithm)
  return algorithm && { algorithm, isFullObject: answer.ChecksumType === 'FULL_OBJECT' }
}

/** How an upload with these checksums is to be begun. */
export function beginFields(algorithm: ChecksumAlgorithm | undefined, withType: boolean) {
  if (algorithm === undefined) return {}
  const ChecksumAlgorithm = checksumNames[algorithm].algorithm
  // A digest of the whole does not follow from those of its parts.
  return withType && isCombinable(algorithm)
    ? { ChecksumAlgorithm, ChecksumType: 'FULL_OBJECT' as const }
    : { ChecksumAlgorithm }
}

/**
 * The fields that name a part at the end. A server that did not say it keeps checksums takes it amiss to hear them; one
 * that keeps the whole's need not be told the parts', but some insist.
 */
export function partFields(kept: KeptChecksums | undefined, { checksum }: Part): ChecksumFields {
  return checksum !== undefined && checksum.algorithm === kept?.algorithm ? checksumField(checksum) : {}
}

/** The fields that go with the end itself: by them the server refuses an object of other bytes. */
export function wholeFields(kept: KeptChecksums | undefined, whole: Checksum | undefined) {
  const isNamed = kept?.isFullObject && whole?.algorithm === kept.algorithm
  return isNamed ? { ...checksumField(whole), ChecksumType: 'FULL_OBJECT' as const } : {}
}

/**
 * Compares what a server says of an object it made of parts with what was sent. One that does not say which of both
 * kinds its checksum is may mean either.
 *
 * @throws UploadError CHECKSUM_MISMATCH
 */
export async function compareCompleted(answer: ChecksumAnswer, parts: readonly Part[]): Promise<void> {
  const told = checksumIn(answer)
  if (told === undefined) return
  const type = answer.ChecksumType ?? (told.value.includes('-') ? 'COMPOSITE' : undefined)
  const whole = type === 'COMPOSITE' ? undefined : wholeChecksum(parts)
  const composite = type === 'FULL_OBJECT' ? undefined : await compositeOf(told.algorithm, parts)
  const possible = [whole, composite].filter((ours) => ours?.algorithm === told.algorithm)
  // Some servers leave out how many parts there are.
  const isOne = possible.some((ours) => ours?.value === told.value || ours?.value === `${told.value}-${parts.length}`)
  if (possible.length > 0 && !isOne)
    throw new UploadError('CHECKSUM_MISMATCH', 'the server made an object of other bytes than were sent')
}

/** The checksum of the parts' checksums, as S3 writes it. */
async function compositeOf(algorithm: ChecksumAlgorithm, parts: readonly Part[]): Promise<Checksum | undefined> {
  const running = checksummerOf(algorithm).begin()
  for (const { checksum } of parts) {
    if (checksum?.algorithm !== algorithm) return undefined
    running.update(Buffer.from(checksum.value, 'base64'))
  }
  return { algorithm, value: `${await running.result()}-${parts.length}` }
}
