import type { Environment } from '../config/environment.ts'
import { redactText } from '../config/redact.ts'
import { UploadError, UsageError } from '../errors.ts'
import { printable } from '../printable.ts'

/**
 * What is printed of an error, line by line: without secrets, and without a stack trace unless somebody asked for it.
 */
export function explain(error: unknown, verbose: boolean): readonly string[] {
  if (error instanceof UsageError) return error.faults.map(line)
  if (error instanceof UploadError) return [line(error.message)]
  const message = error instanceof Error ? error.message : String(error)
  const stack = error instanceof Error ? (error.stack ?? '').split('\n') : []
  const more = verbose ? stack.map((one) => redactText(printable(one))) : ['upload: run it again with -v to see where']
  return [line(`internal error: ${message}`), ...more]
}

/** What is printed where standard output failed; nothing where its reader has gone, for nobody asked for more then. */
export function explainOutput({ code, message }: NodeJS.ErrnoException): readonly string[] {
  if (code === 'EPIPE' || code === 'EOF' || code === 'ERR_STREAM_DESTROYED') return []
  const why = code === 'ENOSPC' || code === 'EDQUOT' ? 'no space left there' : (code ?? message)
  return [line(`standard output cannot be written: ${why}`)]
}

/** Whether the command line or the environment asks for details, for when nothing that reads them properly is at hand. */
export function wantsDetails(argv: readonly string[], env: Environment): boolean {
  const flags = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv
  return flags.some((flag) => flag === '-v' || flag === '--verbose') || /^(?:1|true)$/i.test(env.UPLOAD_VERBOSE ?? '')
}

function line(message: string): string {
  return `upload: ${printable(redactText(message.trim().replace(/\s*\n\s*/g, ' ')))}`
}
