import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import type { S3Url } from '../../config/destination-url.ts'
import { fault } from '../../config/given.ts'
import { supabaseNameProblem } from '../../config/supabase-names.ts'
import { UploadError, UsageError } from '../../errors.ts'
import { type Patience, patienceFor } from '../../http/patience.ts'
import type { Destination, DestinationLimits, IfAbsent, ObjectInfo } from '../destination.ts'
import { fixName } from '../supabase/names.ts'
import { fullObjectChecksum } from './checksum.ts'
import { connectS3, type S3Connection } from './client.ts'
import { decodeKey } from './decode-key.ts'
import type { S3DestinationSettings, S3Engine, S3Surroundings } from './engine.ts'
import { toS3UploadError } from './errors.ts'
import { head, statusOf } from './head.ts'
import { keyProblem, keyProblemAtSupabase } from './key-problem.ts'
import { capturePut } from './template.ts'
import { unkeptProblem } from './unkept-properties.ts'
import { maxParts, minPartSize } from './upload-plan.ts'
import { createVersions, type Versions } from './versions.ts'

const GiB = 2 ** 30

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const limits: DestinationLimits = {
  maxObjectSize: maxParts * 5 * GiB,
  minPartSize,
  maxPartSize: 5 * GiB,
  maxParts,
  keyProblem,
}
const limitsAtSupabase: DestinationLimits = { ...limits, keyProblem: keyProblemAtSupabase, fixName }

/**
 * A bucket of Amazon S3, or of a server that speaks its protocol.
 *
 * @param warn for what the user has to know, once
 * @param otherPatience waiting times other than the usual ones
 * @throws UsageError where the profile, the endpoint, a proxy or a bundle of certificates cannot be used, or Supabase's
 * endpoint can hold nothing under the prefix, or not keep others from what is sent.
 */
export async function openS3Destination(
  settings: S3DestinationSettings,
  { url, bucket }: Pick<S3Url, 'url' | 'bucket'>,
  warn: (message: string) => void = () => {},
  otherPatience: Partial<Patience> = {},
): Promise<Destination> {
  const patience = { ...patienceFor(settings.timeouts), ...otherPatience }
  const connection = await connectS3(settings.s3, settings.tls, patience, settings.checksum)
  const { client } = connection
  const problem = connection.isSupabase
    ? (supabaseNameProblem(url.slice('s3://'.length)) ??
      unkeptProblem(settings, { to: url, endpoint: connection.endpoint }, warn))
    : undefined
  if (problem !== undefined) {
    client.destroy()
    throw new UsageError(fault('destination', problem))
  }

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
    limits: connection.isSupabase ? limitsAtSupabase : limits,
    ifAbsent: ifAbsentAt(connection),
    putObject: engine.putObject,
    small: engine.small,
    ...(engine.multipart === undefined ? {} : { multipart: engine.multipart }),

    headObject(key, { signal }, { checksum } = { checksum: false }) {
      const found = head(key, { client, bucket, signal, checksum }).then(
        (answer): ObjectInfo => ({
          key,
          size: answer.ContentLength ?? 0,
          etag: answer.ETag,
          versionId: answer.VersionId,
          lastModified: answer.LastModified,
          ...(checksum ? { checksum: fullObjectChecksum(answer) } : {}),
        }),
        (error) => {
          if (statusOf(error) === 404) return undefined
          throw error
        },
      )
      // Without the second, S3 denies to say that there is nothing.
      return mapped('s3:GetObject and s3:ListBucket', found)
    },

    ...versionsAt(connection, createVersions({ client, bucket, mapped })),

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
        const next = page.NextContinuationToken === token ? undefined : page.NextContinuationToken
        if (page.IsTruncated === true && next === undefined) {
          const message = `${connection.host()} breaks off its listing: there is more, but it does not say where`
          throw new UploadError('BAD_RESPONSE', message, { retryable: false })
        }
        token = next
      } while (token !== undefined)
    },

    /** The SDK takes many times as long over its first request as over any other, and finds credentials for it. */
    async prepare() {
      await capturePut(client, bucket, 'crc32')
    },

    async close() {
      engine.close()
      client.destroy()
    },
  }
}

function ifAbsentAt({ isAws, isSupabase }: S3Connection): IfAbsent {
  if (isAws) return 'atomic'
  // Supabase takes no notice of the condition: what keeps an object is that the run asks for it first.
  return isSupabase ? 'checked' : 'unknown'
}

/** Supabase keeps no versions, but answers of every bucket that it did once. */
function versionsAt(
  { isSupabase }: S3Connection,
  versions: Versions,
): Partial<Versions> & Pick<Versions, 'deleteObject'> {
  return isSupabase ? { deleteObject: versions.deleteObject } : versions
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
