import { isSent, type PlannedFile } from '../planned-file.ts'

export interface ChangedKeysOptions {
  /** What every key of a lane begins with: `''` or ending in `/`. */
  readonly prefixes: readonly string[]
  readonly warn: (message: string) => void
  /** For what is worth knowing with `-v`. */
  readonly say: (message: string) => void
}

/** Tells the user of the keys that `--key-fix` changed. */
export interface ChangedKeys {
  /** Called for each file of the plan, once. */
  see(file: Pick<PlannedFile, 'key' | 'lane' | 'originalKey' | 'problem' | 'skip'>): void
  /** Sums them up. */
  close(): void
}

/** How many are named in the sum. */
const examplesShown = 3

/** Files that fail without being sent are left out: they get no key. */
export function createChangedKeys({ prefixes, warn, say }: ChangedKeysOptions): ChangedKeys {
  const examples: string[] = []
  let count = 0
  return {
    see(file) {
      const { key, lane, originalKey } = file
      if (originalKey === undefined || !isSent(file)) return
      count += 1
      const { length } = prefixes[lane] as string
      const change = `${originalKey.slice(length)} → ${key.slice(length)}`
      if (examples.length < examplesShown) examples.push(change)
      say(`--key-fix: ${change}`)
    },
    close() {
      if (count === 0) return
      const more = count > examples.length ? ` and ${count - examples.length} more (each with -v)` : ''
      const keys = count === 1 ? '1 key was' : `${count} keys were`
      warn(`--key-fix: ${keys} changed: ${examples.join(', ')}${more}`)
    },
  }
}
