import { expect, it, onTestFinished, vi } from 'vitest'
import type { EngineName } from '../../../../src/destinations/destination.ts'
import { openSupabaseDestination } from '../../../../src/destinations/supabase/index.ts'
import { createKeyComparison } from '../../../../src/destinations/supabase/stored-key.ts'
import { aCall, bodyOf } from '../../../contract/bodies.ts'
import { defaultSettings, engines } from '../../../support/settings.ts'
import { key, scriptedServer } from './scripted-server.ts'

it('says nothing of objects under their own keys, and once that one is under another', () => {
  const warnings: string[] = []
  const compare = createKeyComparison('audio', (message) => warnings.push(message))
  compare('in/é 1?.wav', 'audio/in/é 1?.wav')
  expect(warnings).toEqual([])
  compare('in/take 1?.wav', 'audio/in/take 1')
  compare('in/take 2?.wav', 'audio/in/take 2')
  expect(warnings).toEqual([
    'Supabase says that it has stored audio/in/take 1?.wav as audio/in/take 1: is there a proxy that changes paths? --verify asks for each object under its own key',
  ])
})

it.each(engines)('is asked by the engine (%s)', async (engine: EngineName) => {
  const { url } = await scriptedServer(() => ({ body: { Id: 'i', Key: 'audio/elsewhere' } }))
  vi.stubEnv('SUPABASE_SERVICE_ROLE_KEY', key)
  onTestFinished(() => void vi.unstubAllEnvs())
  const warnings: string[] = []
  const settings = { ...defaultSettings, supabase: { url }, engine }
  const at = { url: 'supabase://audio/', bucket: 'audio' }
  const destination = await openSupabaseDestination(settings, at, (message) => warnings.push(message))
  const object = { key: 'k', contentType: 'audio/wav', partSize: 6 * 2 ** 20 }
  expect(await destination.putObject(object, bodyOf(Buffer.from('wav')), aCall())).toMatchObject({ key: 'k', size: 3 })
  expect(warnings).toEqual([expect.stringMatching(/^Supabase says that it has stored audio\/k as audio\/elsewhere/)])
  await destination.close()
})
