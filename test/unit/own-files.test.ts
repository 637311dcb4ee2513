import { mkdir, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DestinationUrl } from '../../src/config/destination-url.ts'
import { ownFiles } from '../../src/own-files.ts'
import { rolloutOf } from '../support/rollout-settings.ts'
import { tempDir } from '../support/temp-dir.ts'

const places = { xdgStateHome: '/state', home: '/home/me', temporary: '/tmp', uid: 1000 }
const bucket: DestinationUrl = { scheme: 's3', url: 's3://b/', bucket: 'b', prefix: '' }
const directory = (path: string): DestinationUrl => ({ scheme: 'file', url: `file:${path}`, directory: path })

async function isOwn(path: string, report: readonly string[] = [], url = bucket): Promise<boolean> {
  const own = await ownFiles({ report }, [url], places, '/home/me/work')
  return own(resolve('/home/me/work', path))
}

describe('ownFiles', () => {
  it('knows a report by its real path, too, before it is there', async () => {
    const root = await tempDir()
    await mkdir(join(root, 'real'))
    await symlink('real', join(root, 'link'))
    const report = join(root, 'link', 'r.csv')
    expect(await isOwn(join(root, 'real', 'r.csv'), [report])).toBe(true)
    expect(await isOwn(join(root, 'real', 'r.summary.csv'), [report])).toBe(true)
  })

  it.each<[path: string, report: string[], own: boolean]>([
    ['r.csv', ['r.csv'], true],
    ['r.summary.csv', ['r.csv'], true],
    ['r.summary.CSV', ['r.CSV'], true],
    ['reports/r.jsonl', ['./reports/../reports/r.jsonl'], true],
    ['/var/r.json', ['/var/r.json'], true],
    ['r.summary.json', ['r.json'], false],
    ['sub/r.csv', ['r.csv'], false],
    ['r.csv', [], false],
    ['r.csv.gz', ['r.csv'], false],
  ])('%s with reports %j: %s', async (path, report, own) => {
    expect(await isOwn(path, report)).toBe(own)
  })

  it('knows a journal that is continued, wherever it lies, and its lock', async () => {
    const own = await ownFiles({ report: [], journal: 'in/x.jsonl' }, [bucket], places, '/home/me/work')
    const paths = ['x.jsonl', 'x.jsonl.lock', 'y.jsonl', 'x.jsonl.lock.wav'].map((name) => `/home/me/work/in/${name}`)
    expect(paths.map(own)).toEqual([true, true, false, false])
  })

  it('knows a rollout’s state, wherever it lies, with its lock and what is written of it', async () => {
    const rollout = { ...rolloutOf(), state: '/home/me/work/in/state.json' }
    const own = await ownFiles({ report: [], rollout }, [bucket], places, '/home/me/work')
    const names = [
      'state.json',
      'state.json.lock',
      'state.json.7.0a1b2c3d.tmp',
      'state.json.damaged',
      'x.tmp',
      'other.json',
    ]
    expect(names.map((name) => own(`/home/me/work/in/${name}`))).toEqual([true, true, true, false, false, false])
  })

  it.each([
    ['/state/upload/rollouts/nightly.json', true],
    ['/tmp/upload-1000/rollouts/nightly.json', true],
    ['/state/upload/runs/x.jsonl', true],
    ['/state/upload/runs', true],
    ['/state/upload/runs-of-mine/x.jsonl', false],
    ['/state/other/x.jsonl', false],
    ['/home/me/.local/state/upload/runs/x.jsonl', true],
    ['/home/me/.local/state/x.jsonl', false],
    ['/tmp/upload-1000/runs/x.jsonl', true],
    ['/tmp/upload-1001/runs/x.jsonl', false],
    ['/tmp/upload-stdin-a1b2c3/stdin', true],
    ['/tmp/upload-list-a1b2c3/lines', true],
    ['/tmp/upload-1000.wav', false],
    ['/srv/upload-stdin-a1b2c3', false],
    ['/srv/once-a-destination/.upload-tmp', true],
    ['/srv/.upload-tmp.wav', false],
  ])('%s: %s', async (path, own) => {
    expect(await isOwn(path)).toBe(own)
  })

  it.each([
    ['out/a.wav', './out/', true],
    ['out', './out/', true],
    ['outer/a.wav', './out/', false],
    ['a.wav', './out/', false],
    ['../elsewhere/a.wav', '/home/me/elsewhere/', true],
    ['/home/me/work/a.wav', './', true],
    ['/anything', '/', true],
  ])('%s in the destination %s: %s', async (path, to, own) => {
    expect(await isOwn(path, [], directory(to))).toBe(own)
  })

  it('knows the destination by both of its names', async () => {
    const root = await tempDir()
    await mkdir(join(root, 'disk', 'out'), { recursive: true })
    await symlink(join(root, 'disk'), join(root, 'link'))
    const own = await ownFiles({ report: [] }, [directory('link/out/')], places, root)
    expect(['link/out/a', 'disk/out/a', 'disk/a'].map((path) => own(join(root, path)))).toEqual([true, true, false])
  })
})
