import type { PlannedFile } from '../plan/planned-file.ts'
import type { Clock } from './clock.ts'
import type { FileCourse } from './file-course.ts'
import { type FileWork, newWork } from './file-record.ts'
import type { OpenLane } from './lane.ts'
import type { Scheduler } from './pace/scheduler.ts'
import type { Settlement } from './settlement.ts'

/** How long files that were never begun are listed as cancelled after a stop; the summary counts them all. */
const listingAfterStopMs = 3000

export interface PassesOptions {
  readonly files: AsyncIterable<PlannedFile>
  /** By {@link PlannedFile.lane}. */
  readonly lanes: readonly OpenLane[]
  readonly course: FileCourse
  readonly settlement: Settlement
  readonly scheduler: Scheduler
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
  const { lanes, course, settlement, scheduler, clock, signal, onFailed } = options
  let listUntil: number | undefined
  try {
    for await (const work of works) {
      const lane = lanes[work.file.lane] as OpenLane
      if (signal.aborted) {
        listUntil ??= clock.elapsed() + listingAfterStopMs
        if (clock.elapsed() > listUntil) break
        await course.cancel(work, lane)
      } else if (work.file.problem !== undefined) {
        await settlement.refused(work, work.file.problem)
      } else if (work.file.skip !== undefined) {
        await settlement.passedOver(work, work.file.skip)
      } else if (lane.signal.aborted) {
        await course.cancel(work, lane)
      } else {
        const ours = lane.turn(lane.signal)
        // Cut short only by the end of what goes there, which `send` sees.
        if (ours !== undefined) await ours.catch(() => undefined)
        await scheduler.start(() => course.send(work, lane))
      }
    }
  } catch (error) {
    // The plan broke off: what else there is to send is not known.
    onFailed(error)
  }
  await scheduler.idle().catch(onFailed)
}

async function* asWork(files: AsyncIterable<PlannedFile>): AsyncGenerator<FileWork> {
  for await (const file of files) yield newWork(file)
}
