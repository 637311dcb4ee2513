import type { Checksum, Part } from '../destinations/destination.ts'
import { combineChecksums, isCombinable, type PartChecksum } from './crc-combine.ts'

/** The checksum of an object's bytes, worked out from those of all its parts; undefined where it does not follow. */
export function wholeChecksum(parts: readonly Part[]): Checksum | undefined {
  const algorithm = parts[0]?.checksum?.algorithm
  if (algorithm === undefined || !isCombinable(algorithm)) return undefined
  const values: PartChecksum[] = []
  for (const { size, checksum } of parts) {
    if (checksum?.algorithm !== algorithm) return undefined
    values.push({ size, value: checksum.value })
  }
  const value = combineChecksums(algorithm, values)
  return value === undefined ? undefined : { algorithm, value }
}
