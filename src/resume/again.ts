import type { Settings } from '../config/settings.ts'
import { isResumable } from '../observe/journal-ending.ts'
import type { SummaryRecord } from '../observe/records.ts'

/** The command that goes on with a run; undefined where nothing is left to be done, or it was taken back. */
export function againCommand(
  summary: Pick<SummaryRecord, 'exitCode' | 'byErrorCode' | 'undone'>,
  { resumeFrom }: Pick<Settings, 'resumeFrom'>,
): string | undefined {
  if (!isResumable(summary) || (summary.undone ?? 0) > 0) return undefined
  // `server` means a run with a journal of its own.
  if (resumeFrom === undefined || resumeFrom === 'server') return 'upload --resume'
  return `upload --resume-from ${shellWord(resumeFrom)}`
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
