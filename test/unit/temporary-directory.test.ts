import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeTemporaryDirectory } from '../../src/temporary-directory.ts'

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

describe('makeTemporaryDirectory', () => {
  it('is for its user alone, and gone once it is removed', async () => {
    const directory = await makeTemporaryDirectory('upload-test-')
    expect((await stat(directory.path)).mode & 0o077).toBe(0)
    await writeFile(join(directory.path, 'a'), 'x')
    await directory.remove()
    expect(await isThere(directory.path)).toBe(false)
    await directory.remove()
  })

  it('is gone when the process ends in a hurry', async () => {
    const before = process.listeners('exit')
    const directory = await makeTemporaryDirectory('upload-test-')
    const [atExit, ...others] = process.listeners('exit').filter((listener) => !before.includes(listener))
    expect(others).toEqual([])
    atExit?.(0)
    expect(await isThere(directory.path)).toBe(false)
    await directory.remove()
    expect(process.listeners('exit')).toEqual(before)
  })
})
