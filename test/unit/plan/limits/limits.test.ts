import { describe, expect, it } from 'vitest'
import type { LimitSettings } from '../../../../src/config/settings.ts'
import { UploadError, UsageError } from '../../../../src/errors.ts'
import { createFileLimit, limited, refuseWhole } from '../../../../src/plan/limits/limits.ts'
import type { PlannedFile } from '../../../../src/plan/planned-file.ts'
import { defaultSettings } from '../../../support/settings.ts'
import { planned } from '../../transfer/scene.ts'
import { all } from '../tree.ts'

function limits(given: Partial<LimitSettings>): LimitSettings {
  return { ...defaultSettings.limits, ...given }
}

/** `ok`, or why a file is refused. */
async function verdict(given: Partial<LimitSettings>, file: Partial<PlannedFile>): Promise<string> {
  const refused = await createFileLimit(limits(given))?.(planned(1, file))
  return refused === undefined ? 'ok' : `${refused.code}: ${refused.message}`
}

it('where nothing is limited, no file is looked at', () => {
  expect(createFileLimit(limits({ maxFiles: 3, maxTotalSize: 5 }))).toBeUndefined()
})

describe('sizes are exact', () => {
  it.each<[Partial<LimitSettings>, number | undefined, string]>([
    [{ maxSize: 500_000_000 }, 500_000_000, 'ok'],
    [
      { maxSize: 500_000_000 },
      500_000_001,
      'TOO_LARGE: it has 500000001 bytes; --max-size allows 500000000: leave it out, or raise the limit',
    ],
    [{ maxSize: 0 }, 0, 'ok'],
    [{ maxSize: 0 }, 1, 'TOO_LARGE'],
    [{ minSize: 1024 }, 1024, 'ok'],
    [{ minSize: 1024 }, 1023, 'TOO_SMALL: it has 1023 bytes; --min-size asks for 1024'],
    [{ minSize: 1 }, 0, 'TOO_SMALL'],
    [{ minSize: 5, maxSize: 5 }, 5, 'ok'],
    [{ minSize: 5, maxSize: 5 }, undefined, 'ok'],
  ])('%j of %s bytes: %s', async (given, size, expected) => {
    expect((await verdict(given, { size })).startsWith(expected)).toBe(true)
  })
})

describe('endings', () => {
  const allowed = { allowExt: ['.wav', '.flac'] }
  const denied = { denyExt: ['.exe', '.env'] }
  it.each<[Partial<LimitSettings>, string, string]>([
    [allowed, 'a.wav', 'ok'],
    [allowed, 'dir.d/A.WAV', 'ok'],
    [allowed, 'a.flac', 'ok'],
    [
      allowed,
      'a.wav.exe',
      'TYPE_NOT_ALLOWED: its ending is .exe; --allow-ext takes .wav, .flac: leave it out, or rename it',
    ],
    [allowed, 'wav', 'TYPE_NOT_ALLOWED: it has no ending; --allow-ext takes .wav, .flac'],
    [allowed, '.wav', 'TYPE_NOT_ALLOWED: it has no ending'],
    [allowed, 'a.wav/take', 'TYPE_NOT_ALLOWED: it has no ending'],
    [denied, 'a.wav', 'ok'],
    [denied, 'exe', 'ok'],
    [denied, 'a.Exe', 'TYPE_NOT_ALLOWED: --deny-ext refuses .exe; leave it out, or rename it'],
    [denied, 'config/.env', 'TYPE_NOT_ALLOWED: --deny-ext refuses .env'],
    [denied, 'a.exe/b.txt', 'ok'],
    [{ ...allowed, denyExt: ['.wav'] }, 'a.wav', 'TYPE_NOT_ALLOWED: --deny-ext'],
  ])('%j, %s: %s', async (given, source, expected) => {
    expect(await verdict(given, { source, path: `./${source}` })).toContain(expected)
  })

  it('of standard input: of its object', async () => {
    const input = { path: '-', absolute: '-', source: '-', size: undefined, mtimeMs: undefined }
    expect(await verdict(allowed, { ...input, key: 'x/take.wav' })).toBe('ok')
    expect(await verdict(allowed, { ...input, key: 'x/take.txt' })).toContain('.txt')
    expect(await verdict(allowed, { ...input, key: 'x/take.wav%3f', originalKey: 'x/take.wav?' })).toContain('.wav?')
    expect(await verdict({ allowType: ['audio/*'] }, { ...input, key: 'x/take.wav' })).toBe('ok')
  })
})

describe('files of a plan', () => {
  async function* some(...files: PlannedFile[]): AsyncGenerator<PlannedFile> {
    yield* files
  }

  it('are given the reason, in their order; those that fail or are passed over anyway stay as they are', async () => {
    const gone = new UploadError('SOURCE_NOT_FOUND', 'no such file')
    const limit = createFileLimit(limits({ maxSize: 10, allowType: ['audio/*'] }))
    const files = [
      planned(1, { size: 11 }),
      planned(2, { size: 11, problem: gone }),
      planned(3, { size: 11, skip: 'excluded-by-rule' }),
      planned(4, { size: 3, absolute: '/nowhere/a.wav' }),
      planned(5, { size: 0, absolute: '/dev/null' }),
    ]
    const seen = limit && (await all(limited(some(...files), limit)))
    expect(seen?.map(({ index, problem }) => [index, problem?.code])).toEqual([
      [1, 'TOO_LARGE'],
      [2, 'SOURCE_NOT_FOUND'],
      [3, undefined],
      [4, 'SOURCE_NOT_FOUND'],
      [5, undefined],
    ])
  })
})

describe('the run as a whole', () => {
  it.each<[Partial<LimitSettings>]>([
    [{}],
    [{ maxFiles: 3 }],
    [{ maxTotalSize: 700 }],
    [{ maxFiles: 4, maxTotalSize: 701 }],
  ])('may be as much as %j', (given) => {
    expect(() => refuseWhole(limits(given), { files: 3, bytes: 700 })).not.toThrow()
  })

  it('is refused with every figure', () => {
    expect(() => refuseWhole(limits({ maxFiles: 2, maxTotalSize: 699 }), { files: 3, bytes: 700 })).toThrow(
      new UsageError([
        '3 files are to be sent, and --max-files allows 2: nothing was sent; choose fewer, or raise the limit',
        'the files to be sent have 700 bytes together, and --max-total-size allows 699: nothing was sent; choose fewer, or raise the limit',
      ]),
    )
  })
})
