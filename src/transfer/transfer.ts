import type { Readable } from 'node:stream'
import type { HaltSettings, LimitSettings } from '../config/settings.ts'
import type { Destination } from '../destinations/destination.ts'
import { toUploadError } from '../errors.ts'
import type { Listener } from '../observe/events.ts'
import type { FileRecord, PartRecord, UploadStartedRecord } from '../observe/records.ts'
import { candidateGivenUpText, givenUpText } from '../observe/verbose.ts'
import type { PlannedFile } from '../plan/planned-file.ts'
import type { Clock } from './clock.ts'
import type { Earlier } from './earlier.ts'
import { createFileCourse } from './file-course.ts'
import { type Lane, openLanes } from './lane.ts'
import { createPacer } from './pace/rate-limit.ts'
import type { KeepLine } from './part-journal.ts'
import { goThrough } from './passes.ts'
import { createLocalBytes } from './reading/local-bytes.ts'
import { createSmallReader } from './reading/small-reader.ts'
import type { RolloutControl } from './rollout-control.ts'
import { createSendLimits } from './send-limits.ts'
import { createSettlement } from './settlement.ts'
import { createStdinFile } from './stdin/stdin-file.ts'
import { createTargets, type Target, type TargetPlan, type TargetsOptions } from './target.ts'
import { createHalt } from './trouble/halt.ts'
import { withPatience } from './trouble/patience.ts'
import { createStops, type StopCause } from './trouble/stops.ts'

export interface TransferOptions {
  readonly files: AsyncIterable<PlannedFile>
  /** The run's own, that of each route, then those of candidates: {@link PlannedFile.lane} says which a file takes. */
  readonly lanes: readonly Lane[]
  /** Of the run as a whole. */
  readonly settings: TargetsOptions['settings'] & {
    /** Passes over failed files at the end. */
    readonly retry: { readonly retryFailed: number }
    readonly halt: Omit<HaltSettings, 'deadline'>
  }
  /** What may be uploaded, and the bytes that all files had together when the run was planned; undefined: anything. */
  readonly limits?: (LimitSettings & { readonly plannedBytes: number }) | undefined
  /** Opened only where it is a source. */
  readonly stdin: () => Readable
  readonly clock: Clock
  /** Aborted by whoever wants the run to end. */
  readonly signal: AbortSignal
  /** Stops the run with the signal's reason, where a rule says that it has to end. */
  readonly halted?: AbortSignal | undefined
  readonly emit: Listener
  /**
   * Keeps a file's fate, or what is needed to go on with it; resolves once the kernel has it, with `sync` once it is on
   * the disk. A failure to do so stops the run.
   */
  readonly record: (
    record: FileRecord | UploadStartedRecord | PartRecord,
    options?: { readonly sync?: boolean | undefined },
  ) => Promise<void>
  /** What has been done before of these files; undefined where all of them are new. */
  readonly earlier?: Earlier | undefined
  /** Undefined where nothing is rolled out. */
  readonly rollout?: RolloutControl | undefined
}

/**
 * Sends every file, many at once, each on its own: one that fails stops no other. A fault of a destination or its
 * credentials stops what goes there, one of the plan or the journal the run; what has not been done by then is
 * `cancelled`.
 *
 * @returns why the run, or a part of it, was stopped; empty where it was not, or by the caller's signal
 */
export async function transferFiles(options: TransferOptions): Promise<readonly StopCause[]> {
  const { settings, clock, emit, record, rollout } = options
  const fallsBack = rollout?.fallback === true
  const plans = targetPlans(options.lanes, fallsBack)
  const candidates = plans.filter(({ isReplaceable }) => isReplaceable).length
  const stops = createStops(options.signal, plans, ({ url, isReplaceable }, error) => {
    const message = isReplaceable
      ? candidateGivenUpText(error, candidates > 1 ? url : undefined)
      : givenUpText(url, error)
    emit({ type: 'warning', message })
  })
  const { signal } = stops
  const stopFor = (error: unknown): void => stops.stop(toUploadError(error))
  const { schedulers, pacing, targets } = createTargets(plans, stops, options)
  const limits = options.limits && createSendLimits(options.limits, options.limits.plannedBytes)
  const stdin = createStdinFile(options.stdin, signal, limits?.sizes.leftForStdin)
  const keepLine: KeepLine = async (line, how) => {
    try {
      await record(line, how)
    } catch (error) {
      stopFor(error)
      throw error
    }
    emit({ type: 'multipart', line })
  }
  const targetOf = (destination: Destination): Target =>
    targets[plans.findIndex((plan) => plan.destination === destination)] as Target
  const lanes = openLanes(options.lanes, targetOf, {
    clock,
    emit,
    fallsBack,
    stdin,
    pacer: settings.limitRate === undefined ? undefined : createPacer(settings.limitRate, clock),
    smallReader: createSmallReader(clock),
    bytes: createLocalBytes(),
    keepLine,
    limits,
  })
  const settlement = createSettlement({
    lanes,
    stops,
    emit,
    record,
    halt: createHalt(settings.halt),
    passes: settings.retry.retryFailed,
    rollout,
  })
  const course = createFileCourse({ lanes, settlement, earlier: options.earlier, rollout, emit })

  const haltRun = (): void => stopFor(options.halted?.reason)
  options.halted?.addEventListener('abort', haltRun)
  if (options.halted?.aborted) haltRun()
  try {
    const { files } = options
    const all = goThrough({ files, lanes, course, settlement, schedulers, pacing, clock, signal, onFailed: stopFor })
    await withPatience(all, signal, clock)
    await settlement.end()
    for (const { ahead } of lanes) {
      const message = ahead.uncompared()
      if (message !== undefined) emit({ type: 'warning', message })
    }
  } finally {
    for (const { gate } of targets) gate.close()
    options.halted?.removeEventListener('abort', haltRun)
    await stdin.dispose()
  }
  return stops.causes
}

/** What there is to send to, each once, by the first lane that goes there. */
function targetPlans(lanes: readonly Lane[], fallsBack: boolean): readonly TargetPlan[] {
  const plans = new Map<Destination, TargetPlan>()
  for (const { destination, settings, side } of lanes) {
    if (plans.has(destination)) continue
    const isReplaceable = fallsBack && side === 'candidate'
    plans.set(destination, { url: destination.url, destination, settings, side, isReplaceable })
  }
  return [...plans.values()]
}
