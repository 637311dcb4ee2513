import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { wholeChecksum } from '../../checksums/whole-checksum.ts'
import { UploadError } from '../../errors.ts'
import type { Call, MultipartUpload, MultipartUploads, ObjectInfo, ObjectToPut, Part } from '../destination.ts'
import { checksumIn, fullObjectChecksum } from './checksum.ts'
import { type ChecksumUse, refusesChecksum, refusesPartChecksum } from './checksum-use.ts'
import type { FastObject, FastUpload } from './fast-upload.ts'
import {
  beginFields,
  compareCompleted,
  type KeptChecksums,
  keptChecksums,
  partFields,
  wholeFields,
} from './multipart-checksum.ts'
import { conditionFields, propertyFields } from './object-fields.ts'
import { saysUploadIsGone, wasCompleted } from './settle-complete.ts'
import { strangeAnswer } from './strange-answer.ts'
import { createUnfinished } from './unfinished.ts'

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
  /** Until the endpoint turns out not to know it. */
  let takesType = true

  /** Begins an upload with as much of the checksums as the endpoint takes. */
  async function begin(object: ObjectToPut, signal: AbortSignal) {
    for (;;) {
      const [algorithm, withType] = [checksum.algorithm(), takesType]
      const fields = { ...beginFields(algorithm, withType), ...propertyFields(object) }
      const input = { Bucket: bucket, Key: object.key, ContentType: object.contentType, ...fields }
      try {
        const answer = await client.send(new CreateMultipartUploadCommand(input), { abortSignal: signal })
        return { uploadId: answer.UploadId, kept: algorithm && keptChecksums(answer) }
      } catch (error) {
        if ('ChecksumType' in fields && refusesChecksum(error)) takesType = false
        else if (algorithm === undefined || !checksum.isRefusedBy(error)) throw error
      }
    }
  }

  return {
    ...createUnfinished({ client, bucket, mapped }),
    isOpenEnded: true,

    async create(object, { signal }) {
      const begunMs = Date.now()
      const { uploadId, kept } = await mapped('s3:PutObject', begin(object, signal))
      if (uploadId === undefined) throw strangeAnswer()
      return uploadOf(object, uploadId, kept, begunMs)
    },

    async resume(uploadId, object, call) {
      const input = { Bucket: bucket, Key: object.key, UploadId: uploadId, MaxParts: 1 }
      try {
        const answer = await mapped(
          's3:ListMultipartUploadParts',
          client.send(new ListPartsCommand(input), { abortSignal: call.signal }),
        )
        return uploadOf(object, uploadId, keptChecksums(answer))
      } catch (error) {
        if (isGone(error)) return undefined
        throw error
      }
    },
  }

  function uploadOf(
    object: ObjectToPut,
    uploadId: string,
    kept: KeptChecksums | undefined,
    begunMs?: number,
  ): MultipartUpload {
    const target = { Bucket: bucket, Key: object.key, UploadId: uploadId }
    /** Parts have to have the checksum their upload was begun with, in another run perhaps. */
    let ofParts: FastObject['checksum'] = kept?.algorithm === checksum.algorithm() ? undefined : kept?.algorithm
    let mayBeComplete = false
    let mismatch: unknown

    async function list({ signal }: Call): Promise<readonly Part[]> {
      const parts: Part[] = []
      let after: string | undefined
      for (;;) {
        const input = { ...target, ...(after === undefined ? {} : { PartNumberMarker: after }) }
        const page = await client.send(new ListPartsCommand(input), { abortSignal: signal })
        for (const { PartNumber, Size, ETag, ...fields } of page.Parts ?? []) {
          if (PartNumber === undefined || PartNumber <= Number(after ?? 0)) continue
          const size = Size ?? sizeOfPart(PartNumber, object)
          parts.push({ partNumber: PartNumber, size, etag: ETag, checksum: checksumIn(fields) })
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
        const part = { key: object.key, part: { partNumber, uploadId } }
        const sent = ofParts
        const stored = await mapped(
          's3:PutObject',
          upload({ ...part, checksum: sent }, body, call).catch((error) => {
            if (kept !== undefined || sent !== undefined || !refusesPartChecksum(error)) throw error
            ofParts = 'none'
            return upload({ ...part, checksum: ofParts }, body, call)
          }),
        )
        return { partNumber, size: body.size, etag: stored.etag, checksum: stored.checksum }
      },

      async complete(parts, call): Promise<ObjectInfo> {
        const size = parts.reduce((sum, part) => sum + part.size, 0)
        const whole = wholeChecksum(parts)
        const Parts = parts.map((part) => ({
          PartNumber: part.partNumber,
          ETag: part.etag,
          ...partFields(kept, part),
        }))
        const command = new CompleteMultipartUploadCommand({
          ...target,
          ...wholeFields(kept, whole),
          ...conditionFields(object.ifAbsent),
          MultipartUpload: { Parts },
        })
        try {
          // What was made of other bytes is there, and the upload gone: to ask again would not change that.
          if (mismatch !== undefined) throw mismatch
          const answer = await mapped('s3:PutObject', client.send(command, { abortSignal: call.signal }))
          if (answer.ETag === undefined) throw strangeAnswer()
          await compareCompleted(answer, parts).catch((error) => {
            mismatch = error
            throw error
          })
          const { ETag: etag, VersionId: versionId } = answer
          return { key: object.key, size, etag, versionId, checksum: whole ?? fullObjectChecksum(answer) }
        } catch (error) {
          mayBeComplete ||= isInDoubt(error) && !(object.ifAbsent && isConflict(error))
          // That the upload is gone, or an object there, says something only where this program may have completed it
          // before.
          if (!mayBeComplete || !(isInDoubt(error) || isGone(error) || isTaken(error))) throw error
          const { ifAbsent = false } = object
          const asked = { client, ...target, size, parts, whole, begunMs, ifAbsent, signal: call.signal }
          const settled = await wasCompleted(asked)
          if (settled === undefined) throw error
          return { key: object.key, size, ...settled, checksum: whole }
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

/**
 * Bytes of a part as this program cuts an object, for servers that do not say them (Supabase): whether the part holds the
 * file's bytes, its ETag tells.
 */
function sizeOfPart(partNumber: number, { partSize, size = Number.POSITIVE_INFINITY }: ObjectToPut): number {
  return Math.max(0, Math.min(partSize, size - (partNumber - 1) * partSize))
}

function isGone(error: unknown): boolean {
  return saysUploadIsGone((error as { readonly cause?: unknown }).cause)
}

function isTaken(error: unknown): boolean {
  return error instanceof UploadError && error.code === 'ALREADY_EXISTS'
}

/** Somebody else is storing an object of the same key: nothing has been made of this upload. */
function isConflict(error: unknown): boolean {
  return error instanceof UploadError && error.status === 409
}

/** What leaves open whether the server did what it was asked to. */
function isInDoubt(error: unknown): boolean {
  if (!(error instanceof UploadError) || isGone(error)) return false
  return ['CONNECTION', 'TIMEOUT', 'STALLED', 'BAD_RESPONSE', 'SERVER_ERROR'].includes(error.code)
}
