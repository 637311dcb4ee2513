import { DeleteObjectCommand, HeadObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import type { S3Url } from '../../config/destination-url.ts'
import type { Settings } from '../../config/settings.ts'
import type { Destination, DestinationLimits, ObjectInfo } from '../destination.ts'
import { connectS3 } from './client.ts'
import { toS3UploadError } from './errors.ts'
import { keyProblem } from './key-problem.ts'
import type { Patience } from './request-handler.ts'
import { createStandardPut } from './standard.ts'
import { maxParts, minPartSize } from './upload-plan.ts'

const GiB = 2 ** 30

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const limits: DestinationLimits = {
  maxObjectSize: maxParts * 5 * GiB,
  minPartSize,
  maxPartSize: 5 * GiB,
  maxParts,
  keyProblem,
}

/**
 * A bucket of Amazon S3, or of a server that speaks its protocol.
 *
 * @param patience waiting times other than the usual ones
 * @throws UsageError where the profile, the endpoint, a proxy or a bundle of certificates cannot be used.
 */
export async function openS3Destination(
  settings: Pick<Settings, 's3' | 'tls' | 'multipartThreshold'>,
  { url, bucket }: Pick<S3Url, 'url' | 'bucket'>,
  patience?: Patience,
): Promise<Destination> {
  const connection = await connectS3(settings.s3, settings.tls, patience)
  const { client } = connection
  const put = createStandardPut({ client, bucket, threshold: settings.multipartThreshold })

  async function mapped<Answer>(permission: string, answer: Promise<Answer>): Promise<Answer> {
    try {
      return await answer
    } catch (error) {
      const unsigned = !settings.s3.signRequest
      throw toS3UploadError(error, { bucket, permission, unsigned, host: connection.host(), proxy: connection.proxy() })
    }
  }

  return {
    url,
    endpoint: connection.endpoint,
    engine: 'standard',
    limits,
    putObject: (object, body, call) => mapped('s3:PutObject', put(object, body, call)),

    headObject(key, { signal }) {
      const head = client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: signal }).then(
        (answer): ObjectInfo => ({
          key,
          size: answer.ContentLength ?? 0,
          etag: answer.ETag,
          versionId: answer.VersionId,
          lastModified: answer.LastModified,
        }),
        (error) => {
          if (statusOf(error) === 404) return undefined
          throw error
        },
      )
      return mapped('s3:GetObject', head)
    },

    async deleteObject(key, versionId, { signal }) {
      const input = { Bucket: bucket, Key: key, VersionId: versionId }
      await mapped('s3:DeleteObject', client.send(new DeleteObjectCommand(input), { abortSignal: signal }))
    },

    async *listObjects(prefix, { signal }) {
      let token: string | undefined
      do {
        const input = { Bucket: bucket, Prefix: prefix, ContinuationToken: token, EncodingType: 'url' as const }
        const page = await mapped(
          's3:ListBucket',
          client.send(new ListObjectsV2Command(input), { abortSignal: signal }),
        )
        for (const { Key, Size, ETag, LastModified } of page.Contents ?? []) {
          if (Key === undefined) continue
          const key = page.EncodingType === 'url' ? decodeKey(Key) : Key
          yield { key, size: Size ?? 0, etag: ETag, lastModified: LastModified }
        }
        // A server that repeats its token would be asked for ever.
        token = page.NextContinuationToken === token ? undefined : page.NextContinuationToken
      } while (token !== undefined)
    },

    async close() {
      client.destroy()
    },
  }
}

/** Keys are asked for percent-encoded, since XML cannot hold every character; a space may come as `+`. */
function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '))
  } catch {
    return key
  }
}

function statusOf(error: unknown): number | undefined {
  return (error as { readonly $metadata?: { readonly httpStatusCode?: number } }).$metadata?.httpStatusCode
}
