import { printable } from '../../printable.ts'
import { displayWidth } from '../format.ts'
import type { FileInFlight } from '../progress.ts'
import { createRateMeter, type RateMeter } from '../rate-meter.ts'
import type { FileStatus } from '../records.ts'
import { fileLabel, fitLabel } from './label.ts'

/** What became of a file; a deferred one comes again later. */
export type Outcome = FileStatus | 'deferred'

/** A row of the screen and the file it shows. */
export interface Slot {
  readonly index: number
  file: FileInFlight
  readonly labelWidth: number
  /** The file's name in exactly `width` columns. */
  label(width: number): string
  readonly meter: RateMeter
  readonly shownAt: number
  /** Set once the file has given up its slot. */
  outcome?: { readonly status: Outcome; readonly at: number } | undefined
}

export interface Slots {
  /** Notes that a file has given up its slot; nothing is drawn. */
  ended(index: number, status: Outcome, now: number): void
  /** The rows to draw now, at most `capacity`, oldest file first where there is a choice. */
  refresh(now: number, capacity: number, inFlight: ReadonlyMap<number, FileInFlight>): readonly Slot[]
}

// With thousands of small files a second, a row that followed each of them could not be read.
const shortestShownMs = 500
// Rows that would be taken away and put back with every file make everything below them jump.
const lingerMs = 1000

/** Which of the files in flight have a row. A file keeps its row to its end; the row is then another's. */
export function createSlots(): Slots {
  let slots: Slot[] = []
  const byIndex = new Map<number, Slot>()

  function open(index: number, file: FileInFlight, now: number): Slot {
    const name = printable(fileLabel(file.path, file.key))
    let fitted: { width: number; text: string } | undefined
    const slot: Slot = {
      index,
      file,
      labelWidth: displayWidth(name),
      label(width) {
        if (fitted?.width !== width) fitted = { width, text: fitLabel(name, width) }
        return fitted.text
      },
      meter: createRateMeter(file.startedAt),
      shownAt: now,
    }
    byIndex.set(index, slot)
    return slot
  }

  return {
    ended(index, status, now) {
      const slot = byIndex.get(index)
      if (slot !== undefined) slot.outcome = { status, at: now }
    },
    refresh(now, capacity, inFlight) {
      for (const slot of slots.splice(capacity)) byIndex.delete(slot.index)
      const waiting = unshown(inFlight, byIndex)
      const kept: Slot[] = []
      for (const slot of slots) {
        const current = inFlight.get(slot.index)
        if (current !== undefined) {
          // Begun anew in a later pass.
          slot.file = current
          slot.outcome = undefined
        }
        const next = slot.outcome !== undefined && now - slot.shownAt >= shortestShownMs ? waiting() : undefined
        if (next !== undefined) {
          byIndex.delete(slot.index)
          kept.push(open(next[0], next[1], now))
        } else if (slot.outcome !== undefined && now - slot.outcome.at >= lingerMs) {
          byIndex.delete(slot.index)
        } else {
          kept.push(slot)
        }
      }
      while (kept.length < capacity) {
        const next = waiting()
        if (next === undefined) break
        kept.push(open(next[0], next[1], now))
      }
      slots = kept
      return slots
    },
  }
}

/** Files in flight without a row, one at each call: looks no further than it must. */
function unshown(inFlight: ReadonlyMap<number, FileInFlight>, shown: ReadonlyMap<number, Slot>) {
  const files = inFlight.entries()
  return (): readonly [number, FileInFlight] | undefined => {
    for (let next = files.next(); next.done !== true; next = files.next()) {
      if (!shown.has(next.value[0])) return next.value
    }
    return undefined
  }
}
