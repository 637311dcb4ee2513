import { Readable } from 'node:stream'
import { PutObjectCommand, type S3Client, UploadPartCommand } from '@aws-sdk/client-s3'
import { HttpResponse } from '@smithy/core/protocols'
import type { WireAnswer } from '../../http/send.ts'
import { answerHere } from './answer-here.ts'
import { strangeAnswer } from './strange-answer.ts'

/** What was to be uploaded. */
export interface UploadTarget {
  readonly key: string
  readonly part?: { readonly partNumber: number; readonly uploadId: string }
}

/**
 * What the SDK makes of an answer that is no success: it reads the document in it, corrects its clock by it, and finds
 * the bucket's region.
 *
 * @returns the SDK's error; `BAD_RESPONSE` where the answer is none of an S3 server
 */
export async function readError(
  client: S3Client,
  bucket: string,
  { key, part }: UploadTarget,
  { status, headers, body }: WireAnswer,
): Promise<unknown> {
  if (status >= 300 || /<Error[\s>]/.test(body.toString('utf8', 0, 1024))) {
    const target = { Bucket: bucket, Key: key }
    const command =
      part === undefined
        ? new PutObjectCommand(target)
        : new UploadPartCommand({ ...target, PartNumber: part.partNumber, UploadId: part.uploadId })
    try {
      await answerHere(client, command, () => {
        // An error may come with a status of success, where the server began to answer before it knew.
        const statusCode = status >= 300 ? status : 500
        return new HttpResponse({ statusCode, headers: { ...headers }, body: Readable.from([body]) })
      })
    } catch (error) {
      return error
    }
  }
  return strangeAnswer()
}
