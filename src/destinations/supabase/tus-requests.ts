import { UploadError } from '../../errors.ts'
import type { WireAnswer, WireRequest } from '../../http/send.ts'
import type { Call, ObjectToPut } from '../destination.ts'
import { isSuccess, jsonIn } from './answer.ts'
import { askForInfo, createAsk } from './ask.ts'
import type { SupabaseSurroundings } from './engine.ts'
import { fixedLimits, limitsWhileMaking } from './limits.ts'
import { hostOf } from './project.ts'
import { metadataHeader, readMetadata, resumableMetadata } from './tus-metadata.ts'

/** What a server says of an upload. */
export interface UploadState {
  /** Bytes it has. */
  readonly offset: number
  /** Bytes it expects in all. */
  readonly length: number
}

/** The requests of the resumable protocol, and the one that tells what became of an upload. */
export interface TusRequests {
  /** @returns the upload's address */
  create(object: ObjectToPut, size: number, call: Call): Promise<string>
  /** Undefined where the server knows no such upload, or it is one of another object. */
  head(uploadId: string, object: ObjectToPut, call: Call): Promise<UploadState | undefined>
  /** Sends bytes, to follow those the server has. The answer may be of any status. */
  patch(upload: Patch, bytes: WireRequest['body'], call: Call): Promise<WireAnswer>
  /** Removes what there is of an upload; one that is gone is not an error. */
  remove(uploadId: string, call: Call): Promise<void>
  /** Whether the object under the key is what this upload became. */
  wasMade(uploadId: string, object: ObjectToPut, call: Call): Promise<boolean>
}

/** Bytes to be added to an upload. */
export interface Patch {
  readonly uploadId: string
  readonly object: ObjectToPut
  readonly offset: number
  /** Bytes sent by this request. */
  readonly size: number
  /** With these bytes the server has all, and makes the object of them before it answers. */
  readonly isLast: boolean
}

/** Supabase's is `bucket/key/version` in base64url. */
const uploadName = /^(?!\.+$)[\w.~=+-]+$/
const nothing = Buffer.alloc(0)

/**
 * Resumable uploads as Supabase's server speaks them.
 * https://tus.io/protocols/resumable-upload
 */
export function createTusRequests(around: SupabaseSurroundings): TusRequests {
  const { bucket, project, wire, refusal, explain } = around
  const { resumable } = project
  const addresses = `${resumable.origin}${resumable.path}/`
  const timeouts = fixedLimits(around.patience)
  const ask = createAsk(around)

  /** @param fields names and values in turn */
  const headers = (upsert: boolean, ...fields: string[]): readonly string[] => [
    ...['host', hostOf(resumable), ...project.authorization()],
    ...['tus-resumable', '1.0.0', 'x-upsert', String(upsert), ...fields],
  ]
  /** A request without a body. */
  async function send(method: string, path: string, headers: readonly string[], { signal }: Call): Promise<WireAnswer> {
    try {
      const { origin } = resumable
      return await wire.send({ method, origin, path, headers, body: nothing, timeouts }, signal)
    } catch (error) {
      throw explain(error)
    }
  }
  /** A journal is a file like any other: what it names must not get the key. */
  const isHere = (uploadId: string): boolean =>
    uploadId.startsWith(addresses) && uploadName.test(uploadId.slice(addresses.length))
  const pathOf = (uploadId: string): string => uploadId.slice(resumable.origin.length)

  return {
    async create(object, size, call) {
      const metadata = metadataHeader(resumableMetadata(bucket, object))
      const about = ['upload-length', String(size), 'upload-metadata', metadata, 'content-length', '0']
      const answer = await send('POST', resumable.path, headers(!object.ifAbsent, ...about), call)
      if (!isSuccess(answer)) throw refusal(answer)
      // Behind a proxy, a server may take itself for another host: the key goes to the project's alone.
      if (answer.status !== 201) throw notUnderstood()
      return addresses + uploadNameIn(answer.headers.location)
    },

    async head(uploadId, object, call) {
      if (!isHere(uploadId)) return undefined
      const answer = await send('HEAD', pathOf(uploadId), headers(!object.ifAbsent), call)
      const { status } = answer
      if (status === 404 || status === 410) return undefined
      if (status === 400 || status === 403) {
        // Without a body, it does not say whether it means the upload or the key to the project: this one does.
        await askForInfo(ask, around, object.key, call)
        return undefined
      }
      if (!isSuccess(answer)) throw refusal(answer)
      const state = stateOf(answer)
      if (state === undefined) throw notUnderstood()
      return isOf(answer, object) ? state : undefined
    },

    async patch({ uploadId, object, offset, size, isLast }, body, call) {
      const about = ['upload-offset', String(offset), 'content-length', String(size)]
      const fields = headers(!object.ifAbsent, 'content-type', 'application/offset+octet-stream', ...about)
      const { origin } = resumable
      const timeouts = isLast ? limitsWhileMaking(call.timeouts, around.patience) : call.timeouts
      // Sent twice, it is refused for its offset, or because the object exists that it has made itself.
      const request = { method: 'PATCH', origin, path: pathOf(uploadId), headers: fields, body, size, isOnce: true }
      return await wire.send({ ...request, timeouts }, call.signal)
    },

    async remove(uploadId, call) {
      // Without it, an object that stands under the key would keep the upload from being removed.
      const answer = await send('DELETE', pathOf(uploadId), headers(true, 'content-length', '0'), call)
      if (!isSuccess(answer) && answer.status !== 404 && answer.status !== 410) throw refusal(answer)
    },

    async wasMade(uploadId, object, call) {
      if (!isHere(uploadId)) return false
      const info = await askForInfo(ask, around, object.key, call)
      return info !== undefined && versionIn(info) === versionOf(uploadId)
    },
  }

  function isOf({ headers: { 'upload-metadata': header } }: WireAnswer, { key }: ObjectToPut): boolean {
    if (header === undefined) return true
    const metadata = readMetadata(header)
    return (metadata.get('objectName') ?? key) === key && (metadata.get('bucketName') ?? bucket) === bucket
  }
}

/**
 * The last segment of an upload's address.
 *
 * @throws UploadError BAD_RESPONSE where it is none of an upload
 */
export function uploadNameIn(address: string | null | undefined): string {
  const [, name] = /([^/]+)\/?$/.exec(address?.replace(/[?#].*/, '') ?? '') ?? []
  if (name === undefined || !uploadName.test(name)) throw notUnderstood()
  return name
}

/** The bytes the server has after a request; undefined where it does not say so. */
export function offsetIn({ headers }: WireAnswer): number | undefined {
  return countIn(headers['upload-offset'])
}

/** A success that is none of a server for resumable uploads. */
export function notUnderstood(): UploadError {
  const message = 'the answer is none of a server for resumable uploads; check SUPABASE_URL, and proxies on the way'
  return new UploadError('BAD_RESPONSE', message)
}

function stateOf(answer: WireAnswer): UploadState | undefined {
  const offset = offsetIn(answer)
  const length = countIn(answer.headers['upload-length'])
  return offset === undefined || length === undefined || offset > length ? undefined : { offset, length }
}

function countIn(value: string | undefined): number | undefined {
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined
}

/** Supabase names the version that an upload is to become in its address. */
function versionOf(uploadId: string): string | undefined {
  const name = uploadId.slice(uploadId.lastIndexOf('/') + 1)
  return Buffer.from(name, 'base64url').toString().split('/').at(-1)
}

function versionIn(answer: WireAnswer): unknown {
  const info = jsonIn(answer) as { readonly version?: unknown } | null | undefined
  return info?.version
}
