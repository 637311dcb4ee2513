import { appendFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { LimitSettings } from '../../../src/config/settings.ts'
import type { PlannedFile } from '../../../src/plan/planned-file.ts'
import { createSendLimits } from '../../../src/transfer/send-limits.ts'
import { files, wav } from '../../support/file-heads.ts'
import { defaultSettings } from '../../support/settings.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { manyOf, planned, type SceneOptions, settings, sparseFile, transfer } from './scene.ts'

function limits(given: Partial<LimitSettings>): LimitSettings {
  return { ...defaultSettings.limits, ...given }
}

/** A file as the plan has it, and then written to. */
async function written(before: Buffer, after: Buffer): Promise<PlannedFile> {
  const absolute = join(await tempDir(), 'take.wav')
  await writeFile(absolute, before)
  const { size, mtimeMs } = await stat(absolute)
  if (after !== before) {
    await writeFile(absolute, after)
    // The clock of a file system may be coarse.
    if ((await stat(absolute)).mtimeMs === mtimeMs) await appendFile(absolute, Buffer.alloc(1))
  }
  return planned(1, { absolute, size, mtimeMs })
}

/** A run of some files under limits, with the bytes they have as the plan knows them. */
function run(files: readonly PlannedFile[], given: Partial<LimitSettings>, options: Partial<SceneOptions> = {}) {
  const plannedBytes = files.reduce((sum, { size }) => sum + (size ?? 0), 0)
  return transfer({ ...options, files, limits: { ...limits(given), plannedBytes } })
}

describe('a file that is another by the time it is sent', () => {
  it.each<[string, Buffer, Partial<LimitSettings>, string]>([
    ['larger', wav(500), { maxSize: 500 }, 'TOO_LARGE'],
    ['smaller', wav(1), { minSize: 100 }, 'TOO_SMALL'],
    ['a page', files.html, { allowType: ['*/*'] }, 'TYPE_NOT_ALLOWED'],
  ])('%s: nothing of it is sent', async (_, after, given, code) => {
    const { done, records, destination } = run([await written(wav(100), after)], given)
    expect(await done).toBeUndefined()
    expect(records).toMatchObject([{ status: 'failed', error: { code }, bytesSent: 0, attempts: 1 }])
    expect(destination.objects.size).toBe(0)
  })

  it('is sent where it is still what it may be', async () => {
    const file = await written(wav(100), wav(110))
    const { done, records } = run([file], { maxSize: 500, maxTotalSize: 500, allowType: ['audio/wav'] })
    expect(await done).toBeUndefined()
    expect(records).toMatchObject([{ status: 'uploaded' }])
  })

  it('halts the run where it makes all of them too much', async () => {
    const grown = await written(wav(100), wav(200))
    const { done, records, destination } = run(
      [grown, await written(wav(), wav())],
      { maxTotalSize: 400 },
      {
        settings: { ...settings, concurrency: 1 },
      },
    )
    expect(await done).toMatchObject({ code: 'HALTED' })
    expect(records.map(({ status }) => status)).toEqual(['cancelled', 'cancelled'])
    expect(destination.objects.size).toBe(0)
  })

  it('halts the run where small files come to too much of which the plan did not know', async () => {
    const { done, of } = transfer({
      files: manyOf(await sparseFile(100), 5),
      destination: { small: { maxSize: 1000 }, reads: 'open' },
      settings: { concurrency: 1 },
      limits: { ...limits({ maxTotalSize: 300 }), plannedBytes: 200 },
    })
    expect(await done).toMatchObject({ code: 'HALTED' })
    expect([of('uploaded'), of('cancelled')].map((some) => some.length)).toEqual([3, 2])
  })
})

describe('standard input', () => {
  const input = planned(1, { path: '-', absolute: '-', key: 'take.wav', size: undefined, mtimeMs: undefined })
  const stdin = (bytes: Buffer) => ({ stdin: () => Readable.from([bytes]) })

  it.each<[string, Buffer, Partial<LimitSettings>, string]>([
    ['with too much', wav(500), { maxSize: 500 }, 'TOO_LARGE'],
    ['with too little', wav(1), { minSize: 100 }, 'TOO_SMALL'],
    ['with other bytes', files.html, { allowType: ['audio/*'] }, 'TYPE_NOT_ALLOWED'],
  ])('%s fails', async (_, bytes, given, code) => {
    const { done, records, destination } = run([input], given, stdin(bytes))
    expect(await done).toBeUndefined()
    expect(records).toMatchObject([{ status: 'failed', error: { code } }])
    expect(destination.objects.size).toBe(0)
  })

  it('is sent where it may be', async () => {
    const given = { minSize: 44, maxSize: 108, maxTotalSize: 108, allowType: ['audio/*'] }
    const { done, records } = run([input], given, stdin(wav()))
    expect(await done).toBeUndefined()
    expect(records).toMatchObject([{ status: 'uploaded', size: 108 }])
  })

  it('halts the run where it makes all of them too much', async () => {
    const { done, destination } = run([input], { maxTotalSize: 107 }, stdin(wav()))
    expect(await done).toMatchObject({ code: 'HALTED' })
    expect(destination.objects.size).toBe(0)
  })

  it('is asked for its type by what of it is in memory', async () => {
    const { heedType } = createSendLimits(limits({ allowType: ['audio/*'] }), 0)
    const held = (...bytes: Buffer[]) => ({ absolute: '-', size: Buffer.concat(bytes).length, mtimeMs: 0, held: bytes })
    await heedType(input, held(wav().subarray(0, 5), wav().subarray(5), Buffer.alloc(5000)))
    await expect(heedType(input, held(files.html))).rejects.toMatchObject({ code: 'TYPE_NOT_ALLOWED' })
    await createSendLimits(limits({}), 0).heedType(input, held(files.html))
  })
})
