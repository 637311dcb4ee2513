import type { Settings } from '../config/settings.ts'
import { UploadError } from '../errors.ts'
import type { RunLane } from '../lanes.ts'
import type { Journal } from '../observe/journal.ts'
import type { FileRecord } from '../observe/records.ts'
import type { KeyScope } from '../plan/keys/key-scope.ts'
import type { PlannedFile } from '../plan/planned-file.ts'
import type { RolloutSettings } from '../rollout/rollout-settings.ts'
import type { RolloutControl } from '../transfer/rollout-control.ts'
import { promiseUndo, type UndoPromiseOptions } from './on-failure.ts'
import { type TakeBackOptions, takeBack } from './take-back.ts'

/** Keeps `--undo-on-failure` for one run. */
export interface UndoGuard {
  /**
   * Before the first byte.
   *
   * @param journal of the run that is continued; what that uploaded is its own to replace
   * @throws UsageError where it cannot be kept.
   * @throws UploadError where a destination cannot be asked: a candidate's only where its files have no other way.
   */
  promise(journal: string | undefined): Promise<void>
  /** What a rollout decides; but a candidate that could not be asked gets no file, since nothing was promised of it. */
  rollout(control: RolloutControl): RolloutControl
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
  readonly settings: Pick<Settings, 'concurrency' | 'retry' | 'undoOnFailure'> & {
    readonly rollout?: Pick<RolloutSettings, 'fallback'> | undefined
  }
  /** The run's own, then that of each route, then those of candidates. */
  readonly lanes: readonly RunLane[]
  /** The number of each lane's candidate. */
  readonly candidateOf?: readonly (number | undefined)[]
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
  let hasPromised = true
  const { lanes, plan, signal, clock, settings, candidateOf = [], emit } = options
  signal.addEventListener('abort', () => (stoppedAtMs = clock.elapsed()), { once: true })
  const promiseAt = async (index: number, lane: RunLane, journal: string | undefined): Promise<void> => {
    const scope = plan.scope(index)
    if (scope === undefined) return
    const baseline = candidateOf.indexOf(index)
    // What its files would replace was asked along with those of the baseline.
    if (hasSameObjects(lane, lanes[baseline])) replaced[index] = replaced[baseline]
    else {
      const files = () => filesOf(index, plan.files())
      replaced[index] = await promiseUndo({ ...options, lane, scope, files }, journal)
    }
  }
  return {
    async promise(journal) {
      for (const [index, lane] of lanes.entries()) {
        await promiseAt(index, lane, journal).catch((error: unknown) => {
          const isSpare = lane.side === 'candidate' && settings.rollout?.fallback === true
          if (!isSpare || signal.aborted || !(error instanceof UploadError)) throw error
          hasPromised = false
          emit({ type: 'warning', message: withoutCandidate(error) })
        })
      }
    },
    rollout: (control) => ({
      get isOn() {
        return hasPromised && control.isOn
      },
      percentage: control.percentage,
      fallback: control.fallback,
      get stage() {
        return control.stage
      },
      settled: (record) => control.settled(record),
    }),
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

/** What may be sent by a lane: a file of the candidate's by that of the baseline, too. */
async function* filesOf(lane: number, files: AsyncIterable<PlannedFile>): AsyncGenerator<PlannedFile> {
  for await (const file of files) {
    if (file.lane === lane) yield file
    else if (file.onBaseline?.lane === lane) yield { ...file, ...file.onBaseline }
  }
}

/** Whether a candidate's files go under the same keys of the same destination as they would on the baseline. */
function hasSameObjects(candidate: RunLane, baseline: RunLane | undefined): boolean {
  if (baseline === undefined) return false
  const one = candidate.settings
  const other = baseline.settings
  const [here, there] = [candidate.destination, baseline.destination]
  const isSamePlace = here.url === there.url && here.endpoint === there.endpoint
  return isSamePlace && one.keyFix === other.keyFix && one.ifExists === other.ifExists
}

function withoutCandidate({ code, message }: UploadError): string {
  return `the candidate gets no file of this run, since --undo-on-failure could not be promised there: ${message} (${code})`
}
