import { looksLikeDestination } from './destination-url.ts'
import { fault, shown } from './given.ts'

/** The arguments that are no options. */
export interface Positionals {
  readonly sources: readonly string[]
  /** The last argument, where it names a destination. */
  readonly destination: string | undefined
  readonly faults: readonly string[]
}

/** Tells sources from the destination, which may be the last argument. */
export function readPositionals(args: readonly string[]): Positionals {
  const last = args.at(-1)
  const destination = last !== undefined && looksLikeDestination(last) ? last : undefined
  const sources = destination === undefined ? args : args.slice(0, -1)
  const faults = sources
    .filter(looksLikeDestination)
    .map((source) =>
      fault(
        `argument ${shown(source)}`,
        'a destination goes last, or behind --to (a file of that name: put ./ before it)',
      ),
    )
  return { sources, destination, faults }
}
