import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isResumable, isUnfinished } from '../../../src/observe/journal-ending.ts'
import { tempDir } from '../../support/temp-dir.ts'

describe('isResumable', () => {
  it.each([
    [0, {}, false],
    [1, {}, false],
    [1, { KEY_INVALID: 2 }, false],
    [1, { KEY_INVALID: 2, STALLED: 1 }, true],
    [3, {}, true],
    [4, { TOO_LARGE: 1 }, true],
    [130, {}, true],
    [141, {}, true],
    [143, {}, true],
  ])('exit %i with %j: %s', (exitCode, byErrorCode, resumable) => {
    expect(isResumable({ exitCode, byErrorCode })).toBe(resumable)
  })
})

describe('isUnfinished', () => {
  const summary = (exitCode: number): string => `${JSON.stringify({ type: 'summary', exitCode })}\n`

  it.each([
    ['{"type":"run"}\n', true],
    [summary(0), false],
    [summary(1), false],
    [summary(130), true],
    [`${summary(0)}{"type":"run"}\n`, true],
    [`${summary(0)}{"type":"ru`, true],
    [`${summary(0)}\0\0\0`, true],
    ['', true],
  ])('%j: %s', async (text, unfinished) => {
    const path = join(await tempDir(), 'r.jsonl')
    await writeFile(path, text)
    expect(await isUnfinished(path)).toBe(unfinished)
  })

  it('says so where it cannot be read', async () => {
    await expect(isUnfinished(join(await tempDir(), 'none.jsonl'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
