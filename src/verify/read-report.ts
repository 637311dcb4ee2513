import { UsageError } from '../errors.ts'
import { urlsIn } from '../observe/recorded-destinations.ts'
import type { FileRecord, RunRecord } from '../observe/records.ts'
import { readRecordsAndGaps, refuseOtherRun } from '../observe/report/read.ts'

/** A journal, or a JSONL report, of one run. */
export interface Report {
  /** Of its last invocation. */
  readonly run: RunRecord
  /** Of each invocation, in their order: each may have gone to other destinations. */
  readonly runs: readonly RunRecord[]
  /**
   * How many lines of that invocation cannot be read. What such a line of an earlier one was about, the invocations that
   * followed did not know either: they sent it anew.
   */
  readonly unreadable: number
  /**
   * Its files' lines from the beginning, each time it is called, their destinations' URLs in one form; nothing of them is
   * kept.
   */
  files(): AsyncGenerator<FileRecord>
}

/** @throws UsageError where the file cannot be read, or is no record of one run. */
export async function openReport(path: string): Promise<Report> {
  const runs: RunRecord[] = []
  let unreadable = 0
  for await (const record of recordsOf(path)) {
    if (record === undefined) unreadable += 1
    if (record?.type !== 'run') continue
    refuseOtherRun(runs[0], record, path)
    runs.push(record)
    unreadable = 0
  }
  const run = runs.at(-1)
  if (run === undefined) throw new UsageError(`${path} is no journal or .jsonl report of a run`)
  return {
    run,
    runs,
    unreadable,
    async *files() {
      let urlOf = urlsIn({ to: '', cwd: '/' })
      for await (const record of recordsOf(path)) {
        if (record?.type === 'run') urlOf = urlsIn(record)
        if (record?.type === 'file') yield { ...record, destination: urlOf(record.destination) }
      }
    },
  }
}

async function* recordsOf(path: string) {
  try {
    for await (const records of readRecordsAndGaps(path)) yield* records
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    throw new UsageError(`${path} cannot be read (${code})`)
  }
}
