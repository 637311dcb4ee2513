import type { ObjectCannedACL, ServerSideEncryption, StorageClass } from '@aws-sdk/client-s3'
import type { ObjectProperties, ObjectToPut } from '../destination.ts'
import { withMtime } from '../mtime.ts'

/**
 * What is kept with an object, as the model holds it: for `PutObject` and `CreateMultipartUpload`. Parts have none of it.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
 */
export function propertyFields({ properties = {}, mtimeNs }: Pick<ObjectToPut, 'properties' | 'mtimeNs'>) {
  const { cacheControl, contentEncoding, contentDisposition, tags, storageClass, acl, sse } = properties
  const metadata = withMtime(properties.metadata, mtimeNs)
  const keyId = kmsKeyOf(properties)
  return {
    ...(cacheControl === undefined ? {} : { CacheControl: cacheControl }),
    ...(contentEncoding === undefined ? {} : { ContentEncoding: contentEncoding }),
    ...(contentDisposition === undefined ? {} : { ContentDisposition: contentDisposition }),
    ...(metadata === undefined ? {} : { Metadata: { ...metadata } }),
    ...(tags === undefined ? {} : { Tagging: taggingOf(tags) }),
    // What the user names goes to the server as it is: it may know others than the SDK's model does.
    ...(storageClass === undefined ? {} : { StorageClass: storageClass as StorageClass }),
    ...(acl === undefined ? {} : { ACL: acl as ObjectCannedACL }),
    ...(sse === undefined ? {} : { ServerSideEncryption: sse as ServerSideEncryption }),
    ...(keyId === undefined ? {} : { SSEKMSKeyId: keyId }),
  }
}

/** A key that a weaker layer of the settings names is of no use where a stronger one chose another encryption. */
function kmsKeyOf({ sse, sseKmsKeyId }: ObjectProperties): string | undefined {
  return sse?.startsWith('aws:kms') ? sseKmsKeyId : undefined
}

/**
 * Tags as the header has them: a query string.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html#AmazonS3-PutObject-request-header-Tagging
 */
function taggingOf(tags: Readonly<Record<string, string>>): string {
  return Object.entries(tags)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&')
}

/**
 * The condition that there is no object under the key: for `PutObject` and `CompleteMultipartUpload`.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export function conditionFields(ifAbsent: boolean | undefined) {
  return ifAbsent ? { IfNoneMatch: '*' } : {}
}
