import { readFile } from 'node:fs/promises'
import type { FileRecord, JournalRecord, RunRecord, SummaryRecord } from '../../src/observe/records.ts'

export interface Journal {
  readonly lines: readonly JournalRecord[]
  readonly run: RunRecord
  readonly files: readonly FileRecord[]
  /** Absent where the run was killed. */
  readonly summary: SummaryRecord | undefined
  /** The line of the file at this path; fails where there is none, or more than one. */
  readonly file: (path: string) => FileRecord
}

/** Reads one invocation's journal or JSONL report: every line must be an object with a `type`. */
export async function readJournal(path: string): Promise<Journal> {
  return parseJournal(await readFile(path, 'utf8'))
}

/** The same, from text. */
export function parseJournal(text: string): Journal {
  const lines = parseNdjson(text) as unknown as JournalRecord[]
  const run = lines.find((line) => line.type === 'run')
  if (run === undefined) throw new Error('The journal has no run line.')
  const files = lines.filter((line) => line.type === 'file')
  return {
    lines,
    run,
    files,
    summary: lines.findLast((line) => line.type === 'summary'),
    file: (name) => {
      const found = files.filter((file) => file.path === name || file.source === name)
      const [only] = found
      if (only === undefined || found.length > 1) {
        throw new Error(`${found.length} lines for ${name} among ${files.map((file) => file.path).join(', ')}`)
      }
      return only
    },
  }
}

/** Lines of JSON objects that each have a `type`; anything else throws. */
export function parseNdjson(text: string): { readonly type: string; readonly [field: string]: unknown }[] {
  if (text !== '' && !text.endsWith('\n')) throw new Error('The last line has no newline.')
  return text
    .split('\n')
    .slice(0, -1)
    .map((line, at) => {
      const value: unknown = JSON.parse(line)
      if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string') {
        throw new Error(`Line ${at + 1} is no record: ${line}`)
      }
      return { ...value, type: value.type }
    })
}
