import { afterEach, beforeEach, vi } from 'vitest'
import { makeTempDir, type TempDir } from '../../../support/temp-dir.ts'

/** For each test of a file, a place of its own for temporary files; what that is. */
export function ownTemporary(): () => TempDir {
  let temporary: TempDir
  beforeEach(async () => {
    temporary = await makeTempDir()
    vi.stubEnv('TMPDIR', temporary.path)
    vi.stubEnv('TEMP', temporary.path)
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await temporary.remove()
  })
  return () => temporary
}
