import type { PlannedFile } from '../plan/planned-file.ts'
import type { Clock } from './clock.ts'
import type { FileCourse } from './file-course.ts'
import { type FileWork, newWork } from './file-record.ts'
import type { OpenLane } from './lane.ts'
import type { Scheduler } from './pace/scheduler.ts'
import { createQueues } from './queues.ts'
import type { Settlement } from './settlement.ts'

/** How long files that were never begun are listed as cancelled after a stop; the summary counts them all. */
const listingAfterStopMs = 3000

export interface PassesOptions {
  readonly files: AsyncIterable<PlannedFile>
  /** By {@link PlannedFile.lane}. */
  readonly lanes: readonly OpenLane[]
  readonly course: FileCourse
  readonly settlement: Settlement
  /** All that the lanes have; what runs in the slots of one may wait for those of the next. */
  readonly schedulers: readonly Scheduler[]
  /** Those that set the pace at which files are taken. */
  readonly pacing: readonly Scheduler[]
  readonly clock: Clock
  /** Aborted with the run. */
  readonly signal: AbortSignal
  /** The run cannot go on. */
  readonly onFailed: (error: unknown) => void
}

/** Goes through all files, then again through those that were put off, until passes are used up. */
export async function goThrough(options: PassesOptions): Promise<void> {
  const { files, settlement } = options
  await pass(asWork(files), options)
  for (let again = settlement.nextPass(); again.length > 0; again = settlement.nextPass()) await pass(again, options)
}

async function pass(works: AsyncIterable<FileWork> | Iterable<FileWork>, options: PassesOptions): Promise<void> {
  const { lanes, course, settlement, schedulers, pacing, clock, signal, onFailed } = options
  const queues =
    schedulers.length > 1
      ? createQueues(pacing, (work) => begin(work, course.laneOf(work), course).catch(onFailed))
      : undefined
  let listUntil: number | undefined
  try {
    for await (const work of works) {
      if (signal.aborted) {
        listUntil ??= clock.elapsed() + listingAfterStopMs
        if (clock.elapsed() > listUntil) break
        await course.cancel(work, lanes[work.file.lane] as OpenLane)
      } else if (work.file.problem !== undefined) {
        await settlement.refused(work, work.file.problem)
      } else if (work.file.skip !== undefined) {
        await settlement.passedOver(work, work.file.skip)
      } else {
        const lane = course.laneOf(work)
        await (queues === undefined ? begin(work, lane, course) : queues.join(work, lane.scheduler))
      }
    }
  } catch (error) {
    // The plan broke off: what else there is to send is not known.
    onFailed(error)
  }
  await queues?.empty()
  for (const scheduler of schedulers) await scheduler.idle().catch(onFailed)
}

/** Resolves once the file has a slot, or needs none. */
function begin(work: FileWork, lane: OpenLane, course: FileCourse): Promise<void> {
  if (lane.signal.aborted) return course.cancel(work, lane)
  const send = (): Promise<void> => lane.scheduler.start(() => course.send(work, lane))
  const ours = lane.turn(lane.signal)
  // Cut short only by the end of what goes there, which `send` sees.
  return ours === undefined ? send() : ours.then(send, send)
}

async function* asWork(files: AsyncIterable<PlannedFile>): AsyncGenerator<FileWork> {
  for await (const file of files) yield newWork(file)
}
