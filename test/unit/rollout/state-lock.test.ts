import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, it, vi } from 'vitest'
import { lockPathOf } from '../../../src/observe/lock-path.ts'
import { begun } from '../../../src/rollout/changes.ts'
import { defaultStages } from '../../../src/rollout/stages.ts'
import { readState, updateState } from '../../../src/rollout/state-file.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { tempDir } from '../../support/temp-dir.ts'

/** How often the lock can be looked at yet; as on a network's file system, which loses hold of it. */
let looks = Number.POSITIVE_INFINITY

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>()
  const statSync = (path: string, options: object) => {
    if (path.endsWith('.lock')) looks -= 1
    if (looks < 0) throw Object.assign(new Error('ESTALE: stale file handle'), { code: 'ESTALE', syscall: 'stat' })
    return fs.statSync(path, options)
  }
  return { ...fs, default: fs, statSync }
})

beforeEach(() => {
  looks = Number.POSITIVE_INFINITY
})

const fresh = () => begun('nightly', defaultStages, 0)

it('what is written counts as written, though the lock cannot be looked at afterwards', async () => {
  const path = join(await tempDir(), 'state.json')
  // When it was taken, and before the state takes its place.
  looks = 2
  expect(await updateState(path, fresh, { waitMs: 0 })).toMatchObject({ revision: 1 })
  expect(await readState(path)).toMatchObject({ revision: 1 })
})

it('nothing is written under a lock that cannot be looked at', async () => {
  const path = join(await tempDir(), 'state.json')
  looks = 0
  await expect(updateState(path, fresh, { waitMs: 0, clock: createFakeClock() })).rejects.toThrow('cannot be written')
  expect(existsSync(path)).toBe(false)
  expect(existsSync(lockPathOf(path))).toBe(true)
})
