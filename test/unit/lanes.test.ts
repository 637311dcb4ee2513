import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Route, Settings } from '../../src/config/settings.ts'
import { ignoredIn, openRunLanes } from '../../src/lanes.ts'
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

async function open(own: Partial<Settings>, routes: readonly Route[], cwd = '/work', warn = (_message: string) => {}) {
  const opened = await openRunLanes({ ...settings, ...own, routes }, cwd, warn)
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

it('ignoredIn has what is passed over anywhere, once', () => {
  const routes = [route({ ignored: ['b', 'a'] }), route({ ignored: ['c'] })]
  expect([...ignoredIn({ ...settings, ignored: ['a'], routes })]).toEqual(['a', 'b', 'c'])
})
