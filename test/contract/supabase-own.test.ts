import { afterAll, beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { engines } from '../support/settings.ts'
import { startSupabaseFake } from '../support/supabase-fake.ts'
import { aCall, bodyOf } from './bodies.ts'
import { anObject, testDestination } from './destination-contract.ts'
import { makeOwnBucket, type OwnBucket, ownProject } from './supabase-own-project.ts'
import { type Scheme, traitsOf } from './supabase-routes.ts'

// A project may be far away.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

const project = ownProject()
const schemes: readonly Scheme[] =
  project === undefined ? [] : project.s3 === undefined ? ['supabase'] : ['supabase', 's3']

const schemesToTry = schemes.map((scheme) => `${scheme}://`).join(' and ') || 'none'

it(`a Supabase project of your own: ${schemesToTry}`, ({ skip }) => {
  if (project !== undefined) return
  const reason =
    'No Supabase project of your own: the suite ran against the stand-in alone. Set UPLOAD_TEST_SUPABASE_URL and ' +
    'UPLOAD_TEST_SUPABASE_KEY to run it in a bucket of its own there.'
  console.log(reason)
  skip(reason)
})

it('a bucket that is made for the tests is removed with all that is in it', async () => {
  const supabase = await startSupabaseFake()
  onTestFinished(() => supabase.close())
  onTestFinished(() => void vi.unstubAllEnvs())
  const bucket = await makeOwnBucket(supabase)
  const { destination, read, keys, leftovers, close } = await bucket.open('s3', 'fast')
  for (const key of ['a b', 'c/d', 'c/e/f'])
    await destination.putObject(anObject(key), bodyOf(Buffer.from(key)), aCall())
  await destination.multipart?.create(anObject('half'), aCall())
  expect([await keys(), await read('c/e/f'), await read('c')]).toEqual([
    ['a b', 'c/d', 'c/e/f'],
    Buffer.from('c/e/f'),
    undefined,
  ])
  expect(await leftovers()).toHaveLength(1)
  await close()
  expect([supabase.objects.size, supabase.s3.uploads.size]).toEqual([0, 0])
  await bucket.remove()
  const { path, status } = supabase.requests.at(-1) ?? {}
  expect([path, status]).toEqual([expect.stringMatching(/\/bucket\/upload-test-[0-9a-f]{12}$/), 200])
})

if (project !== undefined) {
  let bucket: Promise<OwnBucket> | undefined
  beforeEach(() => () => vi.unstubAllEnvs())
  afterAll(async () => (await bucket)?.remove())

  for (const scheme of schemes) {
    for (const engine of engines) {
      const open = async () => {
        bucket ??= makeOwnBucket(project)
        return (await bucket).open(scheme, engine)
      }
      // By which of its two listings a server answers, its version decides.
      testDestination(`a bucket of your own, by ${scheme}:// (${engine})`, open, {
        ...traitsOf[scheme],
        ...(scheme === 'supabase' ? { listing: 'unknown' } : {}),
      })
    }
  }
}
