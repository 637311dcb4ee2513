import { stripVTControlCharacters } from 'node:util'
import { Chalk, type ChalkInstance } from 'chalk'
import { displayWidth, formatCount, formatDuration, formatSize } from '../observe/format.ts'
import { printable } from '../printable.ts'
import type { SizeClass } from '../rollout/outcome.ts'
import type { RolloutSettings } from '../rollout/rollout-settings.ts'
import { rounding } from '../rollout/stages.ts'
import type { Change } from '../rollout/state.ts'
import type { RolloutStatus } from '../rollout/status.ts'
import { inHours, inPercent } from '../rollout/words.ts'

/** What the table says beside the status itself. */
export type TableRollout = Pick<RolloutSettings, 'isEnabled' | 'percentage' | 'triggers'>

/** Label, candidate, baseline, required; what is said of them stands behind. */
const columns = [18, 13, 13, 12] as const
const width = 80
const labelWidth = 11
const changesShown = 5
/** What is left of a time is rounded up: a tenth of an hour, in milliseconds. */
const leftStepMs = 360_000

const classNames: Readonly<Record<SizeClass, string>> = {
  '64KiB': '≤ 64 KiB',
  '1MiB': '≤ 1 MiB',
  '16MiB': '≤ 16 MiB',
  larger: '> 16 MiB',
}

/** A rollout's status for people, in 80 columns. */
export function rolloutTable(status: RolloutStatus, rollout: TableRollout, color: boolean): string {
  const paint = new Chalk({ level: color ? 1 : 0 })
  const figures = status.since === null ? [] : ['', ...figureRows(status, rollout, paint), '']
  const lines = [
    headline(status, paint),
    ...figures,
    ...labelled('verdict', verdictText(status), paint),
    ...labelled('next', status.advice, paint),
    ...hereLines(status, rollout, paint),
    ...status.history.slice(-changesShown).flatMap((change, at) => changeLines(change, at === 0, paint)),
  ]
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`
}

function headline({ name, state, stage, since, history }: RolloutStatus, paint: ChalkInstance): string {
  const rollout = `rollout ${paint.bold(printable(name))}`
  if (since === null) return `${rollout}: no run has taken part yet; the first one begins it at ${stage} %`
  const last = history.at(-1)?.at ?? since
  switch (state) {
    case 'baseline':
      return `${rollout}: ${paint.bold(`baseline alone, ${stage} %`)} since ${timeText(since)}`
    case 'running':
      return `${rollout}: ${paint.green(`running at ${stage} %`)} since ${timeText(since)}`
    case 'review':
      return `${rollout}: ${paint.yellow(`running at ${stage} %, under review`)} since ${timeText(last)}`
    case 'rolled-back':
      return `${rollout}: ${paint.red(`rolled back from ${stage} % to 0 %`)} since ${timeText(last)}`
    case 'complete':
      return `${rollout}: ${paint.green('complete, 100 %')} since ${timeText(last)}`
  }
}

function verdictText({ verdict, next }: RolloutStatus): string {
  if (next === null || verdict === 'rolled-back' || verdict === 'complete') return verdict
  return `${verdict} (the next stage is ${next} %)`
}

/** Label, candidate, baseline, what is required, and what is said of it. */
type Row = readonly string[]

function figureRows(
  status: RolloutStatus,
  { triggers }: Pick<TableRollout, 'triggers'>,
  paint: ChalkInstance,
): string[] {
  const { candidate, baseline, window, p95Ratio } = status
  const isOpen = status.state !== 'rolled-back' && status.state !== 'complete'
  const criteria = isOpen ? criteriaRows(status, paint) : endedRows(status)
  // Rolled back where either limit is passed.
  const least = Math.max(triggers.minSuccess, 1 - triggers.maxErrors)
  const isJudged = window.files >= triggers.minFiles
  const judged = isJudged
    ? verdictOf((window.successRate ?? 0) >= least - rounding, 'too low', paint)
    : 'too few files yet'
  const lastFiles: Row = [
    `last ${formatCount(window.files)} files`,
    rateText(window.successRate),
    '',
    inPercent(least),
    judged,
  ]
  const ratio = p95Ratio === null ? '' : `${ratioText(p95Ratio)} of the baseline's`
  const rows: readonly Row[] = [
    ['', 'candidate', 'baseline', isOpen ? 'required' : ''],
    ...criteria,
    ...(window.files > 0 ? [isOpen ? lastFiles : lastFiles.slice(0, 3)] : []),
    ['failures', formatCount(candidate.failures), formatCount(baseline.failures)],
    ['bytes', formatSize(candidate.bytes), formatSize(baseline.bytes)],
    ['p50', msText(candidate.p50Ms), msText(baseline.p50Ms)],
    ['p95', msText(candidate.p95Ms), msText(baseline.p95Ms), '', ratio],
    ...classRows(status, isOpen, paint),
  ]
  const lines = rows.map(([label = '', ...cells], at) => rowText(at === 0 ? label : paint.dim(label), cells))
  const earlier = baseline.latencyFrom === 'earlier stages' && baseline.p95Ms !== null
  return earlier ? [...lines, paint.dim("  the baseline's latency is that of earlier stages")] : lines
}

function criteriaRows({ candidate, baseline, inStageMs, required }: RolloutStatus, paint: ChalkInstance): Row[] {
  const { durationMs, minFiles, minSuccess } = required
  const moreMs = durationMs - inStageMs
  const time = verdictOf(moreMs <= 0, `${inHours(Math.ceil(moreMs / leftStepMs) * leftStepMs)} more`, paint)
  const files: Row = ['files', formatCount(candidate.files), formatCount(baseline.files)]
  const success: Row = ['success', rateText(candidate.successRate), rateText(baseline.successRate)]
  const moreFiles = verdictOf(candidate.files >= minFiles, `${formatCount(minFiles - candidate.files)} more`, paint)
  const rate = candidate.successRate
  const isEnough = rate === null ? '' : verdictOf(rate >= minSuccess - rounding, 'too low', paint)
  return [
    ['time in stage', inHours(inStageMs), '', inHours(durationMs), time],
    minFiles === 0 ? files : [...files, formatCount(minFiles), moreFiles],
    minSuccess === 0 ? success : [...success, inPercent(minSuccess), isEnough],
  ]
}

function endedRows({ candidate, baseline }: RolloutStatus): Row[] {
  return [
    ['files', formatCount(candidate.files), formatCount(baseline.files)],
    ['success', rateText(candidate.successRate), rateText(baseline.successRate)],
  ]
}

/** The p95 of each size class that the candidate had files of, among its last ones. */
function classRows({ sizeClasses, maxLatencyRatio }: RolloutStatus, isOpen: boolean, paint: ChalkInstance): Row[] {
  return sizeClasses.flatMap(({ sizeClass, candidateFiles, candidateP95Ms, baselineP95Ms, ratio }): Row[] => {
    if (candidateFiles === 0) return []
    const row: Row = [`  ${classNames[sizeClass]}`, msText(candidateP95Ms), msText(baselineP95Ms)]
    const text = ratio === null ? 'too few files to tell' : ratioText(ratio)
    if (!isOpen) return [[...row, '', text]]
    const verdict = ratio === null ? '' : ` ${verdictOf(ratio <= maxLatencyRatio + rounding, 'slow', paint)}`
    return [[...row, `≤ ${ratioText(maxLatencyRatio)}`, text + verdict]]
  })
}

/** What the environment makes of it for runs that have it as this command has. */
function hereLines({ state }: RolloutStatus, { isEnabled, percentage }: TableRollout, paint: ChalkInstance): string[] {
  if (!isEnabled) {
    return labelled('here', 'ASYNC_UPLOAD_ENABLED switches it off: all by the baseline, and nothing is counted', paint)
  }
  if (percentage === undefined || state === 'rolled-back') return []
  return labelled('here', `ASYNC_UPLOAD_ROLLOUT gives the candidate ${percentage} %`, paint)
}

function changeLines(
  { at, action, by, from, to, cause, unmet = [] }: Change,
  isFirst: boolean,
  paint: ChalkInstance,
): string[] {
  const step = from === to ? `at ${to} %` : `${from} % → ${to} %`
  const who = by === 'person' ? ', by hand' : ''
  const why = unmet.length === 0 ? cause : `${cause} (not met: ${unmet.join('; ')})`
  return labelled(isFirst ? 'history' : '', `${timeText(at)}  ${action} ${step}${who}: ${why}`, paint)
}

function verdictOf(isMet: boolean, otherwise: string, paint: ChalkInstance): string {
  return isMet ? paint.green('ok') : paint.yellow(otherwise)
}

function rowText(label: string, cells: readonly string[]): string {
  const padded = [`  ${label}`, ...cells].map((cell, at) => {
    const room = columns[at]
    return room === undefined
      ? cell
      : cell + ' '.repeat(Math.max(1, room - displayWidth(stripVTControlCharacters(cell))))
  })
  return padded.join('')
}

/** Text under a label, broken between words where a line is full, but never before a percent sign. */
function labelled(label: string, text: string, paint: ChalkInstance): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of printable(text).split(/ (?!%)/)) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && displayWidth(longer) > width - labelWidth) {
      lines.push(line)
      line = word
    } else {
      line = longer
    }
  }
  const beginning = `  ${paint.dim(label)}${' '.repeat(labelWidth - 2 - label.length)}`
  return [...lines, line].map((one, at) => (at === 0 ? beginning : ' '.repeat(labelWidth)) + one)
}

function rateText(rate: number | null): string {
  return rate === null ? '' : inPercent(rate)
}

function msText(ms: number | null): string {
  return ms === null ? '' : formatDuration(ms)
}

/** Rounded up, so that what is too slow never looks like enough: `121 %`. */
function ratioText(ratio: number): string {
  return `${Math.ceil(ratio * 100 - 1e-6)} %`
}

/** `2026-11-20 02:00 UTC`. */
function timeText(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`
}
