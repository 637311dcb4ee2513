import { resolve } from 'node:path'
import type { Settings } from '../config/settings.ts'
import { openDestination } from '../destinations/registry.ts'
import type { UploadError } from '../errors.ts'
import { formatCount, oneLine } from '../observe/format.ts'
import { settledUrl } from '../observe/recorded-destinations.ts'
import { placesText } from '../observe/start-line.ts'
import { objectUrl } from '../observe/verbose.ts'
import { printable } from '../printable.ts'
import { systemClock } from '../transfer/clock.ts'
import { createRequests, requestsAtOnce } from '../transfer/requests.ts'
import { type ExpectedObject, expectedObjects } from '../verify/expected.ts'
import { openReport, type Report } from '../verify/read-report.ts'
import { type AskedDestination, type Verdict, verifyObjects } from '../verify/verify-objects.ts'
import { type CommandForm, readCommandLine } from './command-line.ts'
import { drained } from './dry-run.ts'
import type { Host } from './host.ts'
import { reportedSettings } from './reported-settings.ts'
import { stoppable } from './stops.ts'

const form: CommandForm = {
  name: 'verify',
  argument: '<report>',
  argumentHelp: "the journal of a run, or its .jsonl report; a run's last lines name them",
  before: `Check that everything a run uploaded is still at its destination: there, of its size, with its checksum.

Examples:
  upload verify run.jsonl
  upload verify ~/.local/state/upload/runs/20261122T073812Z-7f3a.jsonl --json`,
  after: 'Exit codes: 0 all as uploaded, 2 wrong usage, 3 could not go on, 5 something differs.',
}

const differencesShown = 10

/**
 * `upload verify <report>`.
 *
 * @returns the exit code
 * @throws UsageError where the command line or the report cannot be read.
 */
export async function runVerify(args: readonly string[], host: Host): Promise<number> {
  const line = await readCommandLine(form, args, host)
  if (line === undefined) return 0
  const [path = ''] = line.args
  const report = await openReport(resolve(host.cwd, path))
  const settingsAt = reportedSettings(report.runs, line)
  return stoppable(host, (signal) => verify(report, line.settings, settingsAt, host, signal))
}

async function verify(
  report: Report,
  { json, quiet, verbose, concurrency }: Settings,
  settingsAt: (destination: string) => Settings,
  host: Host,
  signal: AbortSignal,
): Promise<number> {
  const say = (message: string): void => void host.stderr.write(`upload: ${oneLine(message)}\n`)
  const counts = { same: 0, different: 0, unknown: 0, bySizeOnly: 0 }
  const differing: string[] = []
  const expected = await expectedObjects(report.files)
  const reached = [...expected.destinations].map((url) => [url, settingsAt(url)] as const)
  const destinations = new Map<string, AskedDestination>()
  let hopeless: ReadonlyMap<string, UploadError> = new Map()
  try {
    for (const [url, settings] of reached) {
      const requests = createRequests(settings.retry, systemClock, signal)
      destinations.set(url, { destination: await openDestination(settings, say), requests })
    }
    hopeless = await verifyObjects({
      destinations,
      expected: expected.objects(),
      concurrency: requestsAtOnce(concurrency),
      signal,
      async onVerdict(object, verdict) {
        counts[verdict.is] += 1
        if (verdict.is === 'same' && verdict.compared === 'size') counts.bySizeOnly += 1
        if (verdict.is !== 'same' && (verbose || differing.length < differencesShown)) {
          differing.push(differenceLine(object, verdict, destinations.size > 1))
        }
        if (!json || host.stdout.write(`${JSON.stringify(record(object, verdict))}\n`)) return
        await drained(host.stdout, signal)
      },
    })
  } finally {
    await Promise.allSettled([...destinations.values()].map(({ destination }) => destination.close()))
  }
  signal.throwIfAborted()
  if (!json) host.stdout.write(table(counts, differing))
  for (const [url, { message }] of hopeless) {
    say(destinations.size > 1 ? `stopped at ${printable(url)}: ${message}` : `stopped: ${message}`)
  }
  if (hopeless.size > 0) return 3
  const { unreadable } = report
  if (unreadable > 0) {
    const lines = unreadable === 1 ? '1 line' : `${formatCount(unreadable)} lines`
    say(`the report cannot be read in full: ${lines} of it ${unreadable === 1 ? 'was' : 'were'} not looked at`)
  }
  if (!quiet)
    say(`${conclusion(counts)} at ${placesText(settledUrl(report.run.to, report.run.cwd), [...destinations.keys()])}`)
  if (counts.different > 0) return 5
  return counts.unknown + unreadable > 0 ? 3 : 0
}

interface Counts {
  readonly same: number
  readonly different: number
  readonly unknown: number
  /** Of `same`: nothing but the size could be compared. */
  readonly bySizeOnly: number
}

function record({ path, key, destination }: ExpectedObject, verdict: Verdict): object {
  const about = { type: 'verified', path, key, destination, result: verdict.is }
  switch (verdict.is) {
    case 'same':
      return { ...about, compared: verdict.compared }
    case 'different':
      return { ...about, ...verdict.difference }
    case 'unknown': {
      const { code, message, status } = verdict.error
      return { ...about, error: { code, message, status } }
    }
  }
}

function table({ same, different, unknown, bySizeOnly }: Counts, differing: readonly string[]): string {
  const rows: readonly (readonly [string, number])[] = [
    ['as uploaded', same - bySizeOnly],
    ['by size alone', bySizeOnly],
    ['different', different],
    ['not known', unknown],
  ]
  const width = Math.max(...rows.map(([, count]) => formatCount(count).length))
  const lines = rows
    .filter(([name, count]) => count > 0 || name === 'as uploaded' || name === 'different')
    .map(([name, count]) => `${name.padEnd(14)} ${formatCount(count).padStart(width)}`)
  const more = different + unknown - differing.length
  const last = more > 0 ? [`  … and ${formatCount(more)} more (-v or --json shows all)`] : []
  return `${[...lines, ...differing.map((line) => `  ${line}`), ...last].join('\n')}\n`
}

/** @param isOneOfMany the report is of more destinations than this one */
function differenceLine(
  { path, key, destination }: ExpectedObject,
  verdict: Exclude<Verdict, { is: 'same' }>,
  isOneOfMany: boolean,
): string {
  const object = isOneOfMany ? objectUrl(destination, key) : key
  const name = path === object ? printable(path) : `${printable(path)} → ${printable(object)}`
  if (verdict.is === 'unknown') return `${name}: not known: ${oneLine(verdict.error.message)}`
  const { what, expected = '', found = '' } = verdict.difference
  return what === 'missing' ? `${name}: missing` : `${name}: ${what} is ${oneLine(found)}, was ${oneLine(expected)}`
}

function conclusion({ same, different, unknown }: Counts): string {
  const all = same + different + unknown
  if (all === 0) return 'the report names no uploaded object: nothing was looked for'
  const objects = `${formatCount(all)} ${all === 1 ? 'object' : 'objects'}`
  if (different + unknown === 0) return `${objects} as uploaded`
  return `${formatCount(same)} of ${objects} as uploaded`
}
