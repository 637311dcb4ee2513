import { isManifest } from '../plan/sources/manifest.ts'
import { isEmptyWindow } from '../plan/sources/modified-between.ts'
import { fault, shown } from './given.ts'
import type { Resolved } from './resolve.ts'

/**
 * Faults of options that choose the files, each right by itself, that cannot be meant together.
 *
 * @param nowMs the present, in milliseconds since the epoch
 */
export function selectionFaults({ values, chosen }: Resolved, nowMs: number): string[] {
  const faults: string[] = []
  const older = chosen.get('olderThan')
  if (older !== undefined && isEmptyWindow(values, nowMs)) {
    const newer = chosen.get('newerThan')
    const remedy = 'no file can be both; give the older of the two moments to --newer-than'
    faults.push(fault(older.from, `found ${shown(older.value)}, with ${newer?.from} ${shown(newer?.value)}: ${remedy}`))
  }
  const smallest = chosen.get('minSize')
  if (smallest !== undefined && values.minSize !== undefined && values.minSize > (values.maxSize ?? values.minSize)) {
    const largest = chosen.get('maxSize')
    const remedy = 'no file can be both; give the smaller of the two sizes to --min-size'
    const found = `found ${shown(smallest.value)}, with ${largest?.from} ${shown(largest?.value)}`
    faults.push(fault(smallest.from, `${found}: ${remedy}`))
  }
  const separated = chosen.get('null')
  if (separated !== undefined && values.null && values.filesFrom !== undefined && isManifest(values.filesFrom)) {
    faults.push(fault(separated.from, 'a .jsonl list has one JSON object a line; leave this out'))
  }
  return faults
}
