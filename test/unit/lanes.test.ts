import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Route, Settings } from '../../src/config/settings.ts'
import { ignoredIn, openRunLanes } from '../../src/lanes.ts'
import { namesAlike } from '../../src/plan/file-sides.ts'
import { rolloutOf } from '../support/rollout-settings.ts'
import { defaultSettings } from '../support/settings.ts'
import { tempDir } from '../support/temp-dir.ts'

const settings: Settings = {
  ...defaultSettings,
  to: 's3://bucket/own/',
  s3: { ...defaultSettings.s3, region: 'eu-west-1' },
}
const when = { match: [], type: [], minSize: undefined, maxSize: undefined }
const route = (changes: Partial<Settings>, skip = false): Route => ({
  name: 'routes[0]',
  when,
  skip,
  settings: { ...settings, ...changes },
})

async function open(
  own: Partial<Settings>,
  routes: readonly Route[],
  cwd = '/work',
  warn = (_message: string) => {},
  percentage?: number,
) {
  const opened = await openRunLanes({ ...settings, ...own, routes }, cwd, warn, percentage)
  onTestFinished(opened.close)
  return opened
}

describe('openRunLanes', () => {
  it('opens one destination for all lanes that are reached alike, whatever else they are set to', async () => {
    const { lanes, destinations } = await open({}, [
      route({ partSize: 2 ** 24, ifExists: 'skip', properties: { cacheControl: 'no-cache' } }),
      route({ to: 's3://bucket/own' }),
      route({ to: 's3://other/' }, true),
      route({ to: 's3://bucket/else/' }),
      route({ engine: 'standard' }),
      route({ engine: 'standard', multipartThreshold: 2 ** 24 + 1 }),
      route({ checksum: 'none' }),
      route({ s3: { ...settings.s3, endpointUrl: 'http://127.0.0.1:1' } }),
    ])
    const [own, sameBut, sameUrl, left, ...others] = lanes.map(({ destination }) => destination)
    expect([sameBut, sameUrl, left]).toEqual([own, own, own])
    expect([sameBut === own, sameUrl === own, left === own]).toEqual([true, true, true])
    expect(new Set([own, ...others]).size).toBe(6)
    expect(destinations).toHaveLength(6)
    expect(lanes[1]?.settings).toMatchObject({ partSize: 2 ** 24, ifExists: 'skip' })
  })

  it('gives each of several its share of the memory for buffers', async () => {
    const smallest = async (routes: readonly Route[]) => {
      const { lanes } = await open({ bufferSize: 2 ** 18, concurrency: 200 }, routes)
      return lanes[0]?.destination.small?.maxSize
    }
    expect(await smallest([])).toBe(2 ** 18)
    const others = Array.from({ length: 3 }, (_, at) => route({ to: `s3://bucket/${at}/` }))
    expect(await smallest(others)).toBe(64 * 1024)
  })

  it('says what each has to say once', async () => {
    const warn = vi.fn()
    const tls = { caBundle: undefined, verify: false }
    await open({ tls }, [route({ tls, to: 's3://other/' })], '/work', warn)
    const said = warn.mock.calls.map(([message]) => message)
    expect(said).toEqual([...new Set(said)])
  })

  it('opens none where one of them cannot be', async () => {
    const tls = { caBundle: '/nowhere/at/all.pem', verify: true }
    await expect(open({ to: 'file:./out/' }, [route({ tls })])).rejects.toThrow('/nowhere/at/all.pem')
  })

  it('tells buckets of one name at two endpoints apart', async () => {
    const there = { ...settings.s3, endpointUrl: 'http://127.0.0.1:1/' }
    const { planLanes } = await open({}, [
      route({ to: 's3://bucket/else/' }),
      route({ s3: there }),
      route({ s3: { ...there, endpointUrl: 'http://127.0.0.1:1' } }),
    ])
    const [own, sameBucket, elsewhere, alsoThere] = planLanes.map(({ place }) => place)
    expect([sameBucket === own, elsewhere === own, alsoThere === elsewhere]).toEqual([true, false, true])
    expect(planLanes.map(({ prefix }) => prefix)).toEqual(['own/', 'else/', 'own/', 'own/'])
  })

  it('knows that a directory lies in another, whichever way it is named', async () => {
    const root = await tempDir()
    await mkdir(join(root, 'disk', 'out'), { recursive: true })
    await symlink(join(root, 'disk'), join(root, 'link'))
    const { planLanes } = await open(
      { to: 'file:link/out/' },
      [route({ to: 'file:disk/out/x/' }), route({ to: 'file:not/there/yet/' })],
      root,
    )
    const [own, inner, missing] = planLanes.map(({ place }) => place)
    expect(inner).toBe(`${own}x/`)
    expect(missing).toBe(`file:${root}/not/there/yet/`)
  })

  it('changes keys where that is asked for and can be done', async () => {
    const { planLanes } = await open({ keyFix: true }, [route({ keyFix: false })])
    expect(planLanes.map(({ fixName }) => fixName !== undefined)).toEqual([true, false])
  })
})

describe('a rollout’s candidates', () => {
  const routes = [route({ to: 's3://bucket/routed/' }), route({}, true), route({ to: 's3://bucket/last/' })]
  const candidate = (changes: Partial<Settings>): Settings => ({ ...settings, ...changes })
  const rollingOut = (...candidates: readonly (Settings | undefined)[]): Partial<Settings> => ({
    rollout: rolloutOf(...candidates),
  })

  it('have lanes behind all others, each with the number that its baseline’s knows it by', async () => {
    const own = candidate({ engine: 'standard' })
    const last = candidate({ to: 's3://else/' })
    const opened = await open(rollingOut(own, undefined, undefined, last), routes, '/work', () => {}, 10)
    const { lanes, planLanes, candidateOf } = opened
    expect(candidateOf).toEqual([4, undefined, undefined, 5])
    expect(lanes.map(({ side }) => side)).toEqual([...Array(4).fill(undefined), 'candidate', 'candidate'])
    expect([lanes[4]?.settings, lanes[5]?.settings]).toEqual([own, last])
    expect(planLanes.map(({ prefix }) => prefix)).toEqual(['own/', 'routed/', 'own/', 'last/', 'own/', ''])
    expect(lanes[4]?.destination.engine).toBe('standard')
  })

  it('share a destination with each other, and never with the baseline', async () => {
    const same = candidate({})
    const { lanes, destinations } = await open(rollingOut(same, same), [route({})], '/work', () => {}, 1)
    const [own, routed, first, second] = lanes.map(({ destination }) => destination)
    expect([routed === own, first === own, second === first]).toEqual([true, false, true])
    expect(destinations).toHaveLength(2)
  })

  it('take their share of the memory for buffers, only where they get files', async () => {
    const smallest = async (percentage: number) => {
      const others = Array.from({ length: 3 }, (_, at) => candidate({ to: `s3://bucket/${at}/` }))
      const given = { bufferSize: 2 ** 18, concurrency: 200, ...rollingOut(...others) }
      const { lanes } = await open(given, [route({}), route({})], '/work', () => {}, percentage)
      return lanes.map(({ destination }) => destination.small?.maxSize)
    }
    expect(await smallest(0)).toEqual(Array(3).fill(2 ** 18))
    expect(await smallest(0.01)).toEqual(Array(6).fill(64 * 1024))
  })

  it('are not opened where they get no file; where they lead is known all the same', async () => {
    const broken = candidate({ to: 'file:./new/', tls: { caBundle: '/nowhere/at/all.pem', verify: true } })
    const brokenS3 = { ...broken, to: 's3://new/' }
    const { lanes, planLanes, candidateOf, urls } = await open(rollingOut(broken, brokenS3), [route({})])
    expect([lanes.length, planLanes.length]).toEqual([2, 2])
    expect(candidateOf).toEqual([2, 3])
    expect(urls.map(({ url }) => url)).toEqual(['s3://bucket/own/', 's3://bucket/own/', 'file:./new/', 's3://new/'])
    await expect(open(rollingOut(brokenS3), [], '/work', () => {}, 1)).rejects.toThrow('/nowhere/at/all.pem')
  })

  it('show where names become the same keys on both sides', async () => {
    const fixing = candidate({ keyFix: true })
    const { planLanes } = await open({ keyFix: true, ...rollingOut(fixing) }, [], '/work', () => {}, 100)
    expect(namesAlike(planLanes)).toBe(true)
    const other = await open({ keyFix: true, ...rollingOut(candidate({})) }, [], '/work', () => {}, 100)
    expect(namesAlike(other.planLanes)).toBe(false)
    const [own, there] = other.planLanes
    expect([own?.fixName !== undefined, there?.fixName]).toEqual([true, undefined])
  })
})

it('ignoredIn has what is passed over anywhere, once', () => {
  const routes = [route({ ignored: ['b', 'a'] }), route({ ignored: ['c'] })]
  expect([...ignoredIn({ ...settings, ignored: ['a'], routes })]).toEqual(['a', 'b', 'c'])
  const rollout = rolloutOf(undefined, { ...settings, ignored: ['d', 'c'] })
  expect([...ignoredIn({ ...settings, routes, rollout })]).toEqual(['b', 'a', 'c', 'd'])
})
