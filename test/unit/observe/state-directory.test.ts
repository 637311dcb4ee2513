import { chmod, mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { UsageError } from '../../../src/errors.ts'
import {
  journalDirectories,
  openStateDirectory,
  type StatePlaces,
  systemPlaces,
} from '../../../src/observe/state-directory.ts'
import { tempDir } from '../../support/temp-dir.ts'

const isPosix = process.platform !== 'win32'
const uid = process.getuid?.()

interface Scene extends StatePlaces {
  readonly root: string
  readonly warnings: string[]
}

/** Places below a directory of their own, and a file where a directory will not do. */
async function scene(over: Partial<StatePlaces> = {}): Promise<Scene & { readonly file: string }> {
  const root = await tempDir()
  const temporary = join(root, 'tmp')
  await mkdir(temporary)
  const file = join(root, 'file')
  await writeFile(file, '')
  return { root, file, warnings: [], xdgStateHome: undefined, home: join(root, 'home'), temporary, uid, ...over }
}

function open(places: Scene, usable: (directory: string) => Promise<string> = async () => 'opened') {
  return openStateDirectory(places, usable, (message) => void places.warnings.push(message))
}

async function mode(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777
}

describe('openStateDirectory', () => {
  it('takes XDG_STATE_HOME, and makes it for its user only', async () => {
    const places = await scene()
    const state = join(places.root, 'state')
    const opened = await open({ ...places, xdgStateHome: state })
    expect(opened).toEqual({ directory: join(state, 'upload', 'runs'), opened: 'opened' })
    if (isPosix) {
      expect([await mode(state), await mode(join(state, 'upload')), await mode(opened.directory)]).toEqual([
        0o700, 0o700, 0o700,
      ])
    }
    expect(places.warnings).toEqual([])
  })

  it.each([undefined, '', 'relative/state'])('takes ~/.local/state where that is %j', async (xdgStateHome) => {
    const places = await scene()
    const { directory } = await open({ ...places, xdgStateHome })
    expect([directory, places.warnings]).toEqual([join(places.root, 'home/.local/state/upload/runs'), []])
  })

  it('leaves a directory that is there as it is', async () => {
    const places = await scene()
    const directory = join(places.root, 'home/.local/state/upload/runs')
    await mkdir(directory, { recursive: true })
    await chmod(directory, 0o750)
    await open(places)
    if (isPosix) expect(await mode(directory)).toBe(0o750)
  })

  it('falls back to ~/.local/state with a warning', async () => {
    const places = await scene()
    const { directory } = await open({ ...places, xdgStateHome: places.file })
    expect(directory).toBe(join(places.root, 'home/.local/state/upload/runs'))
    expect(places.warnings).toEqual([
      expect.stringMatching(/^cannot keep the journal in .*file.upload.runs \(ENOTDIR\); trying elsewhere$/),
    ])
  })

  it('falls back to a directory of its own in the temporary one, with one warning', async () => {
    const places = await scene()
    const { directory } = await open({ ...places, xdgStateHome: places.file, home: places.file })
    const own = join(places.temporary, `upload-${uid ?? ''}`)
    if (isPosix) {
      expect(directory).toBe(join(own, 'runs'))
      expect([await mode(own), await mode(directory)]).toEqual([0o700, 0o700])
    }
    expect(places.warnings).toEqual([
      expect.stringMatching(/^the journal is kept in .*, since .* and .* cannot be written to$/),
    ])
  })

  it('falls back where something in it cannot be opened', async () => {
    const places = await scene()
    const { directory } = await open({ ...places, xdgStateHome: join(places.root, 'state') }, async (each) => {
      if (each.includes(join(places.root, 'state'))) throw Object.assign(new Error('full'), { code: 'ENOSPC' })
      return 'opened'
    })
    expect(directory).toContain('.local')
    expect(places.warnings).toEqual([expect.stringContaining('(ENOSPC)')])
  })

  it('is used by somebody without a home', async () => {
    const places = await scene()
    const { directory } = await open({ ...places, home: undefined })
    expect(directory.startsWith(places.temporary)).toBe(true)
    expect(places.warnings).toEqual([expect.stringContaining('since there is no home directory')])
  })

  it.runIf(isPosix)('tightens a directory of its own that others can read', async () => {
    const places = await scene()
    const own = join(places.temporary, `upload-${uid}`)
    await mkdir(join(own, 'runs'), { recursive: true })
    await chmod(own, 0o777)
    await chmod(join(own, 'runs'), 0o777)
    await open({ ...places, home: places.file })
    expect([await mode(own), await mode(join(own, 'runs'))]).toEqual([0o700, 0o700])
  })

  it.runIf(isPosix)('refuses one that belongs to somebody else', async () => {
    const stranger = (uid ?? 0) + 1
    const places = await scene({ uid: stranger })
    await mkdir(join(places.temporary, `upload-${stranger}`))
    const opening = open({ ...places, home: places.file })
    await expect(opening).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringMatching(/^no journal can be kept: .* belongs to somebody else\); set XDG_STATE_HOME to /),
    })
    expect(await readdir(join(places.temporary, `upload-${stranger}`))).toEqual([])
  })

  it.runIf(isPosix).each(['', 'runs'])('refuses a link in place of it (%j)', async (name) => {
    const places = await scene()
    const own = join(places.temporary, `upload-${uid}`)
    const elsewhere = join(places.root, 'elsewhere')
    await mkdir(elsewhere)
    if (name === 'runs') await mkdir(own)
    await symlink(elsewhere, join(own, name))
    await expect(open({ ...places, home: places.file })).rejects.toMatchObject({ code: 'INTERNAL' })
    expect(await readdir(elsewhere)).toEqual([])
  })

  it('gives up where nothing can be written to, and names all it tried', async () => {
    const places = await scene()
    const { file } = places
    const opening = open({ ...places, xdgStateHome: file, home: file, temporary: file })
    await expect(opening).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringMatching(/(.*file){3}.*\(E\w+\)/),
    })
    expect(places.warnings).toEqual([])
  })

  it('tells a failure without a code by its words', async () => {
    const places = await scene()
    await expect(
      open(places, async () => {
        throw new Error('out of luck')
      }),
    ).rejects.toMatchObject({ message: expect.stringContaining('(Error: out of luck)') })
  })

  it('passes on that what was asked for cannot be, and looks no further', async () => {
    const places = await scene()
    const usable = vi.fn(async (): Promise<string> => {
      throw new UsageError('taken')
    })
    await expect(open(places, usable)).rejects.toThrow('taken')
    expect(usable).toHaveBeenCalledTimes(1)
    await expect(open({ ...places, home: undefined }, usable)).rejects.toThrow('taken')
  })

  it('has no users to tell apart on some systems', async () => {
    const places = await scene({ uid: undefined, home: undefined })
    const { directory } = await open(places)
    expect(directory).toMatch(/upload-[^/\\]+[/\\]runs$/)
  })
})

describe('journalDirectories', () => {
  it('are all that may be used', () => {
    const places = { xdgStateHome: '/state', home: '/home/me', temporary: '/tmp', uid: 1000 }
    expect(journalDirectories(places)).toEqual(
      ['/state/upload/runs', '/home/me/.local/state/upload/runs', '/tmp/upload-1000/runs'].map((path) => join(path)),
    )
  })
})

describe('systemPlaces', () => {
  afterEach(() => vi.restoreAllMocks())

  it.each([
    [{ HOME: '/home/me', XDG_STATE_HOME: '/state' }, '/home/me', '/state'],
    [{ HOME: '' }, homedir(), undefined],
    [{}, homedir(), undefined],
  ])('of %j', (env, home, xdgStateHome) => {
    expect(systemPlaces(env)).toEqual({ home, xdgStateHome, temporary: tmpdir(), uid })
  })
})
