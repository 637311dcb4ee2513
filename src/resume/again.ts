import type { Settings } from '../config/settings.ts'
import { isResumable } from '../observe/journal-ending.ts'
import type { SummaryRecord } from '../observe/records.ts'

/**
 * The command that goes on with a run; undefined where nothing is left to be done, or it was taken back.
 *
 * @param argv the run's command line, without secrets
 */
export function againCommand(
  summary: Pick<SummaryRecord, 'exitCode' | 'byErrorCode' | 'undone'>,
  { resumeFrom, sources, filesFrom }: Pick<Settings, 'filesFrom' | 'resumeFrom' | 'sources'>,
  argv: readonly string[],
): string | undefined {
  if (!isResumable(summary) || (summary.undone ?? 0) > 0) return undefined
  // What stood on standard input has to be put there again: the journal cannot stand for it.
  if (sources.includes('-') || filesFrom === '-') return wholeCommand(argv)
  // `server` means a run with a journal of its own.
  if (resumeFrom === undefined || resumeFrom === 'server') return 'upload --resume'
  return `upload --resume-from ${shellWord(resumeFrom)}`
}

function wholeCommand(argv: readonly string[]): string | undefined {
  if (argv.length === 0) return undefined
  const isResuming = argv.some((word) => /^--resume(?:-from)?(?:=|$)/.test(word))
  // In front, since all that follows a `--` is a source; and `run` goes without saying.
  const words = argv[0] === 'run' ? argv.slice(1) : argv
  return ['upload', ...(isResuming ? [] : ['--resume']), ...words].map(shellWord).join(' ')
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
