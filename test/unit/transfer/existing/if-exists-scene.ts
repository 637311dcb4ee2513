import { stat, writeFile } from 'node:fs/promises'
import { expect } from 'vitest'
import type { Settings } from '../../../../src/config/settings.ts'
import type { FileRecord } from '../../../../src/observe/records.ts'
import type { PlannedFile } from '../../../../src/plan/planned-file.ts'
import { createFakeDestination, type FakeDestinationOptions } from '../../../support/fake-destination.ts'
import { type Scene, type SceneOptions, sparseFile, transfer } from '../scene.ts'

export type Options = Omit<SceneOptions, 'files' | 'destination' | 'onto'> & FakeDestinationOptions

export const modes = ['skip', 'fail'] as const
const outcomes = { skip: { status: 'skipped', reason: 'exists' }, fail: { status: 'failed' } }

export async function fileOf(size: number): Promise<PlannedFile> {
  const file = await sparseFile(size)
  if (size < 1000) await writeFile(file.absolute, Buffer.alloc(size, 7))
  return { ...file, mtimeMs: (await stat(file.absolute)).mtimeMs }
}

export function send(
  file: PlannedFile,
  mode: SceneOptions['settings'] | Settings['ifExists'],
  options: Options = {},
): Scene {
  const { settings, earlier, clock, scope, ...destination } = options
  const asked = typeof mode === 'string' ? { ifExists: mode } : mode
  const onto = createFakeDestination({ reads: 'open', ...destination })
  return transfer({ files: [file], onto, settings: { ...settings, ...asked }, earlier, ...(clock && { clock }), scope })
}

export const whats = ({ destination }: Scene): string[] => destination.calls.map(({ what }) => what)
export const theirs = (size: number) => ({ size, bytes: Buffer.alloc(size, 1) })
export const ours = (size: number) => ({ size, bytes: Buffer.alloc(size, 7) })

export function expectLeft(scene: Scene, mode: 'skip' | 'fail', attempts: number): void {
  expect(scene.records).toHaveLength(1)
  const [record] = scene.records as [FileRecord]
  expect(record).toMatchObject({ ...outcomes[mode], attempts })
  if (mode === 'fail') expect(record.error).toMatchObject({ code: 'ALREADY_EXISTS', retryable: false })
  else expect(record.error).toBeUndefined()
  // What is there is nothing of the run's, and replaced nothing.
  expect(record).not.toHaveProperty('replaced')
  expect(record.etag).toBeUndefined()
  expect([scene.destination.openUploads, scene.destination.breaches]).toEqual([0, []])
}
