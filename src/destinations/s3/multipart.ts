import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { UploadError } from '../../errors.ts'
import type { Call, MultipartUpload, MultipartUploads, ObjectInfo, ObjectToPut, Part } from '../destination.ts'
import { crc32Checksum } from './checksum.ts'
import type { ChecksumUse } from './checksum-use.ts'
import type { FastUpload } from './fast-upload.ts'
import { saysUploadIsGone, wasCompleted } from './settle-complete.ts'
import { strangeAnswer } from './strange-answer.ts'

export interface S3MultipartOptions {
  readonly client: S3Client
  readonly bucket: string
  readonly upload: FastUpload['upload']
  readonly checksum: ChecksumUse
  /** Turns what a request threw into an `UploadError`. */
  readonly mapped: <Answer>(permission: string, answer: Promise<Answer>) => Promise<Answer>
}

/** Parts of one object the destination wants to see at once: as many as there are slots. */
const maxConcurrentParts = 10_000

/**
 * Multipart uploads: the parts by this program's wire, everything else by the SDK.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
 */
export function createS3Multipart({ client, bucket, upload, checksum, mapped }: S3MultipartOptions): MultipartUploads {
  return {
    async create(object, { signal }) {
      const begin = () => {
        const input = {
          Bucket: bucket,
          Key: object.key,
          ContentType: object.contentType,
          ...(checksum.isOn() ? { ChecksumAlgorithm: 'CRC32' as const } : {}),
        }
        return client.send(new CreateMultipartUploadCommand(input), { abortSignal: signal })
      }
      const hadChecksum = checksum.isOn()
      const answer = await mapped(
        's3:PutObject',
        begin().catch((error) => {
          if (hadChecksum && checksum.isRefusedBy(error)) return begin()
          throw error
        }),
      )
      if (answer.UploadId === undefined) throw strangeAnswer()
      // Parts are named with their checksums at the end only where the server said that it keeps them.
      return uploadOf(object, answer.UploadId, answer.ChecksumAlgorithm === 'CRC32')
    },

    async resume(uploadId, object, call) {
      const input = { Bucket: bucket, Key: object.key, UploadId: uploadId, MaxParts: 1 }
      try {
        const answer = await mapped(
          's3:ListMultipartUploadParts',
          client.send(new ListPartsCommand(input), { abortSignal: call.signal }),
        )
        return uploadOf(object, uploadId, answer.ChecksumAlgorithm === 'CRC32')
      } catch (error) {
        if (isGone(error)) return undefined
        throw error
      }
    },
  }

  function uploadOf(object: ObjectToPut, uploadId: string, keepsChecksums: boolean): MultipartUpload {
    const target = { Bucket: bucket, Key: object.key, UploadId: uploadId }
    let mayBeComplete = false

    async function list({ signal }: Call): Promise<readonly Part[]> {
      const parts: Part[] = []
      let after: string | undefined
      for (;;) {
        const input = { ...target, ...(after === undefined ? {} : { PartNumberMarker: after }) }
        const page = await client.send(new ListPartsCommand(input), { abortSignal: signal })
        for (const { PartNumber, Size, ETag, ChecksumCRC32 } of page.Parts ?? []) {
          if (PartNumber === undefined || PartNumber <= Number(after ?? 0)) continue
          const checksum = crc32Checksum(ChecksumCRC32 || undefined)
          parts.push({ partNumber: PartNumber, size: Size ?? object.partSize, etag: ETag, checksum })
        }
        const next = page.IsTruncated ? page.NextPartNumberMarker : undefined
        // A server that repeats its marker would be asked for ever.
        if (next === undefined || next === after) return parts
        after = next
      }
    }

    return {
      uploadId,
      partSize: object.partSize,
      maxConcurrentParts,

      listParts: (call) => mapped('s3:ListMultipartUploadParts', list(call)),

      async uploadPart(partNumber, body, call) {
        const stored = await mapped(
          's3:PutObject',
          upload({ key: object.key, part: { partNumber, uploadId } }, body, call),
        )
        return { partNumber, size: body.size, etag: stored.etag, checksum: crc32Checksum(stored.crc32) }
      },

      async complete(parts, call): Promise<ObjectInfo> {
        const size = parts.reduce((sum, part) => sum + part.size, 0)
        const Parts = parts.map(({ partNumber, etag, checksum }) => ({
          PartNumber: partNumber,
          ETag: etag,
          ...(keepsChecksums && checksum !== undefined ? { ChecksumCRC32: checksum.value } : {}),
        }))
        const command = new CompleteMultipartUploadCommand({ ...target, MultipartUpload: { Parts } })
        try {
          const answer = await mapped('s3:PutObject', client.send(command, { abortSignal: call.signal }))
          if (answer.ETag === undefined) throw strangeAnswer()
          return { key: object.key, size, etag: answer.ETag, versionId: answer.VersionId }
        } catch (error) {
          mayBeComplete ||= isInDoubt(error)
          // That the upload is gone says something only where this program may have completed it before.
          if (!mayBeComplete || !(isInDoubt(error) || isGone(error))) throw error
          const settled = await wasCompleted({ client, ...target, size, parts, signal: call.signal })
          if (settled === undefined) throw error
          return { key: object.key, size, ...settled }
        }
      },

      async abort({ signal }) {
        const answer = client.send(new AbortMultipartUploadCommand(target), { abortSignal: signal })
        await mapped('s3:AbortMultipartUpload', answer).catch((error) => {
          if (!isGone(error)) throw error
        })
      },
    }
  }
}

function isGone(error: unknown): boolean {
  return saysUploadIsGone((error as { readonly cause?: unknown }).cause)
}

/** What leaves open whether the server did what it was asked to. */
function isInDoubt(error: unknown): boolean {
  if (!(error instanceof UploadError) || isGone(error)) return false
  return ['CONNECTION', 'TIMEOUT', 'STALLED', 'BAD_RESPONSE', 'SERVER_ERROR'].includes(error.code)
}
