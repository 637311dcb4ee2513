import { open, readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { checksummerOf } from '../../src/checksums/checksummer.ts'
import { bytes } from '../support/data-set.ts'
import type { Fault, SeenRequest } from '../support/supabase-fake.ts'
import { type SupabaseRuns, supabaseRuns } from './supabase-run.ts'
import { partSize } from './supabase-scene.ts'

/** Four parts and a short fifth. */
const size = 4 * partSize + 1_000_000

async function runs(): Promise<SupabaseRuns & { readonly data: Buffer }> {
  const all = await supabaseRuns()
  const data = bytes('bin', size)
  await all.ws.write('in/a.bin', data)
  return { ...all, data }
}

async function expectStored({ supabase, data }: Awaited<ReturnType<typeof runs>>): Promise<void> {
  const stored = supabase.objects.get('audio/a.bin')
  expect(stored && (await readFile(stored.path)).equals(data)).toBe(true)
}

const warnings = ({ events }: Awaited<ReturnType<SupabaseRuns['upload']>>): string[] =>
  events.flatMap((event) => (event.type === 'warning' ? [event.message] : []))

/** Each PATCH of a number gets a fault. */
function faulty(faults: Readonly<Record<number, Fault>>): (request: SeenRequest) => Fault | undefined {
  let patches = 0
  return ({ method }) => {
    if (method !== 'PATCH') return undefined
    patches += 1
    return faults[patches]
  }
}

describe('a large file over a line that breaks', () => {
  it('arrives, and no byte of it twice', async () => {
    const scene = await runs()
    const { upload, supabase, received, asked } = scene
    supabase.intercept = faulty({
      1: { resetAfter: 5_000_000 },
      2: { dropAnswer: true },
      4: { resetAfter: 1 },
      5: { resetAfter: 3_000_000 },
      8: { dropAnswer: true },
    })
    const { summary, file } = await upload()
    const checksum = { algorithm: 'crc32', value: checksummerOf('crc32').of(scene.data) }
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 1, bytes: size })
    expect(file('a.bin')).toMatchObject({ status: 'uploaded', parts: 5, checksum })
    expect([received(), asked('POST'), supabase.objects.size]).toEqual([size, 1, 1])
    await expectStored(scene)
  })

  it('waits for a lock that an earlier request still holds', async () => {
    const scene = await runs()
    const { upload, supabase, asked } = scene
    let release = (): void => {}
    supabase.intercept = ({ method }) => {
      if (method === 'PATCH' && asked('PATCH') === 3) release = supabase.lockUpload(supabase.uploads[0]?.url ?? '')
      return undefined
    }
    let waits = 0
    const onWait = async (): Promise<void> => {
      waits += 1
      if (waits === 3) release()
    }
    const { summary } = await upload({}, { onWait })
    expect([summary.exitCode, waits >= 3, asked('POST')]).toEqual([0, true, 1])
    await expectStored(scene)
  })
})

/** A run that is stopped once part 3 has begun. */
async function stopped(): Promise<Awaited<ReturnType<typeof runs>>> {
  const scene = await runs()
  const { upload, supabase, asked } = scene
  const stop = new AbortController()
  supabase.intercept = ({ method }) => {
    if (method !== 'PATCH' || asked('PATCH') !== 3) return undefined
    stop.abort()
    return { resetAfter: 2_000_000 }
  }
  const { summary } = await upload({}, { signal: stop.signal })
  expect(summary).toMatchObject({ uploaded: 0, cancelled: 1 })
  supabase.intercept = undefined
  return scene
}

describe('a run that was stopped', () => {
  it('goes on where it was', async () => {
    const scene = await stopped()
    const outcome = await scene.upload({ resume: true })
    const checksum = { algorithm: 'crc32', value: checksummerOf('crc32').of(scene.data) }
    expect([outcome.summary.exitCode, outcome.file('a.bin').checksum, warnings(outcome)]).toEqual([0, checksum, []])
    expect(scene.received()).toBeLessThanOrEqual(size + 2_000_000)
    expect([scene.asked('POST'), scene.asked('DELETE')]).toEqual([1, 0])
    await expectStored(scene)
  })

  it.each([false, true])('begins anew where the upload has expired, and says so (gone: %s)', async (gone) => {
    const scene = await stopped()
    scene.supabase.expireUpload(scene.supabase.uploads[0]?.url ?? '', { gone })
    const outcome = await scene.upload({ resume: true })
    expect([outcome.summary.exitCode, scene.asked('POST')]).toEqual([0, 2])
    expect(warnings(outcome)).toEqual([expect.stringMatching(/^a\.bin is begun anew: .*expired/)])
    await expectStored(scene)
  })

  it('begins anew where the file has changed: what is there cannot be replaced', async () => {
    const scene = await stopped()
    const path = scene.ws.path('in', 'a.bin')
    const handle = await open(path, 'r+')
    await handle.write('changed', partSize + 5)
    await handle.close()
    const data = await readFile(path)
    const outcome = await scene.upload({ resume: true })
    expect([outcome.summary.exitCode, scene.asked('POST'), scene.asked('DELETE')]).toEqual([0, 2, 1])
    await expectStored({ ...scene, data })
  })

  it('begins anew where only what lay in the middle of a part may have changed', async () => {
    const scene = await stopped()
    const path = scene.ws.path('in', 'a.bin')
    const handle = await open(path, 'r+')
    await handle.write('changed', 2 * partSize + 5)
    await handle.close()
    const data = await readFile(path)
    const outcome = await scene.upload({ resume: true })
    expect(outcome.summary.exitCode).toBe(0)
    await expectStored({ ...scene, data })
  })
})

describe('an upload that expires in the middle of a run', () => {
  it.each([false, true])('is begun again at once, and that is said (gone: %s)', async (gone) => {
    const scene = await runs()
    const { upload, supabase, asked } = scene
    supabase.intercept = ({ method }) => {
      if (method === 'PATCH' && asked('PATCH') === 3) supabase.expireUpload(supabase.uploads[0]?.url ?? '', { gone })
      return undefined
    }
    const outcome = await upload()
    expect(outcome.summary).toMatchObject({ exitCode: 0, retries: 0 })
    expect([asked('POST'), asked('PATCH'), warnings(outcome)]).toEqual([
      2,
      3 + 5,
      [expect.stringMatching(/^a\.bin is begun anew: .*expired/)],
    ])
    await expectStored(scene)
  })
})

describe('a key to the project that expires half-way', () => {
  it('stops the run, and what was sent stays: the next one goes on', async () => {
    const scene = await runs()
    const { upload, supabase, asked, received } = scene
    supabase.intercept = ({ method }) => {
      if (method === 'PATCH' && asked('PATCH') === 3) supabase.setExpired(true)
      return undefined
    }
    const { summary, file } = await upload()
    expect(summary).toMatchObject({ exitCode: 3, uploaded: 0 })
    expect(file('a.bin')).toMatchObject({ error: { code: 'CREDENTIALS_EXPIRED' } })
    expect(asked('DELETE')).toBe(0)
    supabase.setExpired(false)
    supabase.intercept = undefined
    const before = received()
    expect((await upload({ resume: true })).summary.exitCode).toBe(0)
    expect([asked('POST'), received() - before]).toEqual([1, size - 2 * partSize])
    await expectStored(scene)
  })
})
