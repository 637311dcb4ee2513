import { parseDestinationUrl, prefixOf } from '../config/destination-url.ts'
import type { Settings } from '../config/settings.ts'
import type { Destination, Versioning } from '../destinations/destination.ts'
import { UsageError } from '../errors.ts'
import type { Plan } from '../plan/plan.ts'
import { printable } from '../printable.ts'
import type { Clock } from '../transfer/clock.ts'
import { createRequests } from '../transfer/requests.ts'
import { readRun } from './read-run.ts'
import { keysInUse } from './replacing.ts'
import { askVersioning } from './requests.ts'

/** Keys named in a refusal. */
const keysNamed = 3

export interface UndoPromiseOptions {
  readonly destination: Destination
  readonly settings: Pick<Settings, 'to' | 'retry' | 'undoOnFailure' | 'ifExists'>
  readonly plan: Pick<Plan, 'files'>
  /** How many files there are. */
  readonly count: number
  readonly clock: Clock
  readonly signal: AbortSignal
}

/**
 * Whether `--undo-on-failure` can be kept is settled before the first byte: where every version is kept, always;
 * elsewhere where nothing is going to be replaced, as where an object that is there already stays.
 *
 * @param journal of the run that is continued: what it uploaded is its own
 * @returns what the records of this run's uploads say they replaced: null for nothing; undefined where that need not
 * be known
 * @throws UsageError naming what would be replaced.
 * @throws UploadError where the destination cannot be asked.
 */
export async function promiseUndo(options: UndoPromiseOptions, journal: string | undefined): Promise<null | undefined> {
  const { destination, settings, clock, signal } = options
  const requests = createRequests(settings.retry, clock, signal)
  const versioning = await askVersioning(destination, requests.ask)
  if (versioning === 'on') return undefined
  const own = journal === undefined ? undefined : await ownKeys(journal)
  if (settings.ifExists !== 'overwrite') return null
  const prefix = prefixOf(parseDestinationUrl(settings.to))
  const named: string[] = []
  let found = 0
  for await (const key of keysInUse({ ...options, requests, prefix, files: options.plan.files })) {
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
async function ownKeys(journal: string): Promise<ReadonlySet<string>> {
  const { objects } = await readRun(journal)
  const own = new Set<string>()
  for (const { key, uploaded, replaced } of objects.values()) {
    if (replaced === null) own.add(key)
    else if (uploaded !== undefined) {
      throw new UsageError(
        `--undo-on-failure cannot be kept: the run that is continued was begun without it, and does not know what ${printable(key)} replaced; leave it out`,
      )
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
