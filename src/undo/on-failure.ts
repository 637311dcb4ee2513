import type { Settings } from '../config/settings.ts'
import type { Destination, Versioning } from '../destinations/destination.ts'
import { UsageError } from '../errors.ts'
import { settledUrl } from '../observe/recorded-destinations.ts'
import type { KeyScope } from '../plan/keys/key-scope.ts'
import type { PlannedFile } from '../plan/planned-file.ts'
import { printable } from '../printable.ts'
import type { Clock } from '../transfer/clock.ts'
import { createRequests } from '../transfer/requests.ts'
import { keepsExisting } from '../transfer/upload-object.ts'
import { byDestination } from './by-destination.ts'
import { type RecordedObject, readRun } from './read-run.ts'
import { keysInUse } from './replacing.ts'
import { askVersioning } from './requests.ts'

/** Keys named in a refusal. */
const keysNamed = 3

export interface UndoPromiseOptions {
  /** Where the files go. */
  readonly lane: {
    readonly destination: Destination
    readonly settings: Pick<Settings, 'retry' | 'ifExists' | 'partSize'>
  }
  /** The keys of the files. */
  readonly scope: KeyScope
  readonly files: () => AsyncIterable<PlannedFile>
  readonly cwd: string
  readonly clock: Clock
  readonly signal: AbortSignal
}

/**
 * Whether `--undo-on-failure` can be kept is settled before the first byte: where every version is kept, always;
 * elsewhere where nothing is going to be replaced, as where an object that is there already stays, or what is there is
 * not older than its file.
 *
 * @param journal of the run that is continued: what it uploaded is its own
 * @returns what the records of this run's uploads say they replaced: null for nothing; undefined where that need not
 * be known
 * @throws UsageError naming what would be replaced.
 * @throws UploadError where the destination cannot be asked.
 */
export async function promiseUndo(options: UndoPromiseOptions, journal: string | undefined): Promise<null | undefined> {
  const { lane, clock, signal } = options
  const { destination, settings } = lane
  const requests = createRequests(settings.retry, clock, signal)
  const versioning = await askVersioning(destination, requests.ask)
  if (versioning === 'on') return undefined
  const own = journal === undefined ? undefined : await ownKeys(journal, settledUrl(destination.url, options.cwd))
  if (keepsExisting(settings)) return null
  const named: string[] = []
  let found = 0
  for await (const key of keysInUse({ ...options, ...lane, requests })) {
    if (own?.has(key)) continue
    found += 1
    if (named.length < keysNamed) named.push(printable(key))
    // Few or many, it cannot be kept.
    if (found > keysNamed) break
  }
  if (found === 0) return null
  const objects =
    found === 1 ? 'this object exists' : `${found > keysNamed ? 'these and more' : `these ${found}`} objects exist`
  throw new UsageError(
    `--undo-on-failure cannot be kept: ${objects} already, and ${whyNotKept(versioning)}: ${named.join(', ')}; choose another prefix, or leave it out`,
  )
}

/** @throws UsageError where an earlier invocation did not ask what it replaced. */
async function ownKeys(journal: string, destination: string): Promise<ReadonlySet<string>> {
  const objects = byDestination(await readRun(journal)).get(destination)?.objects ?? new Map<string, RecordedObject>()
  const own = new Set<string>()
  for (const { key, uploaded, replaced } of objects.values()) {
    if (replaced === null) own.add(key)
    else if (uploaded !== undefined) {
      const why =
        replaced === undefined
          ? `was begun without it, and does not know what ${printable(key)} replaced`
          : `has replaced ${printable(key)}, and the destination has not kept what was there`
      throw new UsageError(`--undo-on-failure cannot be kept: the run that is continued ${why}; leave it out`)
    }
  }
  return own
}

function whyNotKept(versioning: Versioning): string {
  switch (versioning) {
    case 'unknown':
      return 'whether the bucket keeps versions may not be asked (s3:GetBucketVersioning)'
    case 'suspended':
      return "the bucket's versioning is suspended"
    default:
      return 'the destination keeps no versions'
  }
}
