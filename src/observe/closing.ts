import { Chalk, type ChalkInstance } from 'chalk'
import { isSupabaseUrl } from '../config/destination-url.ts'
import { printable } from '../printable.ts'
import type { FailureSample, RunEnded } from './events.ts'
import {
  displayWidth,
  formatCount,
  formatDuration,
  formatFileRate,
  formatRate,
  formatShare,
  formatSize,
  oneLine,
} from './format.ts'
import type { RunRollout, SummaryRecord } from './records.ts'

export interface ClosingOptions {
  readonly color: boolean
  /** The user's home directory: shown as `~`. */
  readonly home?: string | undefined
  /** The rollout that the run began with. */
  readonly rollout?: RunRollout | undefined
}

const samplesShown = 5
const labelWidth = 'latency  '.length

/** The last lines of a run, whatever showed its progress: what happened, how fast, what failed and why, where to read on. */
export function closingLines(ended: RunEnded, options: ClosingOptions): readonly string[] {
  const paint = new Chalk({ level: options.color ? 1 : 0 })
  const { summary, stoppedBecause } = ended
  return [
    ...(stoppedBecause === undefined ? [] : [paint.red(`✖ stopped: ${oneLine(stoppedBecause)}`)]),
    headline(summary, paint),
    ...latencyLines(summary, paint),
    ...rolloutLines(summary, options.rollout, paint),
    ...failureLines(ended, paint),
    ...junkLines(summary, paint),
    ...keptLines(summary, paint),
    ...ended.reports.map((path) => labelled('report', printable(inHome(path, options.home)), paint)),
    ...(ended.again === undefined ? [] : [labelled('again', printable(ended.again), paint)]),
  ]
}

function headline(summary: SummaryRecord, paint: ChalkInstance): string {
  const { uploaded, failed, skipped, cancelled, undone = 0 } = summary
  const outcome = [
    (uploaded > 0 ? paint.green : paint.dim)(`✔ ${formatCount(uploaded)} uploaded`),
    ...(failed > 0 ? [paint.red(`✖ ${formatCount(failed)} failed`)] : []),
    ...(undone > 0 ? [paint.yellow(`↶ ${formatCount(undone)} undone`)] : []),
    ...(skipped > 0 ? [`${formatCount(skipped)} skipped`] : []),
    ...(cancelled > 0 ? [paint.yellow(`${formatCount(cancelled)} cancelled`)] : []),
  ].join('  ')
  const took = `${formatSize(summary.bytes)} in ${formatDuration(summary.durationMs)}`
  if (uploaded === 0) return [outcome, `in ${formatDuration(summary.durationMs)}`].join('   ')
  return [outcome, took, formatRate(summary.bytesPerSecond), formatFileRate(summary.filesPerSecond)].join('   ')
}

function latencyLines({ latencyMs, retries, throttled }: SummaryRecord, paint: ChalkInstance): string[] {
  const trouble = `${formatCount(retries)} ${retries === 1 ? 'retry' : 'retries'}, ${formatCount(throttled)} throttled`
  if (latencyMs === null) return retries + throttled > 0 ? [labelled('requests', trouble, paint)] : []
  const { p50, p95, p99, max } = latencyMs
  const figures = Object.entries({ p50, p95, p99, max }).map(([name, ms]) => `${name} ${formatDuration(ms)}`)
  return [labelled('latency', `${figures.join('   ')}     ${trouble}`, paint)]
}

/** `nightly 10 %: 198 of 200 by the candidate, 2 fell back`: of the files that say something of it. */
function rolloutLines({ rollout }: SummaryRecord, began: RunRollout | undefined, paint: ChalkInstance): string[] {
  if (rollout === undefined) return []
  const { name, candidate, fellBack } = rollout
  const all = candidate.succeeded + candidate.failed
  const share = began === undefined ? '' : ` ${formatShare(began.percentage)}`
  const what = all === 0 ? 'none' : `${formatCount(candidate.succeeded)} of ${formatCount(all)}`
  const back = fellBack === 0 ? '' : `, ${formatCount(fellBack)} fell back`
  return [labelled('rollout', `${printable(name)}${share}: ${what} by the candidate${back}`, paint)]
}

/** Most frequent cause first; the same cause's further files stand beneath its first. */
function failureLines({ summary, failures, reports }: RunEnded, paint: ChalkInstance): string[] {
  const samples = new Map<string, FailureSample[]>()
  for (const failure of failures) samples.set(failure.code, [...(samples.get(failure.code) ?? []), failure])
  const groups = Object.entries(summary.byErrorCode)
    .filter(([code]) => samples.has(code))
    .toSorted(([, a], [, b]) => b - a)
  const codeWidth = Math.max(0, ...groups.map(([code]) => code.length))
  const countWidth = Math.max(0, ...groups.map(([, count]) => formatCount(count).length))

  return groups.flatMap(([code, count]) => {
    const shown = (samples.get(code) ?? []).slice(0, samplesShown)
    const texts = shown.map(({ path, message }) => `${printable(path)}: ${oneLine(message)}`)
    const more = count - shown.length
    if (more > 0) texts.push(`… and ${formatCount(more)} more${reports.length > 0 ? ' in the report' : ''}`)
    const head = `${code.padEnd(codeWidth)}  ${formatCount(count).padStart(countWidth)}`
    return texts.map((text, row) => `  ${row === 0 ? paint.red(head) : ' '.repeat(head.length)}   ${text}`)
  })
}

function junkLines({ junkSkipped }: SummaryRecord, paint: ChalkInstance): string[] {
  if (junkSkipped === 0) return []
  const files = junkSkipped === 1 ? 'file' : 'files'
  return [labelled('junk', `${formatCount(junkSkipped)} system ${files} passed over (.DS_Store and the like)`, paint)]
}

function keptLines({ unfinishedUploads = 0, byDestination }: SummaryRecord, paint: ChalkInstance): string[] {
  if (unfinishedUploads === 0) return []
  const [uploads, them] = unfinishedUploads === 1 ? ['upload', 'it'] : ['uploads', 'them']
  const isSupabase = Object.keys(byDestination).some(isSupabaseUrl)
  const end = isSupabase ? `Supabase removes ${them} within 24 hours` : `upload cleanup removes ${them}`
  const text = `${formatCount(unfinishedUploads)} half-sent ${uploads}: upload --resume goes on with ${them}, ${end}`
  return [labelled('kept', text, paint)]
}

function labelled(label: string, text: string, paint: ChalkInstance): string {
  return `  ${paint.dim(label)}${' '.repeat(Math.max(1, labelWidth - displayWidth(label)))}${text}`
}

function inHome(path: string, home: string | undefined): string {
  if (home === undefined || home === '' || home === '/' || !path.startsWith(home)) return path
  const rest = path.slice(home.length)
  return /^[/\\]/.test(rest) ? `~${rest}` : path
}
