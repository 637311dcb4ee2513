import type { PlanSides } from '../file-sides.ts'
import { isSent, type PlannedFile } from '../planned-file.ts'

export interface UnfitKeysOptions extends PlanSides {
  readonly warn: (message: string) => void
  /** For what is worth knowing with `-v`. */
  readonly say: (message: string) => void
}

/** Tells the user of the files that a candidate never gets, which a rollout that is complete would have fail. */
export interface UnfitKeys {
  /** Called for each file of the plan, once. */
  see(file: Pick<PlannedFile, 'path' | 'source' | 'lane' | 'side' | 'problem' | 'skip'>): void
  /** Sums them up. */
  close(): void
}

/** How many are named in the sum. */
const examplesShown = 3

/** Of files whose lane has a candidate, and that `only` and `never` leave to it, only these have no side. */
export function createUnfitKeys({ sides, candidateOf = [], warn, say }: UnfitKeysOptions): UnfitKeys {
  const examples: string[] = []
  let count = 0
  return {
    see(file) {
      const { path, source, lane, side } = file
      if (side !== undefined || candidateOf[lane] === undefined || !isSent(file)) return
      if (sides?.(source) === undefined) return
      count += 1
      if (examples.length < examplesShown) examples.push(path)
      say(`${path} goes by the baseline: the candidate's destination cannot hold its key`)
    },
    close() {
      if (count === 0) return
      const more = count > examples.length ? ` and ${count - examples.length} more (each with -v)` : ''
      const [files, their] = count === 1 ? ['1 file goes', 'its key'] : [`${count} files go`, 'their keys']
      const why = `since the candidate's destination cannot hold ${their}`
      const remedy = 'give the candidate keyFix, or name them in never'
      warn(`rollout: ${files} by the baseline, uncounted, ${why}: ${examples.join(', ')}${more}; ${remedy}`)
    },
  }
}
