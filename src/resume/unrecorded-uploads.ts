import type { Call, Destination, UnfinishedUpload } from '../destinations/destination.ts'
import { toUploadError } from '../errors.ts'
import type { PlannedFile } from '../plan/planned-file.ts'
import { clockSlackMs } from '../transfer/clock.ts'
import type { Earlier } from '../transfer/earlier.ts'

export interface UnrecordedOptions {
  /** What all keys of the run begin with. */
  readonly prefix: string
  /** When the run began, ISO-8601. */
  readonly since: string
  /** Bytes; a file no larger goes as a whole. */
  readonly multipartThreshold: number
  /** For what is worth knowing with `-v`. */
  readonly say: (message: string) => void
}

/**
 * A process that is killed between the destination's beginning a multipart upload and the journal's line of it leaves
 * one that nobody knows of. It has no parts, since none is sent before that line is on the disk: an upload of a file's
 * key that was begun since the run began, that the journal does not know, and that is empty, is removed before the file
 * is begun anew.
 *
 * @returns `earlier`, which does so on the way
 */
export function removingUnrecorded(earlier: Earlier, destination: Destination, options: UnrecordedOptions): Earlier {
  const { multipart } = destination
  const { prefix, multipartThreshold, say } = options
  const since = Date.parse(options.since) - clockSlackMs
  let listing: Promise<ReadonlyMap<string, readonly UnfinishedUpload[]>> | undefined

  async function begunSince(call: Call): Promise<ReadonlyMap<string, readonly UnfinishedUpload[]>> {
    const byKey = new Map<string, UnfinishedUpload[]>()
    for await (const upload of multipart?.list?.(prefix, call) ?? []) {
      const { key, initiatedAt } = upload
      if (key !== undefined && initiatedAt.getTime() >= since) byKey.set(key, [...(byKey.get(key) ?? []), upload])
    }
    return byKey
  }

  async function removeEmpty({ key, contentType }: PlannedFile, call: Call): Promise<void> {
    listing ??= begunSince(call)
    for (const { uploadId } of (await listing).get(key) ?? []) {
      const upload = await multipart?.resume(uploadId, { key, contentType, partSize: 0 }, call)
      const isEmpty = (await upload?.listParts(call))?.length === 0
      await (isEmpty ? upload?.abort(call) : upload?.release?.())
    }
  }

  return {
    begunAtMs: Date.parse(options.since),
    async find(file, signal) {
      const found = await earlier.find(file, signal)
      const isBegunAnew = found?.done === undefined && found?.unfinished === undefined
      // Nobody knows yet how standard input will go.
      const goesWhole = file.size !== undefined && file.size <= multipartThreshold
      if (signal === undefined || !isBegunAnew || goesWhole) return found
      try {
        await removeEmpty(found === undefined ? file : { ...file, key: found.key }, { signal, requests: 1 })
      } catch (thrown) {
        if (signal.aborted) throw thrown
        // What may pass is asked once more for the next file.
        if (toUploadError(thrown).retryable) listing = undefined
        // An empty upload that stays is no reason not to send the file; cleanup finds it.
        say(`an upload of ${file.key} that the journal does not know may be left: ${toUploadError(thrown).message}`)
      }
      return found
    },
  }
}
