import type { Settings } from '../config/settings.ts'
import type { Call, Destination, ObjectInfo, UnfinishedUpload } from '../destinations/destination.ts'
import { errorKinds, toUploadError } from '../errors.ts'
import type { FileRecord } from '../observe/records.ts'
import { partCount, partSizeFor } from '../plan/part-ranges.ts'
import type { PlannedFile } from '../plan/planned-file.ts'
import { sourceError } from '../plan/source-errors.ts'
import { statOf } from '../plan/sources/look.ts'
import type { Earlier, UnfinishedFile } from '../transfer/earlier.ts'
import { modifiedAt } from '../transfer/file-record.ts'
import type { FileFacts } from '../transfer/reading/file-facts.ts'
import { createLocalBytes } from '../transfer/reading/local-bytes.ts'

export interface FromServerOptions {
  readonly settings: Pick<Settings, 'partSize'>
  /** What all keys of the run begin with. */
  readonly prefix: string
  readonly signal: AbortSignal
  /** For what is worth knowing with `-v`. */
  readonly say: (message: string) => void
}

/** Half-sent uploads that are remembered: more than these are not looked for. */
const mostUnfinished = 100_000

/**
 * What has been done of a run, without its journal: each file's key is asked for when its turn comes, and what is there
 * is compared with the file's bytes, by its checksum or an ETag made of MD5 sums. A half-sent upload under its key is
 * gone on with; whether its parts hold the file's bytes is found out part by part. It may be anybody's, so that it is
 * never removed.
 */
export function earlierFromServer(destination: Destination, options: FromServerOptions): Earlier {
  const { settings, prefix, say } = options
  const bytes = createLocalBytes()
  let listing: Promise<ReadonlyMap<string, UnfinishedUpload>> | undefined
  let saidIncomparable = false

  async function isTheFile(info: ObjectInfo, facts: FileFacts, signal: AbortSignal): Promise<boolean> {
    if (info.size !== facts.size) return false
    const same = await bytes.matchObject(info, facts, partSizes(facts.size), signal)
    if (same === undefined && !saidIncomparable) {
      saidIncomparable = true
      say(
        `${destination.url} tells nothing of ${info.key} that could be compared with the file; such files are sent anew`,
      )
    }
    return same === true
  }

  /** An ETag does not say how large the parts were: those of this run, and of a run that named none. */
  function partSizes(size: number): readonly number[] {
    return [settings.partSize, 8 * 2 ** 20].map((each) => partSizeFor(size, each, destination.limits))
  }

  async function unfinishedUploads(signal: AbortSignal): Promise<ReadonlyMap<string, UnfinishedUpload>> {
    listing ??= readUnfinished(callOf(signal))
    try {
      return await listing
    } catch (thrown) {
      listing = undefined
      const error = toUploadError(thrown)
      if (signal.aborted || error.retryable || errorKinds[error.code].runWide) throw error
      say(`half-sent uploads are not gone on with: ${error.message}`)
      listing = Promise.resolve(new Map())
      return listing
    }
  }

  async function readUnfinished(call: Call): Promise<ReadonlyMap<string, UnfinishedUpload>> {
    const newest = new Map<string, UnfinishedUpload>()
    for await (const upload of destination.multipart?.list?.(prefix, call) ?? []) {
      const { key, initiatedAt } = upload
      if (key === undefined || newest.size >= mostUnfinished) continue
      const known = newest.get(key)
      if (known === undefined || known.initiatedAt < initiatedAt) newest.set(key, upload)
    }
    return newest
  }

  /** Nobody tells how large its parts are meant to be: as large as the largest there is. */
  async function toGoOnWith(
    { uploadId }: UnfinishedUpload,
    { key, contentType }: PlannedFile,
    size: number,
    signal: AbortSignal,
  ): Promise<UnfinishedFile | undefined> {
    const { limits, multipart } = destination
    const object = { key, contentType, partSize: settings.partSize }
    const upload = await multipart?.resume(uploadId, object, callOf(signal))
    if (upload === undefined) return undefined
    try {
      const parts = await upload.listParts(callOf(signal))
      const partSize = parts.reduce((largest, part) => Math.max(largest, part.size), 0)
      if (partSize < limits.minPartSize || partCount(size, partSize) > limits.maxParts) return undefined
      return { uploadId, partSize, size: undefined, mtime: undefined, parts: [] }
    } finally {
      await upload.release?.()
    }
  }

  return {
    asksDestination: true,
    async find(file, cut = options.signal) {
      // Standard input has to be read before there is anything to compare.
      if (file.path === '-') return undefined
      const { key } = file
      const info = await destination.headObject(key, callOf(cut), { checksum: true })
      const facts = await factsOf(file)
      if (info !== undefined && (await isTheFile(info, facts, cut))) {
        return { key, done: recordOf(file, facts, info, destination) }
      }
      const upload = (await unfinishedUploads(cut)).get(key)
      const unfinished = upload && (await toGoOnWith(upload, file, facts.size, cut))
      return unfinished && { key, unfinished }
    },
  }
}

function callOf(signal: AbortSignal): Call {
  return { signal, requests: 1 }
}

async function factsOf({ absolute }: PlannedFile): Promise<FileFacts> {
  const { size, mtimeMs } = await statOf(absolute).catch((error) => {
    throw sourceError(error)
  })
  return { absolute, size, mtimeMs }
}

/** As the invocation would have written it that uploaded the file as it is now. */
function recordOf(file: PlannedFile, facts: FileFacts, info: ObjectInfo, { url, engine }: Destination): FileRecord {
  return {
    type: 'file',
    path: file.path,
    source: file.source,
    occurrence: file.occurrence,
    key: file.key,
    destination: url,
    size: facts.size,
    mtime: modifiedAt(facts) ?? null,
    status: 'uploaded',
    attempts: 0,
    startedAt: null,
    durationMs: null,
    bytesSent: 0,
    bytesPerSecond: null,
    parts: 0,
    engine,
    etag: info.etag,
    versionId: info.versionId,
    checksum: info.checksum,
    contentType: file.contentType,
  }
}
