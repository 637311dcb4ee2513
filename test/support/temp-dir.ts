import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export interface TempDir {
  /** Absolute, symbolic links resolved (macOS' `/tmp` is one). */
  readonly path: string
  /** Removes the directory with all it holds; more than once does no harm. */
  readonly remove: () => Promise<void>
}

/** A new directory that lives until `remove`: for what a whole file of tests shares. */
export async function makeTempDir(name = 'upload-test'): Promise<TempDir> {
  const path = await realpath(await mkdtemp(join(tmpdir(), `${name}-`)))
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) }
}

/** A new directory that is gone when the test ends. */
export async function tempDir(name?: string): Promise<string> {
  const dir = await makeTempDir(name)
  onTestFinished(dir.remove)
  return dir.path
}
