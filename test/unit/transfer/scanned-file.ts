import { truncate, utimes, writeFile } from 'node:fs/promises'
import type { PlannedFile } from '../../../src/plan/planned-file.ts'
import { MiB, type Scene, sparseFile } from './scene.ts'

/** What happens to a file between the scan and its turn. */
export const changes: readonly [how: string, size: number, change: (path: string) => Promise<void>][] = [
  ['grew', 17, (path) => truncate(path, 17)],
  ['became longer than what goes as a small one', 1001, (path) => truncate(path, 1001)],
  ['became a large one', 20 * MiB, (path) => truncate(path, 20 * MiB)],
  ['became shorter', 3, (path) => truncate(path, 3)],
  ['became empty', 0, (path) => truncate(path, 0)],
  ['was written to', 10, (path) => writeFile(path, '0123456789')],
  ['has another time', 10, (path) => utimes(path, 1_700_000_000, 1_700_000_000.5)],
]

/** A file as it was scanned, an hour ago or so. */
export async function scannedFile(size: number): Promise<PlannedFile> {
  const file = await sparseFile(size)
  await utimes(file.absolute, 1_700_000_000, 1_700_000_000)
  return { ...file, mtimeMs: 1_700_000_000_000 }
}

/** The sizes that the file was begun with. */
export function begun({ events }: Scene): (number | undefined)[] {
  return events.flatMap((event) => (event.type === 'file-started' ? [event.size] : []))
}
