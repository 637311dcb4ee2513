import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isoTime } from '../../../src/observe/iso-time.ts'
import type { FileRecord } from '../../../src/observe/records.ts'
import type { PlannedFile } from '../../../src/plan/planned-file.ts'
import type { Earlier, EarlierFile } from '../../../src/transfer/earlier.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { fileRecord } from '../observe/events.ts'
import { planned, transfer } from './scene.ts'

async function source(): Promise<PlannedFile> {
  const absolute = join(await tempDir(), 'a.wav')
  await writeFile(absolute, '1234567')
  const { size, mtimeMs } = await stat(absolute)
  return planned(1, { absolute, size, mtimeMs, key: 'old/a.wav' })
}

const elsewhere = (file: PlannedFile, changes: Partial<FileRecord> = {}): EarlierFile['elsewhere'] => ({
  done: fileRecord({
    path: file.path,
    key: 'new/a.wav',
    destination: 'fake://as-it-was-named-then/',
    engine: 'standard',
    size: file.size ?? null,
    mtime: isoTime(file.mtimeMs ?? 0),
    etag: '"there"',
    ...changes,
  }),
  destination: 'fake://new/',
})
const knows = (file: PlannedFile, found: Partial<EarlierFile>): Earlier => ({
  find: async () => ({ key: file.key, ...found }),
})

describe('a file that the other side of a rollout has', () => {
  it('is passed over, and its line says where it is', async () => {
    const file = await source()
    const run = transfer({ files: [file], earlier: knows(file, { elsewhere: elsewhere(file) }) })
    await run.done
    expect(run.records).toMatchObject([
      {
        status: 'skipped',
        reason: 'already-uploaded',
        key: 'new/a.wav',
        destination: 'fake://new/',
        engine: 'standard',
        etag: '"there"',
      },
    ])
    expect(run.destination.calls).toEqual([])
  })

  it('is sent under its own key where it has changed since', async () => {
    const file = await source()
    const before = elsewhere(file, { mtime: '2020-01-01T00:00:00.000Z', checksum: undefined })
    const run = transfer({ files: [file], earlier: knows(file, { elsewhere: before }) })
    await run.done
    expect(run.records).toMatchObject([{ status: 'uploaded', key: 'old/a.wav', destination: 'fake://bucket/' }])
  })

  it('stays so where the run is stopped before its turn', async () => {
    const file = await source()
    const run = transfer({ files: [file], earlier: knows(file, { elsewhere: elsewhere(file) }) })
    run.stop.abort()
    await run.done
    expect(run.records).toMatchObject([
      { status: 'skipped', reason: 'already-uploaded', key: 'new/a.wav', destination: 'fake://new/' },
    ])
    const changed = transfer({
      files: [file],
      earlier: knows(file, { elsewhere: elsewhere(file, { size: 1 }) }),
    })
    changed.stop.abort()
    await changed.done
    // What its line says stands.
    expect(changed.records).toEqual([])
  })

  it('is sent where it was only passed over there, and is not to be any more', async () => {
    const file = await source()
    const existing = elsewhere(file, { status: 'skipped', reason: 'exists' })
    const run = transfer({ files: [file], earlier: knows(file, { elsewhere: existing }) })
    await run.done
    expect(run.records).toMatchObject([{ status: 'uploaded', key: 'old/a.wav' }])
    const cut = transfer({ files: [file], earlier: knows(file, { elsewhere: existing }) })
    cut.stop.abort()
    await cut.done
    expect(cut.records).toMatchObject([{ status: 'cancelled', key: 'old/a.wav' }])
  })
})
