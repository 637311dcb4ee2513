import { type BigIntStats, stat } from 'node:fs'
import { namesMtime } from '../../destinations/mtime.ts'
import type { PlannedFile } from '../../plan/planned-file.ts'
import { sourceError } from '../../plan/source-errors.ts'
import { changeSince, type FileFacts } from './file-facts.ts'

/**
 * A file's modification time to the nanosecond, to be kept with its object.
 *
 * @param facts the file as it is sent
 * @returns undefined where it has none (standard input), or what is said of this very file names another
 * @throws UploadError SOURCE_CHANGED where it is another file by now; SOURCE_* where it cannot be looked at.
 */
export async function preservedTime(
  { path, properties }: Pick<PlannedFile, 'path' | 'properties'>,
  facts: FileFacts,
): Promise<bigint | undefined> {
  if (path === '-' || namesMtime(properties.metadata)) return undefined
  const { size, mtimeNs } = await preciseStatOf(facts.absolute)
  const difference = changeSince(facts, { size: Number(size), mtimeMs: millisecondsOf(mtimeNs) })
  if (difference !== undefined) throw difference
  return mtimeNs
}

function preciseStatOf(path: string): Promise<BigIntStats> {
  return new Promise((resolve, reject) => {
    stat(path, { bigint: true }, (error, stats) => (error ? reject(sourceError(error)) : resolve(stats)))
  })
}

const perSecond = 1_000_000_000n

/** As `Stats.mtimeMs` has it, to the last bit: what is compared was read with it. */
function millisecondsOf(ns: bigint): number {
  const rest = ((ns % perSecond) + perSecond) % perSecond
  return Number((ns - rest) / perSecond) * 1000 + Number(rest) / 1_000_000
}
