import { createHash, randomBytes } from 'node:crypto'
import { v7 } from 'uuid'

/**
 * UUIDs of version 7, one for each index: they begin with the time, so that a later run's sort behind an earlier one's.
 * The same index has the same one for as long as the process lives, since a plan may be gone through more than once.
 * https://www.rfc-editor.org/rfc/rfc9562#section-5.7
 *
 * @param atMs milliseconds since the epoch
 * @param seed what sets them apart from everybody else's; another one is passed in by tests alone
 */
export function createUuids(atMs: number, seed: Uint8Array = randomBytes(32)): (index: number) => string {
  return (index) => v7({ msecs: atMs, random: createHash('sha256').update(seed).update(String(index)).digest() })
}
