import type { ObjectProperties } from '../destination.ts'

/** What is kept with an object, as the model holds it: for `PutObject` and `CreateMultipartUpload`. */
export function propertyFields({ cacheControl, metadata }: ObjectProperties = {}) {
  return {
    ...(cacheControl === undefined ? {} : { CacheControl: cacheControl }),
    ...(metadata === undefined ? {} : { Metadata: { ...metadata } }),
  }
}

/**
 * The condition that there is no object under the key: for `PutObject` and `CompleteMultipartUpload`.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export function conditionFields(ifAbsent: boolean | undefined) {
  return ifAbsent ? { IfNoneMatch: '*' } : {}
}
