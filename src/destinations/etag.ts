import { createHash } from 'node:crypto'

/**
 * The MD5 sum that an ETag may be, in lower-case hexadecimal; undefined where it is none by its look. Where the server
 * encrypts with keys of its own it looks like one and is another number: then no bytes match it.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
export function md5OfEtag(etag: string | undefined): string | undefined {
  const plain = plainEtag(etag)
  return plain !== undefined && /^[0-9a-f]{32}$/.test(plain) ? plain : undefined
}

/** How many parts an object was made of, by an ETag of the form `<MD5 of the MD5s>-<parts>`; undefined for any other. */
export function partsOfEtag(etag: string | undefined): number | undefined {
  const [, parts] = /^[0-9a-f]{32}-(\d{1,5})$/.exec(plainEtag(etag) ?? '') ?? []
  return parts === undefined ? undefined : Number(parts)
}

/** The ETag, without quotes, of an object made of parts with these MD5 sums, in hexadecimal. */
export function multipartEtagOf(sums: readonly string[]): string {
  const whole = createHash('md5')
  for (const sum of sums) whole.update(Buffer.from(sum, 'hex'))
  return `${whole.digest('hex')}-${sums.length}`
}

/**
 * Without quotes, and in lower case: servers differ in both. A proxy that may recode what it passes on calls an ETag
 * weak (`W/`) without changing it.
 */
export function plainEtag(etag: string | undefined): string | undefined {
  return etag?.replace(/^W\//, '').replaceAll('"', '').toLowerCase()
}
