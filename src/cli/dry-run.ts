import { once } from 'node:events'
import { formatFiles, formatSize, oneLine } from '../observe/format.ts'
import { isoTime } from '../observe/iso-time.ts'
import { objectUrl } from '../observe/verbose.ts'
import type { PlannedFile } from '../plan/planned-file.ts'
import { printable } from '../printable.ts'
import type { Output } from './host.ts'

/** What a plan came to. */
export interface PlanTotals {
  readonly files: number
  readonly bytes: number
  readonly failing: number
}

/**
 * Prints what would be sent, a line for each file as it is found, until `signal` is aborted.
 *
 * @param to - The destination's URL, ending in `/`.
 */
export async function printPlan(
  plan: AsyncIterable<PlannedFile>,
  { to, json, stdout, signal }: { to: string; json: boolean; stdout: Output; signal: AbortSignal },
): Promise<PlanTotals> {
  let files = 0
  let bytes = 0
  let failing = 0
  for await (const file of plan) {
    if (signal.aborted) break
    if (file.problem === undefined) {
      files += 1
      bytes += file.size ?? 0
    } else {
      failing += 1
    }
    const line = json ? JSON.stringify(plannedRecord(file, to)) : plannedLine(file, to)
    if (!stdout.write(`${line}\n`)) await drained(stdout, signal)
  }
  return { files, bytes, failing }
}

/** `would upload a.wav → s3://b/a.wav (60.1 MB, audio/wav)`. */
export function plannedLine(file: PlannedFile, to: string): string {
  const path = printable(file.path)
  if (file.problem !== undefined) return `would fail ${path}: ${oneLine(file.problem.message)} (${file.problem.code})`
  const size = file.size === undefined ? 'size not known' : formatSize(file.size)
  const changed = file.originalKey === undefined ? '' : `; its key would have been ${printable(file.originalKey)}`
  return `would upload ${path} → ${printable(objectUrl(to, file.key))} (${size}, ${file.contentType}${changed})`
}

/** A file as `--dry-run --json` prints it: the fields a run's `file` line would have. */
export function plannedRecord(file: PlannedFile, to: string): Readonly<Record<string, unknown>> {
  const { path, source, key, originalKey, size, mtimeMs, contentType, problem } = file
  return {
    type: 'planned',
    path,
    source,
    key,
    originalKey,
    destination: to,
    size: size ?? null,
    mtime: mtimeMs === undefined ? null : isoTime(mtimeMs),
    contentType,
    ...(problem === undefined
      ? {}
      : { error: { code: problem.code, message: problem.message, retryable: problem.retryable } }),
  }
}

/** `upload: would send 213 files, 3.2 GB → s3://b/; 1 would fail; nothing was sent`. */
export function planSummary({ files, bytes, failing }: PlanTotals, to: string): string {
  const problems = failing === 0 ? '' : `; ${formatFiles(failing)} would fail`
  return `upload: would send ${formatFiles(files)}, ${formatSize(bytes)} → ${printable(to)}${problems}; nothing was sent`
}

/** Waits until more can be written, or nobody is there to read it. */
export async function drained(stdout: Output, signal: AbortSignal): Promise<void> {
  await once(stdout, 'drain', { signal }).catch(() => undefined)
}
