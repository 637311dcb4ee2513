import { printable } from '../printable.ts'
import type { OptionKey } from './options/options.ts'
import { redactText } from './redact.ts'

/** A value somebody gave an option, not yet looked at. */
export interface GivenValue {
  readonly key: OptionKey
  readonly value: unknown
  /** Where it stands, as messages name it: `--concurrency`, `UPLOAD_CONCURRENCY`, `/x/.uploadrc.json: concurrency`. */
  readonly from: string
  /** A fault says already why it cannot be used. */
  readonly refused?: boolean
}

/** One line of a {@link UsageError}: without secrets and control characters. */
export function fault(from: string, what: string): string {
  return printable(redactText(what.startsWith(from) ? what : `${from}: ${what}`))
}

const longest = 80

/** A value as a fault quotes it. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  if (typeof value !== 'string') return String(value)
  // `user:password@host` is no URL yet, but somebody's attempt at one.
  const bare = redactText(value).replace(/^[^\s/:@]+:(?!\/\/)[^\s@]+@/, '***@')
  return JSON.stringify(bare.length > longest ? `${bare.slice(0, longest)}…` : bare)
}
