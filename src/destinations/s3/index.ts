import { DeleteObjectCommand, HeadObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import type { S3Url } from '../../config/destination-url.ts'
import type { Settings } from '../../config/settings.ts'
import type { UploadError } from '../../errors.ts'
import type { Destination, DestinationLimits, ObjectInfo } from '../destination.ts'
import { connectS3, type S3Connection } from './client.ts'
import { toS3UploadError } from './errors.ts'
import { keyProblem } from './key-problem.ts'
import { defaultPatience, type Patience } from './request-handler.ts'
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

export type S3DestinationSettings = Pick<
  Settings,
  's3' | 'tls' | 'multipartThreshold' | 'engine' | 'bufferSize' | 'concurrency'
>

/** What both engines share. */
export interface S3Surroundings {
  readonly settings: S3DestinationSettings
  readonly bucket: string
  readonly connection: S3Connection
  readonly patience: Patience
  /** For what the user has to know, once. */
  readonly warn: (message: string) => void
  /** What a request threw, as an `UploadError`. */
  readonly explain: (permission: string, thrown: unknown) => UploadError
  /** An answer, or what was thrown for it as an `UploadError`. */
  readonly mapped: <Answer>(permission: string, answer: Promise<Answer>) => Promise<Answer>
}

/** What an engine is: the ways to send bytes. */
export type S3Engine = Pick<Destination, 'engine' | 'putObject' | 'small' | 'multipart'> & { close(): void }

/**
 * A bucket of Amazon S3, or of a server that speaks its protocol.
 *
 * @param warn for what the user has to know, once
 * @param patience waiting times other than the usual ones
 * @throws UsageError where the profile, the endpoint, a proxy or a bundle of certificates cannot be used.
 */
export async function openS3Destination(
  settings: S3DestinationSettings,
  { url, bucket }: Pick<S3Url, 'url' | 'bucket'>,
  warn: (message: string) => void = () => {},
  patience: Patience = defaultPatience,
): Promise<Destination> {
  const connection = await connectS3(settings.s3, settings.tls, patience)
  const { client } = connection

  function explain(permission: string, thrown: unknown): UploadError {
    const unsigned = !settings.s3.signRequest
    return toS3UploadError(thrown, { bucket, permission, unsigned, host: connection.host(), proxy: connection.proxy() })
  }
  async function mapped<Answer>(permission: string, answer: Promise<Answer>): Promise<Answer> {
    try {
      return await answer
    } catch (error) {
      throw explain(permission, error)
    }
  }

  const engine = await openEngine({ settings, bucket, connection, patience, warn, explain, mapped })
  return {
    url,
    endpoint: connection.endpoint,
    engine: engine.engine,
    limits,
    putObject: engine.putObject,
    small: engine.small,
    ...(engine.multipart === undefined ? {} : { multipart: engine.multipart }),

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
      engine.close()
      client.destroy()
    },
  }
}

/** Directory buckets take requests signed for a session, which only the vendor's library begins. */
const wantsSession = /--xa?-s3$/

/** Each engine's code is loaded only where it is used. */
async function openEngine(around: S3Surroundings): Promise<S3Engine> {
  const { settings, bucket } = around
  if (settings.engine === 'fast' && !wantsSession.test(bucket))
    return (await import('./fast.ts')).openFastEngine(around)
  return (await import('./standard.ts')).openStandardEngine(around)
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
