import { element, type WireAnswer, xml } from './s3-fake-answers.ts'
import { checksumElements, type FakeKept } from './s3-fake-checksum.ts'
import type { FakeRequest } from './s3-fake-request.ts'
import type { PendingUpload, StoredObject } from './s3-fake-store.ts'

export function listObjects(
  bucket: ReadonlyMap<string, StoredObject>,
  { query, bucket: name }: FakeRequest,
): WireAnswer {
  const prefix = query.prefix ?? ''
  const after = query['continuation-token'] ?? query['start-after'] ?? ''
  const limit = Number(query['max-keys'] ?? 1000)
  const encode = query['encoding-type'] === 'url' ? encodeURIComponent : (key: string) => key
  const matching = [...bucket.values()]
    .filter(({ key }) => key.startsWith(prefix) && Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0)
    .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)))
  const page = matching.slice(0, limit)
  const truncated = matching.length > page.length
  const contents = page.map(({ key, size, etag, lastModified }) => {
    const fields = { Key: encode(key), LastModified: lastModified.toISOString(), ETag: etag, Size: size }
    return `<Contents>${element(fields)}</Contents>`
  })
  const head = element({
    Name: name,
    Prefix: encode(prefix),
    MaxKeys: limit,
    KeyCount: page.length,
    IsTruncated: truncated,
    EncodingType: query['encoding-type'],
    NextContinuationToken: truncated ? page.at(-1)?.key : undefined,
  })
  return xml(200, 'ListBucketResult', head + contents.join(''))
}

export function listParts(upload: PendingUpload, { query }: FakeRequest, kept: FakeKept | undefined): WireAnswer {
  const after = Number(query['part-number-marker'] ?? 0)
  const limit = Number(query['max-parts'] ?? 1000)
  const held = [...upload.parts].filter(([partNumber]) => partNumber > after).sort(([a], [b]) => a - b)
  const page = held.slice(0, limit)
  const truncated = held.length > page.length
  const parts = page.map(([PartNumber, { size, etag, checksum }]) => {
    const LastModified = new Date(0).toISOString()
    const fields = { PartNumber, ETag: etag, Size: size, LastModified, ...checksumElements(checksum, false) }
    return `<Part>${element(fields)}</Part>`
  })
  const head = element({
    Bucket: upload.bucket,
    Key: upload.key,
    UploadId: upload.uploadId,
    MaxParts: limit,
    ChecksumAlgorithm: kept?.algorithm,
    ChecksumType: kept?.type,
    IsTruncated: truncated,
    NextPartNumberMarker: truncated ? page.at(-1)?.[0] : undefined,
  })
  return xml(200, 'ListPartsResult', head + parts.join(''))
}

export function listUploads(
  uploads: ReadonlyMap<string, PendingUpload>,
  { query, bucket: name }: FakeRequest,
): WireAnswer {
  const prefix = query.prefix ?? ''
  const [keyMarker, idMarker] = [query['key-marker'] ?? '', query['upload-id-marker'] ?? '']
  const limit = Number(query['max-uploads'] ?? 1000)
  const encode = query['encoding-type'] === 'url' ? encodeURIComponent : (key: string) => key
  const order = (key: string, uploadId: string) => Buffer.from(`${key}\0${uploadId}`)
  // Without an id the marker stands behind all uploads of its key.
  const after = keyMarker === '' ? Buffer.of() : order(keyMarker, idMarker === '' ? '\u{10ffff}' : idMarker)
  const matching = [...uploads.values()]
    .filter(({ bucket, key }) => bucket === name && key.startsWith(prefix))
    .map((upload) => ({ upload, at: order(upload.key, upload.uploadId) }))
    .filter(({ at }) => Buffer.compare(at, after) > 0)
    .sort((a, b) => Buffer.compare(a.at, b.at))
    .map(({ upload }) => upload)
  const page = matching.slice(0, limit)
  const truncated = matching.length > page.length
  const last = truncated ? page.at(-1) : undefined
  const head = element({
    Bucket: name,
    MaxUploads: limit,
    IsTruncated: truncated,
    EncodingType: query['encoding-type'],
    NextKeyMarker: last && encode(last.key),
    NextUploadIdMarker: last?.uploadId,
  })
  const listed = page.map(({ key, uploadId, initiated }) => {
    return `<Upload>${element({ Key: encode(key), UploadId: uploadId, Initiated: initiated.toISOString() })}</Upload>`
  })
  return xml(200, 'ListMultipartUploadsResult', head + listed.join(''))
}
