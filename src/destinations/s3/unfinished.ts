import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListPartsCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { Call, MultipartUploads, UnfinishedUpload } from '../destination.ts'
import { decodeKey } from './decode-key.ts'
import type { S3Surroundings } from './engine.ts'
import { serverAheadMs } from './server-clock.ts'
import { saysUploadIsGone } from './settle-complete.ts'

type Marker = Readonly<Record<'KeyMarker' | 'UploadIdMarker', string | undefined>>

/** Multipart uploads that nobody completed or aborted: their parts are paid for until somebody does. */
export function createUnfinished({
  client,
  bucket,
  mapped,
}: Pick<S3Surroundings, 'bucket' | 'mapped'> & { readonly client: S3Client }): Required<
  Pick<MultipartUploads, 'list' | 'lastPartAt' | 'remove'>
> {
  /** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html */
  async function* list(prefix: string, { signal }: Call): AsyncGenerator<UnfinishedUpload> {
    let after: Marker | undefined
    let before: ReadonlySet<string> = new Set()
    for (;;) {
      const input = { Bucket: bucket, Prefix: prefix, EncodingType: 'url' as const, ...after }
      const page = await mapped(
        's3:ListBucketMultipartUploads',
        client.send(new ListMultipartUploadsCommand(input), { abortSignal: signal }),
      )
      const found = uploadsOf(page, serverAheadMs(client))
      for (const upload of found) {
        // Some servers ignore the prefix, or begin the page with what ended the one before.
        if (upload.key?.startsWith(prefix) && !before.has(nameOf(upload))) yield upload
      }
      const next = nextMarker(page, found)
      // A server that repeats its marker would be asked for ever.
      if (next === undefined || (next.KeyMarker === after?.KeyMarker && next.UploadIdMarker === after?.UploadIdMarker))
        return
      after = next
      before = new Set(found.map(nameOf))
    }
  }

  async function lastPartAt({ key, uploadId }: UnfinishedUpload, { signal }: Call): Promise<Date | undefined> {
    let newest: number | undefined
    let after: string | undefined
    for (;;) {
      const input = { Bucket: bucket, Key: key, UploadId: uploadId, PartNumberMarker: after }
      const page = await mapped(
        's3:ListMultipartUploadParts',
        client.send(new ListPartsCommand(input), { abortSignal: signal }),
      ).catch(unlessUnanswerable)
      for (const { LastModified } of page?.Parts ?? []) {
        if (LastModified !== undefined) newest = Math.max(newest ?? 0, LastModified.getTime())
      }
      const next = page?.IsTruncated ? page.NextPartNumberMarker : undefined
      // A server that repeats its marker would be asked for ever.
      if (next === undefined || next === after) break
      after = next
    }
    return newest === undefined ? undefined : new Date(newest - serverAheadMs(client))
  }

  return {
    list,
    lastPartAt,

    /**
     * A part that was on its way may arrive after the upload was aborted, and stay: what is still listed is aborted
     * once more. https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
     */
    async remove({ key, uploadId }, { signal }) {
      const target = { Bucket: bucket, Key: key, UploadId: uploadId }
      const abort = (): Promise<unknown> =>
        mapped(
          's3:AbortMultipartUpload',
          client.send(new AbortMultipartUploadCommand(target), { abortSignal: signal }).catch(unlessGone),
        )
      await abort()
      // Whoever may abort need not be allowed to list parts; and it is aborted, whatever goes wrong with the asking.
      const left = await client
        .send(new ListPartsCommand({ ...target, MaxParts: 1 }), { abortSignal: signal })
        .catch(() => undefined)
      if ((left?.Parts ?? []).length > 0) await abort()
    },
  }
}

/** @param aheadMs of this machine's clock: ages are told by that */
function uploadsOf(
  { Uploads, EncodingType }: ListMultipartUploadsCommandOutput,
  aheadMs: number,
): readonly UnfinishedUpload[] {
  return (Uploads ?? []).flatMap(({ Key, UploadId, Initiated }) => {
    if (Key === undefined || UploadId === undefined) return []
    const key = EncodingType === 'url' ? decodeKey(Key) : Key
    // One that nobody knows the age of counts as new: it must not be taken for one that was left behind.
    const initiatedAt = Initiated === undefined ? new Date() : new Date(Initiated.getTime() - aheadMs)
    return [{ key, uploadId: UploadId, initiatedAt }]
  })
}

/** Where the next page begins; servers that do not say so mean the last upload of this one. */
function nextMarker(page: ListMultipartUploadsCommandOutput, found: readonly UnfinishedUpload[]): Marker | undefined {
  if (!page.IsTruncated) return undefined
  const { NextKeyMarker, NextUploadIdMarker, EncodingType } = page
  if (NextKeyMarker) {
    const KeyMarker = EncodingType === 'url' ? decodeKey(NextKeyMarker) : NextKeyMarker
    return { KeyMarker, UploadIdMarker: NextUploadIdMarker || undefined }
  }
  const last = found.at(-1)
  return last && { KeyMarker: last.key, UploadIdMarker: last.uploadId }
}

function nameOf({ key, uploadId }: UnfinishedUpload): string {
  return `${uploadId}/${key}`
}

/** Whoever may abort uploads need not be allowed to list their parts; and one may be gone. */
function unlessUnanswerable(error: unknown): undefined {
  const { status } = error as { readonly status?: number | undefined }
  if (status === undefined || ![403, 404, 405, 501].includes(status)) throw error
}

function unlessGone(error: unknown): void {
  if (!saysUploadIsGone(error)) throw error
}
