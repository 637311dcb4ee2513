import { mtimeName } from '../mtime.ts'
import { createSigner, type SigningCredentials } from './sign.ts'
import type { Template, TemplateHeader } from './template.ts'

/** What one request differs in from its template. */
export interface Stamp {
  readonly key: string
  /** Bytes of the body. */
  readonly size: number
  /** Only where the template is of a whole object. */
  readonly contentType?: string | undefined
  /** As metadata has it; only where the template is of objects with one. */
  readonly mtime?: string | undefined
  /** In base64, of the kind the template has; left out where none is to be sent. */
  readonly checksum: string | undefined
  readonly part?: { readonly partNumber: number; readonly uploadId: string } | undefined
}

/** A request's path with its query, and its headers: names and values in turn. */
export interface StampedRequest {
  readonly path: string
  readonly headers: string[]
}

/** Makes requests out of a template, each newly signed. */
export type Stamper = (stamp: Stamp, nowMs: number, credentials: SigningCredentials | undefined) => StampedRequest

export function createStamper(template: Template): Stamper {
  const signer = template.scope && createSigner(template.scope)
  const fixedQuery = queryString(template.query)
  const headers = withToken(template.headers)

  return (stamp, nowMs, credentials) => {
    const path = template.pathPrefix + encodeKey(stamp.key)
    const query =
      stamp.part === undefined
        ? fixedQuery
        : queryString([
            ...template.query,
            ['partNumber', String(stamp.part.partNumber)],
            ['uploadId', stamp.part.uploadId],
          ])
    const date = signer?.date(nowMs) ?? ''
    const flat: string[] = []
    let canonical = ''
    let names = ''
    const add = (name: string, value: string, isSigned: boolean): void => {
      flat.push(name, value)
      if (!isSigned) return
      canonical += `${name}:${canonicalValue(value)}\n`
      names += names === '' ? name : `;${name}`
    }
    for (const { name, value, isSigned } of headers) {
      const own = ownValue(name, stamp, date, credentials)
      if (own !== leftOut) add(name, own ?? value, isSigned)
    }
    if (signer !== undefined && credentials !== undefined) {
      const request = `PUT\n${path}\n${query}\n${canonical}\n${names}\nUNSIGNED-PAYLOAD`
      flat.push('authorization', signer.authorization(request, names, date, credentials))
    }
    return { path: query === '' ? path : `${path}?${query}`, headers: flat }
  }
}

const tokenHeader = 'x-amz-security-token'
const mtimeHeader = `x-amz-meta-${mtimeName}`

/** A place for the session token, whether or not the credentials had one when the template was made. */
function withToken(headers: readonly TemplateHeader[]): readonly TemplateHeader[] {
  const token: TemplateHeader = { name: tokenHeader, value: '', isSigned: true }
  return [...headers.filter(({ name }) => name !== tokenHeader), token].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Means that a request goes without the header. */
const leftOut = null

/** The value of a header that differs from request to request; undefined where it is the template's. */
function ownValue(
  name: string,
  stamp: Stamp,
  date: string,
  credentials: SigningCredentials | undefined,
): string | undefined | null {
  switch (name) {
    case 'content-length':
      return String(stamp.size)
    case 'content-type':
      return stamp.contentType
    case mtimeHeader:
      return stamp.mtime
    case 'x-amz-date':
      return date
    case 'x-amz-checksum-crc32':
    case 'x-amz-checksum-crc32c':
    case 'x-amz-checksum-crc64nvme':
    case 'x-amz-checksum-sha256':
      return stamp.checksum ?? leftOut
    case tokenHeader:
      return credentials?.sessionToken ?? leftOut
    default:
      return undefined
  }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html: all but unreserved characters. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)
}

function encodeKey(key: string): string {
  return encode(key).replaceAll('%2F', '/')
}

function queryString(pairs: readonly (readonly [string, string])[]): string {
  return pairs
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&')
}

function canonicalValue(value: string): string {
  return value.trim().replace(/\s+/g, ' ')
}
