import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { UsageError } from '../errors.ts'
import { continueJournal, type Journal } from '../observe/journal.ts'
import type { RunRecord, SummaryRecord } from '../observe/records.ts'
import { readFirstRun } from '../observe/report/read.ts'
import { journalDirectories, type StatePlaces } from '../observe/state-directory.ts'
import { type AtDestinationsOptions, type PlannedUndo, planAtDestinations } from './at-destinations.ts'
import type { Spot, UndoOutcome } from './carry-out.ts'
import type { UndoPlan } from './plan.ts'
import { type RecordedRun, readRun } from './read-run.ts'

export interface UndoOptions extends Omit<AtDestinationsOptions, 'settingsAt'> {
  readonly recorded: RecordedRun
  /** How the destinations of these invocations are reached now. Throws a UsageError where that cannot be known. */
  readonly settingsOf: (runs: readonly RunRecord[]) => AtDestinationsOptions['settingsAt']
  /** The file it was read from. */
  readonly report: string
  /** Where the run's own journal is looked for, to be told of what was undone. */
  readonly places: StatePlaces
  /** Asked once, before anything is touched, where there is something to do and nothing is refused. */
  readonly approve: (plan: UndoPlan) => Promise<boolean>
  /** Told of each object that was taken back. */
  readonly onUndone?: ((object: Spot, restored: boolean) => void) | undefined
}

export interface Undone {
  readonly plan: UndoPlan
  /** Undefined where nothing was done: there was nothing to do, it was refused, or not approved. */
  readonly outcome: UndoOutcome | undefined
}

/**
 * Takes back what a recorded run created: new objects are deleted, replaced ones restored where the bucket keeps
 * versions. Where one of them could not be restored, nothing at all is touched.
 *
 * @throws UsageError where the run is still being carried out, the record is of a part of it, or a destination cannot be
 * reached.
 * @throws UploadError where a destination cannot be asked, or the journal not be written.
 */
export async function undoRun(options: UndoOptions): Promise<Undone> {
  // Held from the beginning: a run that is being carried out makes new objects meanwhile.
  const journal = await journalOf(options.recorded, options)
  let planned: PlannedUndo | undefined
  try {
    // The journal has all invocations, a report only one; and all that came since either was read.
    const recorded = journal === undefined ? options.recorded : await readRun(journal.path)
    refusePartial(recorded, options.report)
    planned = await planAtDestinations(recorded, { ...options, settingsAt: options.settingsOf(recorded.runs) })
    const { plan } = planned
    const hasWork = plan.remove.length + plan.uploads.length > 0
    if (!hasWork || plan.refuse.length > 0 || !(await options.approve(plan))) return { plan, outcome: undefined }
    let lines = 0
    const outcome = await planned.carryOut(async (object, line, restored) => {
      if (line !== undefined) {
        await journal?.append(line)
        lines += 1
      }
      options.onUndone?.(object, restored)
    })
    const { summary } = recorded
    // The journal's last line tells whether there is a run to go on with: that stays as it was.
    if (summary !== undefined && lines > 0) await journal?.append(lessUndone(summary, lines))
    return { plan, outcome }
  } finally {
    await Promise.allSettled([planned?.close(), journal?.close()])
  }
}

/**
 * The run's journal, where it is on this machine. Else the report stands for it: `--resume-from` goes by that, and must
 * not take for there what is taken back. One that can only be read is left as it is.
 */
async function journalOf(
  { run }: RecordedRun,
  { places, report }: Pick<UndoOptions, 'places' | 'report'>,
): Promise<Journal | undefined> {
  for (const directory of journalDirectories(places)) {
    const path = join(directory, `${run.runId}.jsonl`)
    const stats = await lstat(path).catch(() => undefined)
    const isOwn = stats?.isFile() && (places.uid === undefined || stats.uid === places.uid)
    if (!isOwn || (await readFirstRun(path))?.runId !== run.runId) continue
    return continueJournal(path, run.runId)
  }
  return continueJournal(report, run.runId).catch((error: unknown) => {
    if (error instanceof UsageError) throw error
    return undefined
  })
}

/** @throws UsageError where what earlier invocations of the run have made is not known. */
function refusePartial({ run: { invocation } }: RecordedRun, report: string): void {
  if (!(invocation > 1)) return
  throw new UsageError(
    `${report} is of a run's invocation ${invocation} alone, and does not know what those before have made; give the run's journal`,
  )
}

function lessUndone(summary: SummaryRecord, count: number): SummaryRecord {
  return {
    ...summary,
    uploaded: Math.max(0, summary.uploaded - count),
    undone: (summary.undone ?? 0) + count,
  }
}
