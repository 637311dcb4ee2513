import type { RetrySettings } from '../config/settings.ts'
import type { Destination, UnfinishedUpload, Versioning } from '../destinations/destination.ts'
import type { UploadError } from '../errors.ts'
import type { Clock } from '../transfer/clock.ts'
import { createRequests, type Requests } from '../transfer/requests.ts'
import { type Decision, decideSuspended, decideUnversioned, decideVersioned, hasVersion } from './decide.ts'
import type { RecordedObject } from './read-run.ts'

export interface UndoRequestsOptions {
  readonly destination: Destination
  readonly retry: RetrySettings
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** What an undo asks of the destination, each request with retries. */
export interface UndoRequests {
  readonly versioning: Versioning
  decide(object: RecordedObject): Promise<Decision>
  remove(key: string, versionIds: readonly (string | undefined)[]): Promise<void>
  /** Forgets a half-sent multipart upload; false where the destination cannot remove any. */
  removeUpload(upload: UnfinishedUpload): Promise<boolean>
  /** Whether a failure is everybody's, so that there is no point in asking for anything else. */
  isHopeless(error: UploadError): boolean
}

/**
 * Whether the destination keeps versions.
 *
 * @throws UploadError where it cannot be asked.
 */
export function askVersioning(destination: Destination, ask: Requests['ask']): Promise<Versioning> {
  return ask(async (call) => (await destination.versioning?.(call)) ?? 'off')
}

/** @throws UploadError where the destination cannot be asked whether it keeps versions. */
export async function openUndoRequests(options: UndoRequestsOptions): Promise<UndoRequests> {
  const { destination, clock, signal } = options
  const { ask, isHopeless } = createRequests(options.retry, clock, signal)
  const versioning = await askVersioning(destination, ask)

  return {
    versioning,
    isHopeless,

    async decide(object) {
      const { listVersions } = destination
      const uploads = [object.uploaded, ...object.before].filter((record) => record !== undefined)
      // Where it may not be asked, what the uploads were answered tells.
      const isVersioned = versioning === 'on' || (versioning === 'unknown' && uploads.some(hasVersion))
      if (listVersions !== undefined && (isVersioned || versioning === 'suspended')) {
        const versions = await ask((call) => listVersions(object.key, call))
        return isVersioned ? decideVersioned(object, versions) : decideSuspended(object, versions)
      }
      const found = await ask((call) => destination.headObject(object.key, call, { checksum: true }))
      return decideUnversioned(object, found)
    },

    async remove(key, versionIds) {
      for (const versionId of versionIds) await ask((call) => destination.deleteObject(key, versionId, call))
    },

    async removeUpload(upload) {
      const remove = destination.multipart?.remove
      if (remove !== undefined) await ask((call) => remove(upload, call))
      return remove !== undefined
    },
  }
}
