import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { ObjectToPut } from '../../src/destinations/destination.ts'
import { openSupabaseDestination } from '../../src/destinations/supabase/index.ts'
import { defaultSettings, engines } from '../support/settings.ts'
import { startSupabaseFake } from '../support/supabase-fake.ts'
import { someBytes } from './bodies.ts'
import { anObject, partSizeOf } from './destination-contract.ts'
import { credentialEnvironment } from './s3-settings.ts'
import { storeObject } from './store-object.ts'
import { traitsOf } from './supabase-routes.ts'

const partSize = partSizeOf(traitsOf.supabase)
const mtimeNs = 1_763_800_000_123_456_700n
const metadata = { artist: 'A b', take: '2' }

beforeEach(() => {
  for (const [name, value] of Object.entries(credentialEnvironment)) vi.stubEnv(name, value)
  vi.stubEnv('SUPABASE_KEY', undefined)
  return () => vi.unstubAllEnvs()
})

describe.each(engines)('what is kept with an object at Supabase (%s)', (engine) => {
  // One for each protocol, and for small files.
  it.each([
    ['a small one', 1000],
    ['one in parts', partSize + 1],
  ])('is its modification time, too: %s', async (_, size) => {
    const supabase = await startSupabaseFake({ lockDrainMs: 20 })
    onTestFinished(() => supabase.close())
    supabase.makeBucket('audio')
    vi.stubEnv('SUPABASE_SERVICE_ROLE_KEY', supabase.key)
    const settings = { ...defaultSettings, supabase: { url: supabase.url }, engine }
    const destination = await openSupabaseDestination(settings, { url: 'supabase://audio/', bucket: 'audio' })
    onTestFinished(() => destination.close())
    const put = (key: string, own: Partial<ObjectToPut>) =>
      storeObject(destination, { ...anObject(key, partSize), ...own }, someBytes(size))
    const kept = (key: string) => supabase.objects.get(`audio/${key}`)?.metadata ?? undefined

    const properties = { metadata }
    await put('both', { properties, mtimeNs })
    await put('another', { properties, mtimeNs: 2_000_000_000n })
    await put('own', { properties })
    await put('time', { mtimeNs })
    await put('none', {})
    expect(kept('both')).toEqual({ ...metadata, mtime: '1763800000.1234567' })
    expect(kept('another')).toEqual({ ...metadata, mtime: '2' })
    expect(kept('own')).toEqual(metadata)
    expect(kept('time')).toEqual({ mtime: '1763800000.1234567' })
    expect(kept('none') ?? {}).toEqual({})
  })
})
