import { resolve } from 'node:path'
import { parseDestinationUrl } from '../config/destination-url.ts'
import type { RunRecord } from './records.ts'

type Fields = Readonly<Record<string, unknown>>

/** How a recorded run reached one of its destinations, as far as its `run` line says. */
export interface Reached {
  /** As it was recorded. */
  readonly to: string
  /** The fields of its `s3` setting; undefined where there is none. */
  readonly s3: Fields | undefined
}

/**
 * How a recorded run reached a destination that is named in its lines: its own, that of one of its routes, or of a
 * rollout's candidate.
 *
 * @param destination the URL in a line
 * @returns undefined where it is none of the run's
 */
export function reachedAs(
  { to, config, cwd = '/' }: Pick<RunRecord, 'to' | 'config'> & Partial<Pick<RunRecord, 'cwd'>>,
  destination: string,
): Reached | undefined {
  const wanted = settledUrl(destination, cwd)
  if (settledUrl(to, cwd) === wanted) return { to, s3: fields(config?.s3) }
  return [...reachedIn(config?.routes), ...candidatesOf(config)].find((other) => settledUrl(other.to, cwd) === wanted)
}

/** The destinations a recorded run may have sent to, its own first: a candidate's only where it was to have files. */
export function recordedDestinations({
  to,
  config,
  rollout,
}: Pick<RunRecord, 'to' | 'config' | 'rollout'>): readonly string[] {
  const candidates = rollout !== undefined && rollout.percentage > 0 ? candidatesOf(config) : []
  const others = [...reachedIn(config?.routes), ...candidates].map((other) => oneForm(other.to))
  return [...new Set([to, ...others.filter((other) => other !== oneForm(to))])]
}

/** Of the rollout's candidate: in the place of the run's own settings, then of each route's. */
function candidatesOf(config: RunRecord['config'] | undefined): readonly Reached[] {
  return reachedIn(fields(config?.rollout)?.candidates)
}

/** Those of some settings that lead to a destination of their own. */
function reachedIn(settings: unknown): readonly Reached[] {
  const each: readonly unknown[] = Array.isArray(settings) ? settings : []
  return each.flatMap((some) => {
    const { to, s3 } = fields(some) ?? {}
    return typeof to === 'string' ? [{ to, s3: fields(s3) }] : []
  })
}

/**
 * A destination's URL in one form, whichever invocation of a run names it.
 *
 * @param cwd a directory is where it was from where that ran
 */
export function settledUrl(destination: string, cwd: string): string {
  const url = oneForm(destination)
  return url.startsWith('file:') ? oneForm(`file:${resolve(cwd, url.slice('file:'.length))}/`) : url
}

/**
 * {@link settledUrl} of what an invocation's lines name; undefined stands for the run's own destination. Each is looked
 * up once, not for each line.
 */
export function urlsIn({ to, cwd }: Pick<RunRecord, 'to' | 'cwd'>): (destination: string | undefined) => string {
  const known = new Map<string, string>()
  return (destination = to) => {
    const url = known.get(destination) ?? settledUrl(destination, cwd)
    known.set(destination, url)
    return url
  }
}

/** `s3://b/audio` and `s3://b/audio/` are one; what is no destination stays as it is. */
function oneForm(to: string): string {
  try {
    return parseDestinationUrl(to).url
  } catch {
    return to
  }
}

function fields(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null ? (value as Fields) : undefined
}
