import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A directory for what has to be kept for a while. */
export interface TemporaryDirectory {
  readonly path: string
  /** Removes it with all it holds; does not reject. */
  remove(): Promise<void>
}

/**
 * Makes a directory of this user's own. It is removed when the process ends, too, however hastily: it holds what came
 * by standard input.
 */
export async function makeTemporaryDirectory(prefix: string): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), prefix))
  const removeNow = (): void => rmSync(path, { recursive: true, force: true })
  process.once('exit', removeNow)
  return {
    path,
    async remove() {
      process.off('exit', removeNow)
      await rm(path, { recursive: true, force: true }).catch(() => undefined)
    },
  }
}
