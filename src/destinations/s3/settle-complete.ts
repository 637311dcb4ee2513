import { ListPartsCommand, type S3Client } from '@aws-sdk/client-s3'
import type { Checksum, Part } from '../destination.ts'
import { md5OfEtag, multipartEtagOf, plainEtag } from '../etag.ts'
import { fullObjectChecksum } from './checksum.ts'
import { head } from './head.ts'
import { serverAheadMs } from './server-clock.ts'

export interface CompletedUpload {
  readonly etag: string | undefined
  readonly versionId: string | undefined
}

export interface SettleOptions {
  readonly client: S3Client
  readonly Bucket: string
  readonly Key: string
  readonly UploadId: string
  /** Bytes of the object. */
  readonly size: number
  readonly parts: readonly Part[]
  /** Of the object's bytes, where it is known. */
  readonly whole: Checksum | undefined
  /** When the upload was begun, in milliseconds since the epoch; undefined where that was not seen. */
  readonly begunMs: number | undefined
  /** It was to be stored only where there is no object: what is there may be one that somebody else stored first. */
  readonly ifAbsent: boolean
  readonly signal: AbortSignal
}

/** By how much clocks may differ without anybody having noticed. */
const clockToleranceMs = 15 * 60_000

/**
 * Whether an upload was completed although its completion failed: the server may have made the object and only its
 * answer was lost. Asking once more would then be refused, since the upload is gone.
 *
 * The object there is this upload's where its ETag is the one S3 makes of these parts, or, for servers that make others,
 * where it has the right size and the upload no longer exists; never where it has another checksum, or was there before
 * the upload was begun. (An object made of parts is as old as its upload:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html) Where nothing was to be replaced, the upload
 * has to be gone in any case: somebody else may have stored the same bytes in the same parts.
 *
 * @returns undefined where it was not, or where nobody can tell
 */
export async function wasCompleted(options: SettleOptions): Promise<CompletedUpload | undefined> {
  const { client, Bucket, Key, size, whole, begunMs, ifAbsent, signal } = options
  if (signal.aborted) return undefined
  try {
    const answer = await head(Key, { client, bucket: Bucket, signal, checksum: whole !== undefined })
    const { ETag, VersionId, ContentLength, LastModified } = answer
    const there = fullObjectChecksum(answer)
    if (ContentLength !== size || (there?.algorithm === whole?.algorithm && there?.value !== whole?.value))
      return undefined
    const isOlder = LastModified !== undefined && begunMs !== undefined && isBefore(LastModified, begunMs, client)
    const isOfParts = plainEtag(ETag) === multipartEtag(options.parts)
    const isOurs = (isOfParts && !ifAbsent) || ((isOfParts || !isOlder) && (await isGone(options)))
    return isOurs ? { etag: ETag, versionId: VersionId } : undefined
  } catch {
    // The failure that led here is the one to tell.
    return undefined
  }
}

/** @param time by the server's clock */
function isBefore(time: Date, ms: number, client: S3Client): boolean {
  return time.getTime() + clockToleranceMs < ms + serverAheadMs(client)
}

async function isGone({ client, Bucket, Key, UploadId, signal }: SettleOptions): Promise<boolean> {
  try {
    await client.send(new ListPartsCommand({ Bucket, Key, UploadId, MaxParts: 1 }), { abortSignal: signal })
    return false
  } catch (error) {
    return saysUploadIsGone(error)
  }
}

/** @param thrown by the SDK */
export function saysUploadIsGone(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'NoSuchUpload'
}

/**
 * The ETag of an object made of parts whose ETags are MD5 sums; undefined where they are not.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
export function multipartEtag(parts: readonly Part[]): string | undefined {
  const sums = parts.flatMap(({ etag }) => md5OfEtag(etag) ?? [])
  return sums.length === parts.length ? multipartEtagOf(sums) : undefined
}
