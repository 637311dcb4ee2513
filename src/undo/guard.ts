import type { Journal } from '../observe/journal.ts'
import type { FileRecord } from '../observe/records.ts'
import { promiseUndo, type UndoPromiseOptions } from './on-failure.ts'
import { type TakeBackOptions, takeBack } from './take-back.ts'

/** Keeps `--undo-on-failure` for one run. */
export interface UndoGuard {
  /**
   * Before the first byte.
   *
   * @param journal of the run that is continued; what that uploaded is its own to replace
   * @throws UsageError where it cannot be kept.
   * @throws UploadError where the destination cannot be asked.
   */
  promise(journal: string | undefined): Promise<void>
  /** What each upload replaces: null for nothing; undefined where that need not be known. */
  readonly replaced: null | undefined
  /** Keeps a file's line, and those that the journal cannot take, too. */
  recordIn(journal: Journal): Journal['append']
  /** Takes back what the run has created. Never fails; what cannot be taken back is told. */
  takeBack(journal: Journal): Promise<void>
}

export type UndoGuardOptions = UndoPromiseOptions & Omit<TakeBackOptions, 'journal' | 'unrecorded' | 'stoppedAtMs'>

export function guardRun(options: UndoGuardOptions): UndoGuard {
  const unrecorded: FileRecord[] = []
  let replaced: null | undefined
  let stoppedAtMs: number | undefined
  const { signal, clock } = options
  signal.addEventListener('abort', () => (stoppedAtMs = clock.elapsed()), { once: true })
  return {
    async promise(journal) {
      replaced = await promiseUndo(options, journal)
    },
    get replaced() {
      return replaced
    },
    recordIn: (journal) => async (line, how) => {
      try {
        await journal.append(line, how)
      } catch (error) {
        if (line.type === 'file') unrecorded.push(line)
        throw error
      }
    },
    takeBack: (journal) => takeBack({ ...options, journal, unrecorded, stoppedAtMs: () => stoppedAtMs }),
  }
}
