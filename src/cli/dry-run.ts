import { once } from 'node:events'
import type { Settings } from '../config/settings.ts'
import { formatFiles, formatSize } from '../observe/format.ts'
import { placesText } from '../observe/start-line.ts'
import type { PlannedUpload } from '../upload.ts'
import type { Output } from './host.ts'
import { planColumns, plannedRecord } from './planned-text.ts'

/** What a plan came to. */
export interface PlanTotals {
  /** That would be sent. */
  readonly files: number
  readonly bytes: number
  readonly skipped: number
  readonly failing: number
  /** URLs of where something would be sent. */
  readonly destinations: ReadonlySet<string>
}

export interface PrintPlanOptions {
  readonly settings: Pick<Settings, 'json' | 'rules' | 'routes' | 'rollout'>
  readonly stdout: Output
  readonly signal: AbortSignal
}

/** Prints what would be sent, a line for each file as it is found, until `signal` is aborted. */
export async function printPlan(
  plan: AsyncIterable<PlannedUpload>,
  { settings, stdout, signal }: PrintPlanOptions,
): Promise<PlanTotals> {
  const columns = planColumns(settings)
  const destinations = new Set<string>()
  const totals = { files: 0, bytes: 0, skipped: 0, failing: 0 }
  let isFirst = true
  for await (const planned of plan) {
    if (signal.aborted) break
    const { file, lane } = planned
    if (file.problem !== undefined) totals.failing += 1
    else if (file.skip !== undefined) totals.skipped += 1
    else {
      totals.files += 1
      totals.bytes += file.size ?? 0
      destinations.add(lane.destination.url)
    }
    const heading = isFirst && !settings.json ? `${columns.heading}\n` : ''
    isFirst = false
    const line = settings.json ? JSON.stringify(plannedRecord(planned)) : columns.line(planned)
    if (!stdout.write(`${heading}${line}\n`)) await drained(stdout, signal)
  }
  return { ...totals, destinations }
}

/**
 * `upload: would send 213 files, 3.2 GB → s3://b/; 1 file would fail; nothing was sent`.
 *
 * @param to the run's own destination
 */
export function planSummary({ files, bytes, skipped, failing, destinations }: PlanTotals, to: string): string {
  const where = placesText(to, [...destinations])
  const others = [
    ...(skipped === 0 ? [] : [`${formatFiles(skipped)} would be skipped`]),
    ...(failing === 0 ? [] : [`${formatFiles(failing)} would fail`]),
    'nothing was sent',
  ]
  return `upload: would send ${formatFiles(files)}, ${formatSize(bytes)} → ${where}; ${others.join('; ')}`
}

/** Waits until more can be written, or nobody is there to read it. */
export async function drained(stdout: Output, signal: AbortSignal): Promise<void> {
  await once(stdout, 'drain', { signal }).catch(() => undefined)
}
