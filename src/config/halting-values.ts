import { z } from 'zod'
import { parseDuration } from './duration.ts'

/** When a run has to end: at a time of the local day, the next one, or so long after its start. */
export type Deadline =
  | { readonly kind: 'at'; readonly hours: number; readonly minutes: number }
  | { readonly kind: 'after'; readonly ms: number }

/** Values that end a run. */

/** `06:00` or `2h`. */
export function deadline() {
  const expected = 'expected a local time such as 06:00, or a duration such as 90m, 2h or 1d'
  const read = z.string(expected).transform((given, context): Deadline => {
    const [, hours, minutes] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(given) ?? []
    if (hours !== undefined && minutes !== undefined) {
      return { kind: 'at', hours: Number(hours), minutes: Number(minutes) }
    }
    const ms = parseDuration(given)
    if (ms !== undefined && ms > 0 && ms <= mostMs) return { kind: 'after', ms }
    context.issues.push({ code: 'custom', message: expected, input: given })
    return z.NEVER
  })
  return read.meta({ pattern: '^(\\d{1,2}:\\d\\d|\\d+(\\.\\d+)?(ms|s|m|h|d))$' })
}

/** A timer of Node counts no further. */
const mostMs = 24 * 86_400_000

/** `5%`, as a share from 0 to 1. */
export function share() {
  const expected = 'expected a percentage such as 5% or 0.5%'
  const read = z.string(expected).transform((given, context): number => {
    const [, digits] = /^(\d{1,3}(?:\.\d+)?) ?%$/.exec(given) ?? []
    // Not divided: 99.9 / 100 is a little more than 0.999, which exactly as many would miss.
    const share = Number(`${digits}e-2`)
    if (share <= 1) return share
    context.issues.push({ code: 'custom', message: expected, input: given })
    return z.NEVER
  })
  return read.meta({ pattern: '^\\d{1,3}(\\.\\d+)? ?%$' })
}
