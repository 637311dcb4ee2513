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
 * How a recorded run reached a destination that is named in its lines: its own, or that of one of its routes.
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
  return routesOf(config).find((route) => settledUrl(route.to, cwd) === wanted)
}

/** The destinations a recorded run may have sent to, its own first. */
export function recordedDestinations({ to, config }: Pick<RunRecord, 'to' | 'config'>): readonly string[] {
  const others = routesOf(config).map((route) => oneForm(route.to))
  return [...new Set([to, ...others.filter((other) => other !== oneForm(to))])]
}

/** The routes that lead to a destination of their own. */
function routesOf(config: RunRecord['config'] | undefined): readonly Reached[] {
  const routes: readonly unknown[] = Array.isArray(config?.routes) ? config.routes : []
  return routes.flatMap((route) => {
    const { to, s3 } = fields(route) ?? {}
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
