import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { bytes } from '../support/data-set.ts'
import { retry } from '../support/in-process.ts'
import { engines } from '../support/settings.ts'
import type { SeenRequest } from '../support/supabase-fake.ts'
import { type SupabaseRuns, supabaseRuns } from './supabase-run.ts'
import { partSize } from './supabase-scene.ts'

const modes = ['skip', 'fail'] as const
const large = bytes('bin', 2 * partSize + 500_000)

/** A small file and one in three parts. */
async function runs(): Promise<SupabaseRuns> {
  const all = await supabaseRuns()
  await all.ws.writeAll('in/small.txt')
  await all.ws.write('in/large.bin', large)
  return all
}

async function stored({ supabase }: SupabaseRuns, key: string): Promise<Buffer | undefined> {
  const object = supabase.objects.get(`audio/${key}`)
  return object && (await readFile(object.path))
}

/** A request that stores an object, or the last bytes of one. */
function isLast({ method, path, headers }: SeenRequest): boolean {
  if (method === 'PATCH') return Number(headers['upload-offset']) === 2 * partSize
  return method === 'POST' && path.startsWith('/storage/v1/object/audio/')
}

/** Somebody else stores the object first, by this means. */
async function storeTheirs({ supabase }: SupabaseRuns, key: string): Promise<void> {
  const headers = { authorization: `Bearer ${supabase.key}`, 'content-type': 'text/plain', 'x-theirs': '1' }
  const answer = await fetch(`${supabase.url}/storage/v1/object/audio/${key}`, {
    method: 'POST',
    headers,
    body: 'theirs',
  })
  if (answer.status !== 200) throw new Error(await answer.text())
}

describe.each(engines)('the %s engine', (engine) => {
  it.each(modes)('an answer that was lost: the object is the file’s own (%s)', async (ifExists) => {
    const scene = await runs()
    const lost = new Set<string>()
    scene.supabase.intercept = (request) => {
      if (!isLast(request) || lost.has(request.method)) return undefined
      lost.add(request.method)
      return { dropAnswer: true }
    }
    const { summary, files } = await scene.upload({ engine, ifExists })
    expect(lost.size).toBe(2)
    expect(summary).toMatchObject({ exitCode: 0, files: 2, uploaded: 2, skipped: 0, failed: 0 })
    expect(files.map(({ replaced }) => replaced)).toEqual([null, null])
    expect((await stored(scene, 'small.txt'))?.toString()).toBe('in/small.txt')
    expect((await stored(scene, 'large.bin'))?.equals(large)).toBe(true)
  })

  it.each(modes)(
    'somebody else is faster: what they stored stays, also where the run is undone (%s)',
    async (ifExists) => {
      const scene = await runs()
      const theirs = new Set<string>()
      scene.supabase.intercept = async (request) => {
        const key = request.method === 'PATCH' ? 'large.bin' : 'small.txt'
        if (!isLast(request) || request.headers['x-theirs'] !== undefined || theirs.has(key)) return undefined
        theirs.add(key)
        await storeTheirs(scene, key)
        return undefined
      }
      const { summary, files } = await scene.upload({ engine, ifExists, undoOnFailure: true })
      const count = ifExists === 'skip' ? { exitCode: 0, skipped: 2 } : { exitCode: 1, failed: 2 }
      expect(summary).toMatchObject({ uploaded: 0, ...count })
      for (const file of files) {
        if (ifExists === 'skip') expect(file).toMatchObject({ status: 'skipped', reason: 'exists' })
        else expect(file).toMatchObject({ status: 'failed', error: { code: 'ALREADY_EXISTS', retryable: false } })
      }
      for (const key of ['small.txt', 'large.bin']) expect((await stored(scene, key))?.toString()).toBe('theirs')
    },
  )

  it('says with each request that nothing is to be replaced', async () => {
    const scene = await runs()
    const { summary } = await scene.upload({ engine, ifExists: 'fail' })
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 2 })
    const writing = scene.supabase.requests.filter(({ method }) => method === 'POST' || method === 'PATCH')
    expect(writing.map(({ headers }) => headers['x-upsert'])).toEqual(writing.map(() => 'false'))
    expect(writing.length).toBeGreaterThanOrEqual(4)
  })
})

describe('a run that was stopped once the objects were there, but not their answers', () => {
  it.each(modes)('goes on with them as its own (%s)', async (ifExists) => {
    const scene = await runs()
    const stop = new AbortController()
    const stopped = () => new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve()))
    scene.supabase.intercept = (request) => {
      if (!isLast(request)) return undefined
      const stopOnceStored = (): unknown =>
        scene.supabase.objects.size === 2 ? stop.abort('SIGINT') : setImmediate(stopOnceStored)
      if (request.method === 'PATCH') stopOnceStored()
      return { dropAnswer: true }
    }
    const cut = await scene.upload({ ifExists }, { signal: stop.signal, onWait: stopped })
    expect(cut.summary).toMatchObject({ exitCode: 130, uploaded: 0, cancelled: 2 })
    scene.supabase.intercept = undefined
    const sent = scene.received()
    const { summary, file } = await scene.upload({ ifExists, resume: true })
    expect(summary).toMatchObject({ exitCode: 0, failed: 0 })
    expect(file('small.txt')).toMatchObject({ status: 'skipped', reason: 'already-uploaded' })
    expect(file('large.bin')).toMatchObject({ status: 'uploaded' })
    expect(scene.received()).toBe(sent)
  })
})

describe('--undo-on-failure', () => {
  it('leaves nothing of a run behind, half-sent uploads included', async () => {
    const scene = await runs()
    await scene.ws.write('in/no.txt', 'no')
    const wontStore = { status: 500, body: '{"statusCode":"500","error":"internal","message":"no"}' }
    scene.supabase.intercept = ({ method, headers, path }) => {
      if (path.endsWith('/no.txt') && method === 'POST') return wontStore
      return method === 'PATCH' && headers['upload-offset'] !== '0' ? wontStore : undefined
    }
    const { summary } = await scene.upload({ undoOnFailure: true, retry: retry({ retries: 1, retryFailed: 0 }) })
    expect(summary).toMatchObject({ exitCode: 1, uploaded: 0 })
    expect(scene.supabase.objects.size).toBe(0)
    expect(scene.supabase.uploads).toHaveLength(1)
    expect(scene.asked('DELETE')).toBe(1)
  })
})
