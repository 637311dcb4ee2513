import { stat, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../../src/errors.ts'
import type { FileRecord } from '../../../src/observe/records.ts'
import { createFakeClock, settled } from '../../support/fake-clock.ts'
import type { FakeCall } from '../../support/fake-destination.ts'
import { fileRecord } from '../observe/events.ts'
import { failure, fates, MiB, planned, sparseFile } from './scene.ts'
import { candidates, sided, twoSides, warningsOf } from './sides-scene.ts'

const isEven = (index: number): boolean => index % 2 === 0
const all = () => true
const charged = (records: readonly FileRecord[]) => records.filter(({ fallback }) => fallback !== undefined)
const patient = { retries: 8, retryDelayMs: 1, retryMaxDelayMs: 1, retryFailed: 0 }
const oneAtATime = { settings: { concurrency: 1 } }

describe('files of two sides', () => {
  it('are sent each on its own, and counted', async () => {
    const { causes, baseline, candidate, records, rollout } = await twoSides()
    expect(await causes).toEqual([])
    expect([[...baseline.objects.keys()], [...candidate.objects.keys()]]).toEqual([
      ['audio/take-1.wav', 'audio/take-3.wav'],
      ['audio/take-2.wav', 'audio/take-4.wav'],
    ])
    for (const { path, side, stage, fallback } of records) {
      expect([side, stage, fallback]).toEqual([
        isEven(Number(/\d+/.exec(path))) ? 'candidate' : 'baseline',
        10,
        undefined,
      ])
    }
    expect(rollout.counted).toEqual(records)
  })

  it('are not counted where nothing is counted any more, nor where they are of neither side', async () => {
    const [first, second] = await sided(2, () => false)
    const files = [{ ...first, side: undefined }, second] as NonNullable<typeof first>[]
    const { done, record } = await twoSides({ files })
    await done
    expect([record(1).stage, record(1).side, record(2).side]).toEqual([undefined, undefined, 'baseline'])

    const over = await twoSides()
    over.rollout.stage = undefined
    await over.done
    expect(over.records.map(({ stage, side }) => [stage, side])).toEqual(Array(4).fill([undefined, undefined]))
  })

  it('are not told of where the journal could not be written', async () => {
    const record = async (): Promise<void> => {
      throw failure('INTERNAL', 'the disk is full')
    }
    const { done, rollout } = await twoSides({ record })
    await done
    expect(rollout.counted).toEqual([])
  })
})

describe('a file that fails on the candidate', () => {
  it('is sent on the baseline after its retries, with what it took before', async () => {
    const late = () => failure('TIMEOUT', 'late', { status: 504 })
    const { causes, baseline, candidate, records, record, rollout, events, clock } = await twoSides({
      files: await sided(1, all),
      candidate: { script: late },
    })
    expect(await causes).toEqual([])
    expect(candidate.calls).toHaveLength(3)
    expect(baseline.objects.has('audio/take-1.wav')).toBe(true)
    const { fallback, ...line } = record(1)
    expect(line).toMatchObject({
      status: 'uploaded',
      destination: 'fake://old/',
      attempts: 4,
      stage: 10,
      side: 'candidate',
      durationMs: expect.closeTo(clock.elapsed(), 2),
    })
    expect(line.error).toBeUndefined()
    expect(fallback).toEqual({
      engine: 'standard',
      destination: 'fake://new/',
      attempts: 3,
      durationMs: expect.closeTo(clock.elapsed(), 2),
      error: { code: 'TIMEOUT', message: 'late', status: 504, retryable: true },
    })
    expect(rollout.counted).toEqual(records)
    const told = events.flatMap((event) => (event.type.startsWith('file') ? [event.type] : []))
    expect(told.filter((type) => type === 'file-fallback' || type === 'file' || type === 'file-deferred')).toEqual([
      'file-fallback',
      'file',
    ])
    expect(told.lastIndexOf('file-started')).toBeGreaterThan(told.indexOf('file-fallback'))
  })

  it('fails once where the baseline fails, too, with both errors', async () => {
    const { causes, records, record } = await twoSides({
      files: await sided(1, all),
      candidate: { script: () => failure('SERVER_ERROR', 'here', { retryable: false, status: 500 }) },
      baseline: { script: () => failure('QUOTA_EXCEEDED', 'there') },
    })
    expect(await causes).toEqual([])
    expect(records).toHaveLength(1)
    expect(record(1)).toMatchObject({
      status: 'failed',
      attempts: 2,
      side: 'candidate',
      error: { code: 'QUOTA_EXCEEDED' },
      fallback: { attempts: 1, error: { code: 'SERVER_ERROR' } },
    })
  })

  it('may be put off to another pass, on the baseline', async () => {
    const { done, candidate, baseline, record, events } = await twoSides({
      files: await sided(3, (index) => index === 1),
      candidate: { script: () => failure('SERVER_ERROR', 'here', { retryable: false, status: 500 }) },
      baseline: {
        script: ({ key, attempt }) =>
          key === 'audio/take-1.wav' && attempt <= 3 ? failure('SERVER_ERROR', 'busy', { status: 500 }) : undefined,
      },
    })
    await done
    expect(candidate.calls).toHaveLength(1)
    expect(baseline.calls.at(-1)?.key).toBe('audio/take-1.wav')
    expect(record(1)).toMatchObject({ status: 'uploaded', attempts: 5, fallback: { attempts: 1 } })
    expect(events.filter(({ type }) => type === 'file-deferred')).toHaveLength(1)
  })

  it('is looked for at the baseline before it is sent there', async () => {
    const scene = await twoSides({
      files: await sided(2, all),
      settings: { ifExists: 'skip' },
      candidate: { script: ({ what }) => (what === 'head' ? undefined : failure('QUOTA_EXCEEDED', 'full')) },
    })
    scene.baseline.place('audio/take-2.wav', { size: 1, bytes: Buffer.from('x') })
    await scene.done
    expect(scene.record(1)).toMatchObject({ status: 'uploaded', replaced: null })
    expect(scene.record(2)).toMatchObject({ status: 'skipped', reason: 'exists', side: 'candidate', stage: 10 })
    expect(scene.baseline.objects.get('audio/take-2.wav')?.size).toBe(1)
  })

  it('says nothing of what was in its way where the candidate could not be asked for it', async () => {
    const { done, record } = await twoSides({
      files: await sided(1, all),
      settings: { ifExists: 'skip' },
      candidate: { script: () => failure('SERVER_ERROR', 'cannot look', { retryable: false, status: 500 }) },
    })
    await done
    expect(record(1)).toMatchObject({ status: 'uploaded', replaced: null, fallback: { attempts: 0 } })
    expect(record(1).fallback?.replaced).toBeUndefined()
  })

  it('has the key and the properties it has there', async () => {
    const [file] = await sided(1, () => false)
    const there = { key: 'old/a.wav', originalKey: 'old/ä.wav', properties: { cacheControl: 'no-store' } }
    const { done, baseline, record } = await twoSides({
      files: [candidates({ ...file, key: 'new/a.wav' } as NonNullable<typeof file>, there)],
      candidate: { script: () => failure('QUOTA_EXCEEDED', 'full') },
    })
    await done
    expect(baseline.calls).toMatchObject([{ key: 'old/a.wav', properties: { cacheControl: 'no-store' } }])
    expect(record(1)).toMatchObject({ key: 'old/a.wav', originalKey: 'old/ä.wav', fallback: { key: 'new/a.wav' } })
  })

  it('is sent in the same slot', async () => {
    const { done, baseline, candidate } = await twoSides({
      files: await sided(40, isEven),
      settings: { concurrency: 3 },
      candidate: { script: () => settled().then(() => failure('QUOTA_EXCEEDED', 'full')) },
      baseline: { script: () => settled().then(() => undefined) },
    })
    await done
    expect(baseline.objects.size).toBe(40)
    expect(Math.max(baseline.mostRequests, candidate.mostRequests)).toBeLessThanOrEqual(3)
  })

  it('stays failed where nothing falls back', async () => {
    const { causes, baseline, record } = await twoSides({
      fallback: false,
      candidate: { script: () => failure('QUOTA_EXCEEDED', 'full') },
    })
    expect(await causes).toEqual([])
    expect(record(2)).toMatchObject({ status: 'failed', side: 'candidate', destination: 'fake://new/' })
    expect(record(2).fallback).toBeUndefined()
    expect(baseline.objects.size).toBe(2)
  })
})

describe('a file that would fail on the baseline just so', () => {
  const local: readonly ErrorCode[] = ['SOURCE_UNREADABLE', 'TOO_LARGE', 'TOO_SMALL', 'TYPE_NOT_ALLOWED']

  it.each(local)('is not sent again: %s', async (code) => {
    const { done, baseline, record } = await twoSides({
      files: await sided(1, all),
      candidate: { script: () => failure(code, 'no') },
    })
    await done
    expect(record(1)).toMatchObject({ status: 'failed', error: { code } })
    expect([record(1).fallback, baseline.calls.length]).toEqual([undefined, 0])
  })

  it('is not sent again where it changes while it is read', async () => {
    const file = await sparseFile(10)
    const { done, record, baseline } = await twoSides({
      files: [candidates({ ...file, mtimeMs: 5, pinned: true })],
    })
    await done
    expect(record(1)).toMatchObject({ status: 'failed', error: { code: 'SOURCE_CHANGED' } })
    expect(baseline.calls).toEqual([])
  })

  const refused: readonly ErrorCode[] = ['TOO_LARGE', 'TYPE_NOT_ALLOWED', 'KEY_INVALID']

  it.each(refused)('is sent again where only the candidate’s server refuses it: %s', async (code) => {
    const script = () => failure(code, 'no', { status: 400 })
    const elsewhere = await twoSides({ files: await sided(1, all), candidate: { script } })
    await elsewhere.done
    expect(elsewhere.record(1)).toMatchObject({ status: 'uploaded', fallback: { error: { code } } })

    const url = 'fake://old/'
    const samePlace = await twoSides({ files: await sided(1, all), candidate: { url, script } })
    await samePlace.done
    expect(samePlace.record(1)).toMatchObject({ status: 'failed', error: { code } })
  })

  it('is sent again where the candidate is a directory in which something else has its name', async () => {
    const { done, record } = await twoSides({
      files: await sided(1, all),
      candidate: { script: () => failure('KEY_INVALID', 'a directory of that name') },
    })
    await done
    expect(record(1)).toMatchObject({ status: 'uploaded', fallback: { error: { code: 'KEY_INVALID' } } })
  })

  it('is sent again where only the candidate’s objects may not be as large', async () => {
    const { done, record } = await twoSides({
      files: await sided(1, all),
      candidate: { limits: { maxObjectSize: 5 } },
    })
    await done
    expect(record(1)).toMatchObject({ status: 'uploaded', fallback: { attempts: 1, error: { code: 'TOO_LARGE' } } })
  })
})

describe('an object that exists at the candidate', () => {
  const place = { size: 1, bytes: Buffer.from('x') }

  it('is in the way on both sides where they are one place', async () => {
    const scene = await twoSides({
      files: await sided(1, all),
      settings: { ifExists: 'fail' },
      candidate: { url: 'fake://old/' },
    })
    scene.candidate.place('audio/take-1.wav', place)
    await scene.done
    expect(scene.record(1)).toMatchObject({ status: 'failed', error: { code: 'ALREADY_EXISTS' } })
    expect(scene.baseline.calls).toEqual([])
  })

  it('is no failure where such files are skipped', async () => {
    const scene = await twoSides({ files: await sided(1, all), settings: { ifExists: 'skip' } })
    scene.candidate.place('audio/take-1.wav', place)
    await scene.done
    expect(scene.record(1)).toMatchObject({ status: 'skipped', reason: 'exists', destination: 'fake://new/' })
    expect([scene.record(1).stage, scene.record(1).side]).toEqual([undefined, undefined])
  })

  it('is not in the way of the baseline elsewhere', async () => {
    const scene = await twoSides({ files: await sided(1, all), settings: { ifExists: 'fail' } })
    scene.candidate.place('audio/take-1.wav', place)
    await scene.done
    expect(scene.record(1)).toMatchObject({ status: 'uploaded', fallback: { error: { code: 'ALREADY_EXISTS' } } })
  })
})

describe('both sides at one place', () => {
  const url = 'fake://old/'

  it('an object that the candidate stored without saying so is the file’s own', async () => {
    const { absolute } = await sparseFile(3)
    await writeFile(absolute, 'abc')
    const { mtimeMs } = await stat(absolute)
    const own = { size: 3, bytes: Buffer.from('abc') }
    const scene = await twoSides({
      files: [candidates(planned(1, { absolute, size: 3, mtimeMs }))],
      settings: {
        ifExists: 'fail',
        retry: { retries: 0, retryDelayMs: 1, retryMaxDelayMs: 1, retryMaxTimeMs: 1, retryFailed: 0 },
      },
      candidate: {
        url,
        script: ({ what }) => (what === 'put' ? failure('SERVER_ERROR', 'lost', { status: 500 }) : undefined),
      },
      baseline: {
        reads: 'open',
        script: ({ what }) => {
          if (what === 'put') scene.baseline.place('audio/take-1.wav', own)
          return undefined
        },
      },
    })
    await scene.done
    // Asked for once on the candidate; on the baseline only after it was found in the way.
    expect(scene.baseline.calls.map(({ what }) => what)).toEqual(['put', 'head'])
    expect(scene.record(1)).toMatchObject({ status: 'uploaded', fallback: { error: { code: 'SERVER_ERROR' } } })
  })

  it('is asked what it holds by either side that wants to know', async () => {
    const scene = await twoSides({
      files: await sided(1, all),
      candidate: { url, script: () => failure('QUOTA_EXCEEDED', 'full') },
      lanes: [{ ifExists: 'skip' }, { ifExists: 'overwrite' }],
    })
    scene.baseline.place('audio/take-1.wav', { size: 1, bytes: Buffer.from('x') })
    await scene.done
    expect(scene.record(1)).toMatchObject({ status: 'skipped', reason: 'exists', fallback: { attempts: 1 } })
  })
})

describe('a file in parts', () => {
  const settings = { partSize: 5 * MiB, multipartThreshold: 5 * MiB }
  const failsAtItsEnd = ({ what }: FakeCall) =>
    what === 'complete' ? failure('INTERNAL', 'odd', { status: 500, retryable: true }) : undefined

  it('is begun anew elsewhere, and what was sent of it is removed', async () => {
    const scene = await twoSides({
      files: await sided(1, all, 12 * MiB),
      settings,
      candidate: { multipart: {}, script: failsAtItsEnd },
      baseline: { multipart: {} },
    })
    await scene.done
    expect([scene.candidate.openUploads, scene.baseline.openUploads]).toEqual([0, 0])
    expect(scene.candidate.calls.at(-1)?.what).toBe('abort')
    expect(scene.record(1)).toMatchObject({ status: 'uploaded', parts: 3, bytesSent: 24 * MiB })
    expect(scene.events.some((event) => event.type === 'file' && event.keepsUpload)).toBe(false)
    expect([...scene.candidate.breaches, ...scene.baseline.breaches]).toEqual([])
  })

  it('that cannot be removed is told to be left', async () => {
    const scene = await twoSides({
      files: await sided(1, all, 12 * MiB),
      settings,
      candidate: {
        multipart: {},
        script: (call) =>
          call.what === 'abort' || call.what === 'resume' ? failure('SERVER_ERROR', 'no') : failsAtItsEnd(call),
      },
      baseline: { multipart: {} },
    })
    await scene.done
    expect(scene.candidate.openUploads).toBe(1)
    expect(scene.baseline.calls.some(({ what }) => what === 'resume')).toBe(false)
    expect(scene.record(1)).toMatchObject({ status: 'uploaded', fallback: { uploadId: expect.any(String) } })
    expect(scene.events.filter((event) => event.type === 'file' && event.keepsUpload)).toHaveLength(1)
  })

  it('is gone on with where both sides send it alike to one place', async () => {
    // As two connections to one server are.
    let lost = 0
    const scene = await twoSides({
      files: await sided(1, all, 12 * MiB),
      settings,
      candidate: { url: 'fake://old/', multipart: {}, script: failsAtItsEnd },
      baseline: {
        url: 'fake://old/',
        multipart: {},
        script: ({ what }) => {
          if (what === 'resume') lost += 1
          return undefined
        },
      },
    })
    await scene.done
    expect(lost).toBe(1)
    expect(scene.candidate.calls.some(({ what }) => what === 'abort')).toBe(false)
    expect(scene.record(1).status).toBe('uploaded')
  })

  it('is not gone on with where the baseline gives its objects other properties', async () => {
    const [file] = await sided(1, () => false, 12 * MiB)
    if (file === undefined) throw new Error('no file')
    const scene = await twoSides({
      files: [candidates({ ...file, properties: { storageClass: 'GLACIER' } }, { properties: {} })],
      settings,
      candidate: { url: 'fake://old/', multipart: {}, script: failsAtItsEnd },
      baseline: { url: 'fake://old/', multipart: {} },
    })
    await scene.done
    expect(scene.baseline.calls.map(({ what }) => what)).not.toContain('resume')
    expect(scene.baseline.calls.map(({ what }) => what)).toContain('create')
    expect(scene.candidate.openUploads).toBe(0)
    expect(scene.record(1).status).toBe('uploaded')
    expect(scene.record(1).fallback?.uploadId).toBeUndefined()
  })

  it('is not gone on with where they cut it otherwise', async () => {
    const scene = await twoSides({
      files: await sided(1, all, 12 * MiB),
      settings,
      lanes: [{ partSize: 6 * MiB }, {}],
      candidate: { url: 'fake://old/', multipart: {}, script: failsAtItsEnd },
      baseline: { url: 'fake://old/', multipart: {} },
    })
    await scene.done
    expect(scene.candidate.openUploads).toBe(0)
    expect(scene.record(1)).toMatchObject({ status: 'uploaded', parts: 2 })
  })
})

describe('a candidate that cannot be gone on with', () => {
  it.each<ErrorCode>(['BUCKET_NOT_FOUND', 'CREDENTIALS_INVALID', 'CLOCK_SKEW'])(
    'is given up, said once, and charged with all its files: %s',
    async (code) => {
      const { causes, records, candidate, events } = await twoSides({
        files: await sided(250, all),
        settings: {
          concurrency: 4,
          retry: { retries: 0, retryDelayMs: 1, retryMaxDelayMs: 1, retryMaxTimeMs: 1, retryFailed: 1 },
        },
        candidate: { script: () => failure(code, 'no') },
      })
      expect(await causes).toEqual([])
      expect(candidate.calls.length).toBeLessThanOrEqual(4)
      expect(new Set(Object.values(fates(records)))).toEqual(new Set(['uploaded']))
      const failed = charged(records)
      expect(failed).toHaveLength(250)
      expect(new Set(failed.map(({ fallback }) => fallback?.error.code))).toEqual(new Set([code]))
      expect(failed.filter(({ fallback }) => fallback?.attempts === 0).length).toBeGreaterThanOrEqual(246)
      expect(warningsOf(events)).toEqual([
        `the candidate is given up for this run: no (${code}); its files go by the baseline`,
      ])
      const begun = failed.filter(({ fallback }) => fallback !== undefined && fallback.attempts > 0)
      expect(events.filter(({ type }) => type === 'file-fallback')).toHaveLength(begun.length)
    },
  )

  it('is one that refuses ten files before it has taken any', async () => {
    const { causes, records, candidate, events } = await twoSides({
      files: await sided(30, all),
      candidate: { script: () => failure('ACCESS_DENIED', 'no') },
      ...oneAtATime,
    })
    expect(await causes).toEqual([])
    expect(candidate.calls).toHaveLength(10)
    expect(charged(records)).toHaveLength(30)
    expect(warningsOf(events)).toHaveLength(1)
  })

  it('is not one that refuses some', async () => {
    const { causes, records, candidate, events } = await twoSides({
      files: await sided(30, all),
      candidate: { script: ({ key }) => (key === 'audio/take-1.wav' ? undefined : failure('ACCESS_DENIED', 'no')) },
      ...oneAtATime,
    })
    expect(await causes).toEqual([])
    expect([candidate.calls.length, charged(records).length, warningsOf(events)]).toEqual([30, 29, []])
  })

  it('is one that answers nothing, after the time that one request has; the baseline does not wait for that', async () => {
    const clock = createFakeClock()
    const { causes, records, candidate, baseline, events } = await twoSides({
      files: await sided(40, isEven),
      percentage: 50,
      candidate: {
        script: async () => {
          if (candidate.calls.length > 4) return 'hang'
          await clock.sleep(30_000, new AbortController().signal)
          return failure('TIMEOUT', 'no answer', { retryable: true })
        },
      },
      settings: { concurrency: 8 },
      clock,
    })
    while (baseline.objects.size < 20) await settled()
    expect([candidate.calls.length, records.length]).toEqual([4, 20])
    await clock.advance(30_000)
    expect(await causes).toEqual([])
    expect(clock.elapsed()).toBeLessThan(40_000)
    expect(candidate.calls.length).toBeLessThanOrEqual(8)
    expect([charged(records).length, baseline.objects.size]).toEqual([20, 40])
    expect(warningsOf(events)).toEqual([
      expect.stringMatching(/^the candidate is given up for this run: .* has taken nothing for 30\.\d s: no answer/),
    ])
  })

  it('is one that was never reached, after three tries', async () => {
    const { causes, candidate, records, clock } = await twoSides({
      files: await sided(20, isEven),
      candidate: { script: () => failure('CONNECTION', 'refused', { unreachable: true }) },
      ...oneAtATime,
    })
    expect(await causes).toEqual([])
    expect(candidate.calls).toHaveLength(3)
    expect(charged(records)).toHaveLength(10)
    expect(records).toHaveLength(20)
    expect(clock.elapsed()).toBeLessThan(10_000)
  })

  it.each([
    ['ten seconds', 600_000, /^1\d\.\d s$/],
    ['as long as its own --retry-max-time', 5000, /^5\.0 s$/],
  ])(
    'is one that was gone for %s; what comes after it counts for neither side',
    async (_name, retryMaxTimeMs, span) => {
      const clock = createFakeClock()
      const scene = await twoSides({
        files: await sided(20, isEven),
        candidate: {
          // Once it has taken one, in whichever order the requests come.
          script: async ({ key }) => {
            if (key.endsWith('take-2.wav')) return undefined
            while (!scene.records.some(({ path }) => path === 'take-2.wav')) await settled()
            return failure('CONNECTION', 'refused', { unreachable: true })
          },
        },
        lanes: [{}, { retry: { retries: 2, retryDelayMs: 1, retryMaxDelayMs: 1, retryMaxTimeMs, retryFailed: 1 } }],
        settings: { concurrency: 8 },
        clock,
      })
      const { causes, records, events } = scene
      expect(await causes).toEqual([])
      expect(clock.elapsed()).toBeLessThan(30_000)
      const [begun, untried] = [charged(records).length, records.filter(({ side }) => side === undefined).length]
      expect(begun).toBeGreaterThan(0)
      expect(begun).toBeLessThanOrEqual(8)
      expect(begun + untried).toBe(9)
      expect(new Set(records.map(({ status }) => status))).toEqual(new Set(['uploaded']))
      const [gone, givenUp] = warningsOf(events)
      expect(gone).toBe('fake://new/ (the candidate) cannot be reached; its files go elsewhere if that lasts: refused')
      expect(givenUp).toMatch(
        /^the candidate is given up for this run: fake:\/\/new\/ \(the candidate\) could not be reached for .* s: refused/,
      )
      expect(givenUp?.match(/reached for (.* s): /)?.[1]).toMatch(span)
    },
  )

  it('cuts what is in flight there, which goes on with the baseline', async () => {
    let fail = (_error: Error): void => {}
    const failing = new Promise<Error>((resolve) => {
      fail = resolve
    })
    const { causes, candidate, record } = await twoSides({
      files: await sided(2, all),
      candidate: { script: ({ key }) => (key.includes('take-1') ? failing : 'hang') },
    })
    while (candidate.requests < 2) await settled()
    fail(failure('CREDENTIALS_INVALID', 'wrong'))
    expect(await causes).toEqual([])
    for (const index of [1, 2]) {
      expect(record(index)).toMatchObject({
        status: 'uploaded',
        attempts: 2,
        fallback: { attempts: 1, error: { code: 'CREDENTIALS_INVALID', message: 'wrong' } },
      })
    }
  })

  it('is no reason to wait for a baseline that was never reached, where nothing falls back', async () => {
    const clock = createFakeClock()
    const { causes } = await twoSides({
      files: await sided(3, (index) => index < 3),
      fallback: false,
      candidate: {
        script: ({ key }) =>
          key.includes('take-1') ? undefined : failure('CONNECTION', 'refused', { unreachable: true }),
      },
      baseline: { script: () => failure('CONNECTION', 'refused', { unreachable: true }) },
      settings: { concurrency: 1, retry: { ...patient, retryMaxTimeMs: 60_000 } },
      clock,
    })
    expect(await causes).toHaveLength(2)
    expect(clock.elapsed()).toBeLessThan(80_000)
  })

  it('takes its files with it where nothing falls back', async () => {
    const error = failure('BUCKET_NOT_FOUND', 'gone')
    const { causes, records, events } = await twoSides({
      files: await sided(20, isEven),
      fallback: false,
      candidate: { script: () => error },
      ...oneAtATime,
    })
    expect(await causes).toEqual([{ error, destination: 'fake://new/' }])
    const all = Object.values(fates(records))
    expect([
      all.filter((fate) => fate === 'uploaded').length,
      all.filter((fate) => fate === 'cancelled').length,
    ]).toEqual([10, 9])
    expect(warningsOf(events)).toHaveLength(1)
  })
})

describe('a baseline that cannot be gone on with', () => {
  it('lets the candidate’s files go on, and is why the run did not succeed', async () => {
    const error = failure('BUCKET_NOT_FOUND', 'gone')
    const { causes, candidate, records } = await twoSides({
      files: await sided(20, isEven),
      baseline: { script: () => error },
    })
    expect(await causes).toEqual([{ error, destination: 'fake://old/' }])
    expect([candidate.objects.size, records.length]).toEqual([10, 20])
  })

  it('ends the run where the candidate is given up, too', async () => {
    const { causes, records } = await twoSides({
      files: await sided(20, isEven),
      baseline: { script: () => failure('BUCKET_NOT_FOUND', 'gone') },
      candidate: { script: () => failure('CREDENTIALS_INVALID', 'wrong') },
    })
    expect(await causes).toMatchObject([{ error: { code: 'BUCKET_NOT_FOUND' }, destination: 'fake://old/' }])
    expect(records).toHaveLength(20)
    expect(records.some(({ status }) => status === 'uploaded')).toBe(false)
  })
})

describe('a rollback in the middle of a run', () => {
  it('lets what is in flight end on the candidate, and sends the rest on the baseline', async () => {
    let release = (): void => {}
    const held = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined)
    })
    const { causes, candidate, baseline, records, rollout, record } = await twoSides({
      files: await sided(12, all),
      settings: { concurrency: 3 },
      candidate: { script: () => held },
    })
    while (candidate.requests < 3) await settled()
    rollout.isOn = false
    rollout.stage = undefined
    release()
    expect(await causes).toEqual([])
    expect([candidate.objects.size, baseline.objects.size]).toEqual([3, 9])
    expect(charged(records)).toEqual([])
    expect(records.every(({ side, stage }) => side === undefined && stage === undefined)).toBe(true)
    expect(record(12)).toMatchObject({ status: 'uploaded', destination: 'fake://old/' })
  })

  it('sends what was put off on the candidate on the baseline, and says how it had failed', async () => {
    let calls = 0
    const scene = await twoSides({
      files: await sided(1, all),
      fallback: false,
      candidate: {
        script: () => {
          calls += 1
          if (calls === 3) {
            scene.rollout.isOn = false
            scene.rollout.stage = undefined
          }
          return failure('SERVER_ERROR', 'busy', { status: 500 })
        },
      },
    })
    expect(await scene.causes).toEqual([])
    expect(scene.record(1)).toMatchObject({
      status: 'uploaded',
      fallback: { attempts: 3, error: { code: 'SERVER_ERROR' } },
    })
    expect(scene.record(1).stage).toBeUndefined()
  })

  it('does not cancel files of a candidate that is gone, where nothing falls back', async () => {
    const scene = await twoSides({
      files: await sided(10, all),
      fallback: false,
      candidate: {
        script: () => {
          scene.rollout.isOn = false
          return failure('BUCKET_NOT_FOUND', 'gone')
        },
      },
      ...oneAtATime,
    })
    expect(await scene.causes).toHaveLength(1)
    expect(scene.of('uploaded')).toHaveLength(9)
    expect(scene.of('failed')).toHaveLength(1)
  })
})

describe('a stop', () => {
  it('in the middle of a fallback cancels the file, and loses nothing', async () => {
    const { causes, baseline, record, stop, rollout } = await twoSides({
      files: await sided(3, all),
      candidate: { script: () => failure('QUOTA_EXCEEDED', 'full') },
      baseline: { script: () => 'hang' },
    })
    while (baseline.requests < 3) await settled()
    stop.abort()
    expect(await causes).toEqual([])
    for (const index of [1, 2, 3]) {
      expect(record(index)).toMatchObject({ status: 'cancelled', side: 'candidate', fallback: { attempts: 1 } })
    }
    expect(rollout.counted).toHaveLength(3)
  })

  it('on the candidate is no reason to fall back', async () => {
    const { causes, candidate, baseline, records, stop } = await twoSides({
      files: await sided(3, all),
      candidate: { script: () => 'hang' },
    })
    while (candidate.requests < 3) await settled()
    stop.abort()
    expect(await causes).toEqual([])
    expect(records.map(({ status, stage, fallback }) => [status, stage, fallback])).toEqual(
      Array(3).fill(['cancelled', undefined, undefined]),
    )
    expect(baseline.calls).toEqual([])
  })
})

it('rules that halt a run do not count files that arrived on the baseline', async () => {
  const { causes, of } = await twoSides({
    files: await sided(30, isEven),
    settings: { halt: { maxFailures: 1, maxErrorRate: 0.01 } },
    candidate: { script: () => failure('QUOTA_EXCEEDED', 'full') },
  })
  expect(await causes).toEqual([])
  expect(of('uploaded')).toHaveLength(30)
})

describe('a file of a run that is continued', () => {
  const full = { script: () => failure('QUOTA_EXCEEDED', 'full') }

  it('keeps the key it has on both sides of one place', async () => {
    const { done, baseline, record } = await twoSides({
      files: await sided(1, all),
      candidate: { url: 'fake://old/', ...full },
      earlier: { find: async () => ({ key: 'kept.wav' }) },
    })
    await done
    expect(baseline.calls).toMatchObject([{ what: 'put', key: 'kept.wav' }])
    expect(record(1)).toMatchObject({ key: 'kept.wav', fallback: { attempts: 1 } })
    expect(record(1).fallback?.key).toBeUndefined()
  })

  it('may be found where the baseline has it', async () => {
    const asked: number[] = []
    const { done, baseline, record } = await twoSides({
      files: await sided(1, all),
      candidate: full,
      earlier: {
        async find({ lane, key }) {
          asked.push(lane)
          return { key }
        },
      },
    })
    await done
    expect([asked, baseline.objects.size]).toEqual([[1, 0], 1])
    expect(record(1)).toMatchObject({ status: 'uploaded', fallback: { attempts: 1 } })
  })

  it('is told to be cancelled where it is cut on its way to the baseline, whatever it was before', async () => {
    const before = fileRecord({ path: 'take-1.wav', key: 'take-1.wav', size: 1 })
    const scene = await twoSides({
      files: await sided(1, all, 12 * MiB),
      settings: { partSize: 5 * MiB, multipartThreshold: 5 * MiB },
      candidate: {
        multipart: {},
        script: ({ what }) => {
          if (what === 'abort') scene.stop.abort()
          return what === 'complete' ? failure('INTERNAL', 'odd', { status: 500, retryable: true }) : undefined
        },
      },
      earlier: { find: async ({ key }) => ({ key, done: before }) },
    })
    await scene.causes
    expect(scene.record(1)).toMatchObject({ status: 'cancelled', fallback: { destination: 'fake://new/' } })
  })

  it('is asked for on the baseline where that could not be found out on the candidate', async () => {
    const { done, record, candidate } = await twoSides({
      files: await sided(1, all),
      earlier: {
        async find({ lane, key }) {
          if (lane === 1) throw failure('QUOTA_EXCEEDED', 'full')
          return { key }
        },
      },
    })
    await done
    expect(candidate.calls).toEqual([])
    expect(record(1)).toMatchObject({ status: 'uploaded', attempts: 1, fallback: { attempts: 0 } })
  })
})
