import type { Rule } from '../../../src/config/settings.ts'
import type { PlannedFile } from '../../../src/plan/planned-file.ts'
import type { PlannedUpload } from '../../../src/upload.ts'
import { createFakeDestination, type FakeDestinationOptions } from '../../support/fake-destination.ts'
import { defaultSettings } from '../../support/settings.ts'

/** Settings without a rule, a route or a rollout. */
export const noEntries = { rules: [], routes: [], rollout: undefined } as const

/** A file as a dry run hears of it, and where it would go. */
export function planned(
  file: { [Key in keyof PlannedFile]?: PlannedFile[Key] | undefined } = {},
  { url = 's3://b/x/', ...destination }: FakeDestinationOptions & { readonly url?: string } = {},
): PlannedUpload {
  const usual = {
    index: 1,
    path: './a.wav',
    absolute: '/work/a.wav',
    source: 'a.wav',
    key: 'x/a.wav',
    size: 60_100_000,
    mtimeMs: Date.UTC(2026, 10, 22),
    contentType: 'audio/wav',
    properties: {},
    lane: 0,
  }
  return {
    file: { ...usual, ...file } as PlannedFile,
    lane: { destination: { ...createFakeDestination(destination), url }, settings: defaultSettings },
  }
}

export function ruleNamed(name: string): Rule {
  const when = { match: [], type: [], minSize: undefined, maxSize: undefined }
  return { name, when, skip: false, contentType: undefined, properties: {} }
}
