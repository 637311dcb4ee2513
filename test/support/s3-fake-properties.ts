import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** Quoted. Of what is encrypted with a key of KMS it is no MD5 sum, but looks like one. */
export function etagOf(md5: Buffer, headers: IncomingHttpHeaders): string {
  const isOther = String(headers['x-amz-server-side-encryption']).startsWith('aws:kms')
  const sum = isOther ? createHash('md5').update(md5).digest() : md5
  return `"${sum.toString('hex')}"`
}

/** What was kept with an object, as it is told of it. */
export function propertyHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const told = Object.entries(headers).filter(([name]) => keptHeaders.test(name))
  const tags = headers['x-amz-tagging']
  return {
    ...Object.fromEntries(told.map(([name, value]) => [name, String(value)])),
    ...(tags === undefined ? {} : { 'x-amz-tagging-count': String(new URLSearchParams(String(tags)).size) }),
  }
}

const keptHeaders =
  /^(?:cache-control|content-encoding|content-disposition|x-amz-(?:meta-.+|storage-class|server-side-encryption.*))$/
