import { isSent, type PlannedFile } from '../planned-file.ts'
import { sumToCome } from './key-tokens.ts'

/** The keys of files that go one way, or may have to: a candidate's that fail there take the baseline. */
export interface KeyScope {
  /** How many files there are. */
  readonly files: number
  /** What all their keys begin with, up to a `/`. */
  readonly prefix: string
}

/** Sees the files of a first pass, and finds out the scope of their keys for each lane. */
export interface KeyScopes {
  see(file: PlannedFile): void
  /** @returns undefined where no file goes there */
  of(lane: number): KeyScope | undefined
}

export function createKeyScopes(): KeyScopes {
  const scopes: ({ files: number; prefix: string } | undefined)[] = []
  const widen = (lane: number, key: string): void => {
    const scope = scopes[lane] ?? { files: 0, prefix: directoryOf(key) }
    scopes[lane] = scope
    scope.files += 1
    while (!key.startsWith(scope.prefix)) scope.prefix = directoryOf(scope.prefix.slice(0, -1))
  }
  return {
    see(file) {
      if (!isSent(file)) return
      // What a sum will be is not known yet.
      const known = (key: string): string => (file.onceRead === undefined ? key : key.slice(0, key.indexOf(sumToCome)))
      widen(file.lane, known(file.key))
      const { onBaseline } = file
      if (onBaseline !== undefined) widen(onBaseline.lane, known(onBaseline.key))
    },
    of: (lane) => scopes[lane],
  }
}

function directoryOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1)
}
