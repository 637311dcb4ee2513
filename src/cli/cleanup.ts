import { findLeftBehind, type LeftBehind, removeUploads } from '../cleanup/left-behind.ts'
import { flagsWithoutEffect } from '../config/destination-fit.ts'
import { isSupabaseUrl, parseDestinationUrl, prefixOf } from '../config/destination-url.ts'
import { parseDuration, showDuration } from '../config/duration.ts'
import { fault, shown } from '../config/given.ts'
import type { Settings } from '../config/settings.ts'
import { destination as destinationSchema } from '../config/values.ts'
import type { UnfinishedUpload } from '../destinations/destination.ts'
import { openDestination } from '../destinations/registry.ts'
import { type UploadError, UsageError } from '../errors.ts'
import { formatCount, formatSize, oneLine } from '../observe/format.ts'
import { printable } from '../printable.ts'
import { systemClock } from '../transfer/clock.ts'
import { createRequests } from '../transfer/requests.ts'
import { type CommandForm, readCommandLine, yesOption } from './command-line.ts'
import { confirm } from './confirm.ts'
import { explain } from './explain.ts'
import type { Host } from './host.ts'
import { stoppable } from './stops.ts'

const form: CommandForm = {
  name: 'cleanup',
  argument: '<destination>',
  argumentHelp: 's3://bucket/prefix/ or file:./dir/',
  before: `Remove half-sent multipart uploads that runs have left behind (for file: destinations, temporary files).
What they hold is paid for although no listing of objects shows it.

Examples:
  upload cleanup s3://my-bucket/                        show what is older than a day, ask, remove it
  upload cleanup s3://my-bucket/audio/ --older-than 7d --yes`,
  after: 'Exit codes: 0 nothing left, 1 some could not be removed, 2 not confirmed, 3 could not go on.',
  options: [['--older-than <TIME>', 'leave younger ones: runs may be sending them (default: 24h)'], yesOption],
}

/** https://supabase.com/docs/guides/storage/uploads/resumable-uploads */
const notListed = 'Supabase does not list unfinished resumable uploads; it removes them by itself within 24 hours'

/** Removals at a time, unless `--concurrency` says otherwise. */
const usualConcurrency = 8

/**
 * `upload cleanup <destination>`.
 *
 * @returns the exit code
 * @throws UsageError where the command line cannot be carried out, or nobody is there to confirm it; UploadError where
 * the destination cannot be asked.
 */
export async function runCleanup(args: readonly string[], host: Host): Promise<number> {
  const line = await readCommandLine(form, args, host)
  if (line === undefined) return 0
  const wanted = { ...readOwn(line.args, line.own), yes: line.own.yes === true }
  const faults = flagsWithoutEffect(wanted.to, line.byFlag)
  if (faults.length > 0) throw new UsageError(faults)
  const settings = { ...line.settings, to: wanted.to }
  return stoppable(host, (signal) => cleanUp(settings, wanted, host, signal))
}

interface Wanted {
  readonly olderThanMs: number
  readonly yes: boolean
}

async function cleanUp(settings: Settings, wanted: Wanted, host: Host, signal: AbortSignal): Promise<number> {
  const { to, json, quiet } = settings
  const warn = (message: string): void => void host.stderr.write(`upload: ${oneLine(message)}\n`)
  const say = (message: string): void => void (quiet || warn(message))
  const print = (text: string): void => void host.stdout.write(`${text}\n`)
  const destination = await openDestination(settings, warn)
  try {
    if (wanted.olderThanMs === 0) warn('--older-than 0 removes what runs are sending at this moment, too')
    const requests = createRequests(settings.retry, systemClock, signal)
    const now = systemClock.now()
    const prefix = prefixOf(parseDestinationUrl(to))
    const found = await findLeftBehind({ destination, prefix, olderThanMs: wanted.olderThanMs, now, requests })
    if (!json) for (const upload of found.uploads) print(planLine(upload, now))
    say(foundLine(found, to, wanted.olderThanMs))
    if (found.uploads.length === 0) return 0
    if (!wanted.yes && !(await confirmed(found, host, json ? print : undefined, signal))) return 2

    const failures: UploadError[] = []
    let removed = 0
    const hopeless = await removeUploads({
      destination,
      uploads: found.uploads,
      concurrency: settings.concurrency === 'auto' ? usualConcurrency : settings.concurrency,
      requests,
      signal,
      onRemoved(upload, error) {
        if (error === undefined) removed += 1
        else failures.push(error)
        if (json) print(JSON.stringify(record(upload, error === undefined ? 'removed' : 'failed', error)))
        else if (error !== undefined) warn(`${nameOf(upload)} was not removed: ${error.message}`)
      },
    })
    signal.throwIfAborted()
    say(doneLine(removed, found.uploads.length - removed))
    if (hopeless === undefined && failures.length === 0) return 0
    // Refused every time, it is a permission that is missing rather than an upload in trouble.
    const refused = removed === 0 && failures.every(({ code }) => code === 'ACCESS_DENIED')
    return hopeless !== undefined || refused ? 3 : 1
  } finally {
    await destination.close()
  }
}

/** @throws UsageError with all that is wrong. */
function readOwn(
  [given = '']: readonly string[],
  { olderThan = '24h' }: Readonly<Record<string, unknown>>,
): { readonly to: string; readonly olderThanMs: number } {
  const faults: string[] = []
  const to = destinationSchema().safeParse(given)
  for (const { message } of to.error?.issues ?? [])
    faults.push(fault('destination', `found ${shown(given)}, ${message}`))
  if (to.data !== undefined && isSupabaseUrl(to.data)) faults.push(fault('destination', notListed))
  const olderThanMs = parseDuration(String(olderThan))
  if (olderThanMs === undefined) {
    faults.push(fault('--older-than', `found ${shown(olderThan)}, expected a duration such as 30m, 24h or 7d`))
  }
  if (faults.length > 0 || to.data === undefined || olderThanMs === undefined) throw new UsageError(faults)
  return { to: to.data, olderThanMs }
}

/** @throws UsageError where there is nobody to ask; what was found is told all the same. */
async function confirmed(
  { uploads }: LeftBehind,
  host: Host,
  printJson: ((text: string) => void) | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  for (const upload of uploads) printJson?.(JSON.stringify(record(upload, 'found')))
  const isYes = await confirm(`Remove ${ofUploads(uploads.length)} for good?`, host, signal)
  signal.throwIfAborted()
  if (!isYes) for (const text of explain(new UsageError('nothing was removed'), false)) host.stderr.write(`${text}\n`)
  return isYes
}

function record(upload: UnfinishedUpload, status: 'found' | 'removed' | 'failed', error?: UploadError): object {
  const { key, uploadId, initiatedAt, size } = upload
  return {
    type: 'unfinished-upload',
    key: key ?? null,
    uploadId,
    initiatedAt: initiatedAt.toISOString(),
    size: size ?? null,
    status,
    ...(error === undefined ? {} : { error: { code: error.code, message: error.message, status: error.status } }),
  }
}

/** `audio/a.wav  upload 2~kPq9xT…  3d old  16.8 MB`. */
function planLine(upload: UnfinishedUpload, now: number): string {
  const { uploadId, initiatedAt, size } = upload
  const id = uploadId.length > 12 ? `${uploadId.slice(0, 11)}…` : uploadId
  const fields = [nameOf(upload), `upload ${printable(id)}`, `${ageOf(now - initiatedAt.getTime())} old`]
  return [...fields, ...(size === undefined ? [] : [formatSize(size)])].join('  ')
}

function nameOf({ key }: UnfinishedUpload): string {
  return key === undefined ? '(temporary file)' : printable(key)
}

/** Whole units of the largest that fits: `3d`, `5h`, `12m`. */
function ageOf(ms: number): string {
  for (const unit of [86_400_000, 3_600_000, 60_000, 1000]) {
    if (ms >= unit) return showDuration(Math.floor(ms / unit) * unit)
  }
  return '0s'
}

function foundLine({ uploads, younger }: LeftBehind, to: string, olderThanMs: number): string {
  const sizes = uploads.map(({ size }) => size)
  const known = sizes.every((size) => size !== undefined)
  const size = known && uploads.length > 0 ? `, ${formatSize(sizes.reduce((sum, one) => sum + one, 0))}` : ''
  const rest = younger === 0 ? '' : `; ${ofUploads(younger)} younger than ${showDuration(olderThanMs)} left alone`
  const what = uploads.length === 0 ? 'nothing left behind' : `${ofUploads(uploads.length)} left behind${size}`
  return `${what} in ${printable(to)}${rest}`
}

function doneLine(removed: number, left: number): string {
  return `${ofUploads(removed)} removed${left === 0 ? '' : `, ${formatCount(left)} not`}`
}

function ofUploads(count: number): string {
  return `${formatCount(count)} unfinished ${count === 1 ? 'upload' : 'uploads'}`
}
