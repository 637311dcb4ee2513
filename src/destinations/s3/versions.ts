import {
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  ListObjectVersionsCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { Destination, ObjectVersion, Versioning } from '../destination.ts'
import { decodeKey } from './decode-key.ts'
import type { S3Surroundings } from './engine.ts'

/** Few keys have more; what follows in a listing are other keys' versions. */
const versionsAsked = 20

/** Servers that know nothing of versions say so in one of these ways. */
const withoutVersions: readonly number[] = [404, 405, 501]

/** What there is to ask and to do about versions. */
export type Versions = Required<Pick<Destination, 'versioning' | 'listVersions' | 'deleteObject'>>

interface VersionsOptions extends Pick<S3Surroundings, 'bucket' | 'mapped'> {
  readonly client: S3Client
}

/**
 * A bucket's earlier versions of its objects.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html
 */
export function createVersions({ client, bucket, mapped }: VersionsOptions): Versions {
  const listVersions: Versions['listVersions'] = async (key, { signal }) => {
    const found: ObjectVersion[] = []
    let after: { readonly KeyMarker: string; readonly VersionIdMarker: string | undefined } | undefined
    for (;;) {
      const input = { Bucket: bucket, Prefix: key, MaxKeys: versionsAsked, EncodingType: 'url' as const, ...after }
      const page = await mapped(
        's3:ListBucketVersions',
        client.send(new ListObjectVersionsCommand(input), { abortSignal: signal }),
      )
      const named = (name: string | undefined): string | undefined =>
        name !== undefined && page.EncodingType === 'url' ? decodeKey(name) : name
      for (const version of page.Versions ?? []) {
        if (named(version.Key) === key) found.push(toVersion({ ...version, isDeleteMarker: false }))
      }
      for (const marker of page.DeleteMarkers ?? []) {
        if (named(marker.Key) === key) found.push(toVersion({ ...marker, isDeleteMarker: true }))
      }
      const next = named(page.NextKeyMarker)
      // Versions of one key stand together, before those of longer ones. Who repeats a marker would be asked for ever.
      const goesOn = page.IsTruncated === true && next === key && page.NextVersionIdMarker !== after?.VersionIdMarker
      if (!goesOn) return found.sort(newestFirst)
      after = { KeyMarker: next, VersionIdMarker: page.NextVersionIdMarker }
    }
  }

  return {
    async versioning({ signal }) {
      const input = new GetBucketVersioningCommand({ Bucket: bucket })
      const asked = client.send(input, { abortSignal: signal }).then(
        ({ Status }): Versioning => (Status === 'Enabled' ? 'on' : Status === 'Suspended' ? 'suspended' : 'off'),
        (error) => {
          const { name, status } = factsOf(error)
          if (name === 'AccessDenied' || status === 403) return 'unknown' as const
          if (name !== 'NoSuchBucket' && withoutVersions.includes(status)) return 'off' as const
          throw error
        },
      )
      return mapped('s3:GetBucketVersioning', asked)
    },

    listVersions,

    async deleteObject(key, versionId, call) {
      const input = { Bucket: bucket, Key: key, VersionId: versionId }
      const sent = client.send(new DeleteObjectCommand(input), { abortSignal: call.signal })
      if (versionId === undefined) return void (await mapped('s3:DeleteObject', sent.catch(unlessNoSuchKey)))
      const refused = await sent.then(
        () => undefined,
        (error) => ({ error }),
      )
      if (refused === undefined) return
      // Where the answer to a first request was lost, servers differ in what they call a version that has gone.
      const mayBeGone = [400, 404].includes(factsOf(refused.error).status)
      if (mayBeGone && !(await listVersions(key, call)).some((version) => version.versionId === versionId)) return
      await mapped('s3:DeleteObjectVersion', Promise.reject(refused.error))
    },
  }
}

/** S3 itself takes the removal of what is not there for done; some servers do not. */
function unlessNoSuchKey(error: unknown): void {
  if (factsOf(error).name !== 'NoSuchKey') throw error
}

interface ListedVersion {
  readonly VersionId?: string | undefined
  readonly IsLatest?: boolean | undefined
  readonly isDeleteMarker: boolean
  readonly Size?: number | undefined
  readonly ETag?: string | undefined
  readonly LastModified?: Date | undefined
}

function toVersion({ VersionId, IsLatest, isDeleteMarker, Size, ETag, LastModified }: ListedVersion): ObjectVersion {
  return {
    versionId: VersionId ?? 'null',
    isLatest: IsLatest === true,
    isDeleteMarker,
    size: Size ?? 0,
    etag: ETag,
    lastModified: LastModified,
  }
}

/** Versions and the marks of deletions are listed apart; of one second's, the server's order stands. */
function newestFirst(a: ObjectVersion, b: ObjectVersion): number {
  if (a.isLatest !== b.isLatest) return a.isLatest ? -1 : 1
  return (b.lastModified?.getTime() ?? 0) - (a.lastModified?.getTime() ?? 0)
}

function factsOf(error: unknown): { readonly name: string; readonly status: number } {
  const { name, $metadata } = error as {
    readonly name?: string
    readonly $metadata?: { readonly httpStatusCode?: number }
  }
  return { name: name ?? '', status: $metadata?.httpStatusCode ?? 0 }
}
