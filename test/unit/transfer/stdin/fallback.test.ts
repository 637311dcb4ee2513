import { readdir } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import type { FakeCall } from '../../../support/fake-destination.ts'
import { failure, planned } from '../scene.ts'
import { candidates, type SidesOptions, twoSides } from '../sides-scene.ts'
import { ownTemporary } from './temporary.ts'

const temporary = ownTemporary()
const bytes = Buffer.from(Array.from({ length: 1000 }, (_, at) => at % 251))
const stdinFile = planned(1, { path: '-', absolute: '-', source: 'stdin', size: undefined, mtimeMs: undefined })
const takesParts = { reads: 'open', multipart: { isOpenEnded: true } } as const
const late = ({ what }: FakeCall) => (what === 'complete' ? failure('QUOTA_EXCEEDED', 'full') : undefined)

afterEach(async () => {
  expect(await readdir(temporary().path)).toEqual([])
})

function send({ candidate, ...options }: SidesOptions = {}) {
  let readings = 0
  const stdin = (): Readable => {
    readings += 1
    return Readable.from([bytes.subarray(0, 300), bytes.subarray(300)])
  }
  const scene = twoSides({
    files: [candidates(stdinFile)],
    settings: { partSize: 100, multipartThreshold: 200 },
    baseline: takesParts,
    candidate: { ...takesParts, ...candidate },
    stdin,
    ...options,
  })
  return scene.then((opened) => ({ ...opened, readings: () => readings }))
}

describe('standard input that fails on the candidate', () => {
  it('is read once, and sent again from what was kept', async () => {
    const { done, baseline, candidate, records, readings } = await send({ candidate: { script: late } })
    await done
    expect([readings(), candidate.openUploads]).toEqual([1, 0])
    expect(baseline.objects.get(stdinFile.key)?.bytes.equals(bytes)).toBe(true)
    expect(records).toMatchObject([
      { status: 'uploaded', size: 1000, parts: 10, fallback: { error: { code: 'QUOTA_EXCEEDED' } } },
    ])
  })

  it('is kept to its end even where all goes well', async () => {
    const { done, candidate, records } = await send()
    await done
    // Of known size, as a file's.
    expect(records).toMatchObject([{ status: 'uploaded', size: 1000, destination: 'fake://new/' }])
    expect(candidate.objects.get(stdinFile.key)?.bytes.equals(bytes)).toBe(true)
  })

  it('is lost with it where nothing falls back', async () => {
    const { done, baseline, records, readings } = await send({ fallback: false, candidate: { script: late } })
    await done
    expect([readings(), baseline.calls.length]).toEqual([1, 0])
    expect(records).toMatchObject([{ status: 'failed', error: { code: 'QUOTA_EXCEEDED' } }])
  })
})

it('standard input is not kept where the candidate is not to have it any more', async () => {
  const { done, rollout, baseline, candidate, records } = await send()
  rollout.isOn = false
  await done
  expect([candidate.calls.length, baseline.objects.get(stdinFile.key)?.bytes.equals(bytes)]).toEqual([0, true])
  // Its size was not known when it was begun.
  expect(records).toMatchObject([{ status: 'uploaded', size: 1000 }])
})
