import { isSent, type PlannedFile } from '../planned-file.ts'
import { sumToCome } from './key-tokens.ts'

/** The keys of files that go one way. */
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
  return {
    see(file) {
      if (!isSent(file)) return
      const { lane } = file
      // What a sum will be is not known yet.
      const key = file.onceRead === undefined ? file.key : file.key.slice(0, file.key.indexOf(sumToCome))
      const scope = scopes[lane] ?? { files: 0, prefix: directoryOf(key) }
      scopes[lane] = scope
      scope.files += 1
      while (!key.startsWith(scope.prefix)) scope.prefix = directoryOf(scope.prefix.slice(0, -1))
    },
    of: (lane) => scopes[lane],
  }
}

function directoryOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1)
}
