import type { Settings } from '../config/settings.ts'
import type { RunLane } from '../lanes.ts'
import type { Journal } from '../observe/journal.ts'
import type { FileRecord } from '../observe/records.ts'
import type { KeyScope } from '../plan/keys/key-scope.ts'
import type { PlannedFile } from '../plan/planned-file.ts'
import { promiseUndo, type UndoPromiseOptions } from './on-failure.ts'
import { type TakeBackOptions, takeBack } from './take-back.ts'

/** Keeps `--undo-on-failure` for one run. */
export interface UndoGuard {
  /**
   * Before the first byte.
   *
   * @param journal of the run that is continued; what that uploaded is its own to replace
   * @throws UsageError where it cannot be kept.
   * @throws UploadError where a destination cannot be asked.
   */
  promise(journal: string | undefined): Promise<void>
  /** What each upload of a lane replaces: null for nothing; undefined where that need not be known. */
  replacedIn(lane: number): null | undefined
  /** Keeps a file's line, and those that the journal cannot take, too. */
  recordIn(journal: Journal): Journal['append']
  /** Takes back what the run has created. Never fails; what cannot be taken back is told. */
  takeBack(journal: Journal): Promise<void>
}

export interface UndoGuardOptions
  extends Omit<UndoPromiseOptions, 'lane' | 'scope' | 'files'>,
    Omit<TakeBackOptions, 'journal' | 'unrecorded' | 'stoppedAtMs'> {
  readonly settings: Pick<Settings, 'concurrency' | 'retry' | 'undoOnFailure'>
  /** The run's own, then that of each route. */
  readonly lanes: readonly RunLane[]
  readonly plan: {
    files(): AsyncIterable<PlannedFile>
    /** Undefined where no file goes there. */
    scope(lane: number): KeyScope | undefined
  }
}

export function guardRun(options: UndoGuardOptions): UndoGuard {
  const unrecorded: FileRecord[] = []
  const replaced: (null | undefined)[] = []
  let stoppedAtMs: number | undefined
  const { lanes, plan, signal, clock } = options
  signal.addEventListener('abort', () => (stoppedAtMs = clock.elapsed()), { once: true })
  return {
    async promise(journal) {
      for (const [index, lane] of lanes.entries()) {
        const scope = plan.scope(index)
        if (scope === undefined) continue
        const files = () => filesOf(index, plan.files())
        replaced[index] = await promiseUndo({ ...options, lane, scope, files }, journal)
      }
    },
    replacedIn: (lane) => replaced[lane],
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

async function* filesOf(lane: number, files: AsyncIterable<PlannedFile>): AsyncGenerator<PlannedFile> {
  for await (const file of files) if (file.lane === lane) yield file
}
