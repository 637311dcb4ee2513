import { createHash } from 'node:crypto'
import { HeadObjectCommand, ListPartsCommand, type S3Client } from '@aws-sdk/client-s3'
import type { Part } from '../destination.ts'

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
  readonly signal: AbortSignal
}

/**
 * Whether an upload was completed although its completion failed: the server may have made the object and only its
 * answer was lost. Asking once more would then be refused, since the upload is gone.
 *
 * The object there is this upload's where its ETag is the one S3 makes of these parts, or, for servers that make others,
 * where it has the right size and the upload no longer exists.
 *
 * @returns undefined where it was not, or where nobody can tell
 */
export async function wasCompleted(options: SettleOptions): Promise<CompletedUpload | undefined> {
  const { client, Bucket, Key, size, signal } = options
  if (signal.aborted) return undefined
  try {
    const { ETag, VersionId, ContentLength } = await client.send(new HeadObjectCommand({ Bucket, Key }), {
      abortSignal: signal,
    })
    if (ContentLength !== size) return undefined
    const isOurs = plain(ETag) === multipartEtag(options.parts) || (await isGone(options))
    return isOurs ? { etag: ETag, versionId: VersionId } : undefined
  } catch {
    // The failure that led here is the one to tell.
    return undefined
  }
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
  const sums = createHash('md5')
  for (const { etag } of parts) {
    const sum = plain(etag)
    if (sum === undefined || !/^[0-9a-f]{32}$/i.test(sum)) return undefined
    sums.update(Buffer.from(sum, 'hex'))
  }
  return `${sums.digest('hex')}-${parts.length}`
}

function plain(etag: string | undefined): string | undefined {
  return etag?.replaceAll('"', '').toLowerCase()
}
