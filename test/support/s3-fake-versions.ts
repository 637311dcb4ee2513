import { element, s3Error, type WireAnswer, xml } from './s3-fake-answers.ts'
import type { FakeBody } from './s3-fake-body.ts'
import type { FakeRequest } from './s3-fake-request.ts'
import type { createStore, StoredObject } from './s3-fake-store.ts'

type Store = ReturnType<typeof createStore>

/** What a bucket's versioning may be set to; undefined: it never was. */
export type FakeVersioning = 'Enabled' | 'Suspended' | undefined

interface Version {
  readonly versionId: string
  /** Undefined where it says that the object was deleted. */
  readonly object: StoredObject | undefined
  readonly lastModified: Date
}

interface VersionedStore extends Pick<Store, 'perform' | 'put'> {
  /** How many versions there are in a bucket, marks of deletion included. */
  countVersions(bucket: string): number
}

/** A view of the store whose objects keep their versions, as long as `versioning` says so. */
export function keepVersions(store: Store, versioning: () => FakeVersioning): VersionedStore {
  const histories = new Map<string, Version[]>()
  let count = 0
  const nameOf = (bucket: string, key: string): string => `${bucket}/${key}`
  const historyOf = (bucket: string, key: string): readonly Version[] => histories.get(nameOf(bucket, key)) ?? []

  function keep(bucket: string, key: string, object: StoredObject | undefined): string {
    count += 1
    const versionId = versioning() === 'Enabled' ? `version-${String(count).padStart(6, '0')}` : 'null'
    const before = historyOf(bucket, key).filter((version) => version.versionId !== versionId)
    histories.set(nameOf(bucket, key), [{ versionId, object, lastModified: new Date() }, ...before])
    return versionId
  }

  function remove({ bucket, key, query }: FakeRequest): WireAnswer {
    if (query.versionId === undefined) {
      const versionId = keep(bucket, key, undefined)
      store.replace(bucket, key, undefined)
      return { status: 204, headers: { 'x-amz-version-id': versionId, 'x-amz-delete-marker': 'true' } }
    }
    const rest = historyOf(bucket, key).filter(({ versionId }) => versionId !== query.versionId)
    histories.set(nameOf(bucket, key), rest)
    store.replace(bucket, key, rest[0]?.object)
    return { status: 204, headers: { 'x-amz-version-id': query.versionId } }
  }

  function list({ bucket, query }: FakeRequest): WireAnswer {
    const { prefix = '', 'key-marker': afterKey = '', 'version-id-marker': afterVersion = '' } = query
    const limit = Number(query['max-keys'] ?? 1000)
    const all = [...histories]
      .filter(([name]) => name.startsWith(nameOf(bucket, prefix)))
      .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .flatMap(([name, versions]) =>
        versions.map((version, index) => ({ ...version, key: name.slice(bucket.length + 1), isLatest: index === 0 })),
      )
    const marked = all.findIndex(({ key, versionId }) => key === afterKey && versionId === afterVersion)
    const page = all.slice(marked + 1, marked + 1 + limit)
    const isTruncated = marked + 1 + page.length < all.length
    const encode = query['encoding-type'] === 'url' ? encodeURIComponent : (key: string) => key
    const last = isTruncated ? page.at(-1) : undefined
    const entries = page.map(({ key, versionId, isLatest, object, lastModified }) => {
      const fields = {
        Key: encode(key),
        VersionId: versionId,
        IsLatest: isLatest,
        LastModified: lastModified.toISOString(),
      }
      if (object === undefined) return `<DeleteMarker>${element(fields)}</DeleteMarker>`
      return `<Version>${element({ ...fields, ETag: object.etag, Size: object.size })}</Version>`
    })
    const head = element({
      Name: bucket,
      IsTruncated: isTruncated,
      EncodingType: query['encoding-type'],
      NextKeyMarker: last && encode(last.key),
      NextVersionIdMarker: last?.versionId,
    })
    return xml(200, 'ListVersionsResult', head + entries.join(''))
  }

  return {
    countVersions: (bucket) =>
      [...histories].reduce((sum, [name, { length }]) => sum + (name.startsWith(`${bucket}/`) ? length : 0), 0),
    put(bucket, key, bytes) {
      store.put(bucket, key, bytes)
      if (versioning() !== undefined) keep(bucket, key, store.object(bucket, key))
    },
    async perform(request: FakeRequest, body: FakeBody) {
      const { operation, bucket, key } = request
      if (operation === 'GetBucketVersioning') {
        if (!store.has(bucket)) return s3Error(404, 'NoSuchBucket', 'The specified bucket does not exist')
        return xml(200, 'VersioningConfiguration', element({ Status: versioning() }))
      }
      if (operation === 'ListObjectVersions') return list(request)
      if (versioning() === undefined) return store.perform(request, body)
      if (operation === 'DeleteObject') return remove(request)
      const answer = await store.perform(request, body)
      const isStored = operation === 'PutObject' || operation === 'CompleteMultipartUpload'
      if (answer.status !== 200 || !(isStored || operation === 'HeadObject')) return answer
      const versionId = isStored ? keep(bucket, key, store.object(bucket, key)) : historyOf(bucket, key)[0]?.versionId
      return { ...answer, headers: { ...answer.headers, ...(versionId && { 'x-amz-version-id': versionId }) } }
    },
  }
}
