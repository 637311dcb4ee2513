import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Destination } from '../../src/destinations/destination.ts'
import { openFileDestination } from '../../src/destinations/file/index.ts'
import { UploadError } from '../../src/errors.ts'
import { keyFixOf } from '../../src/plan/keys/key-fix.ts'
import { createFilePlanner } from '../../src/plan/plan-file.ts'
import type { PlannedFile } from '../../src/plan/planned-file.ts'
import { type DestinationKind, type HostileName, hostileNames } from '../support/hostile-names.ts'
import { randomFrom } from '../support/random.ts'
import { defaultSettings } from '../support/settings.ts'
import { makeTempDir } from '../support/temp-dir.ts'
import { listFiles } from '../support/workspace.ts'
import { nameOfKey } from '../unit/plan/key-notation.ts'
import { aCall, bodyOf } from './bodies.ts'
import { openFast } from './s3-fast.ts'
import { credentialEnvironment } from './s3-settings.ts'
import { storeObject } from './store-object.ts'
import { openAtStandIn } from './supabase-routes.ts'

if (process.platform === 'win32') console.log('Not tried on Windows: names that it cannot hold, in a directory there.')

/** A store, and what it holds without the program's help. */
interface Store {
  readonly destination: Destination
  read(key: string): Promise<Uint8Array | undefined>
  /** Everything that has been made anywhere in it, and around it. */
  everything(): Promise<readonly string[]>
}

const stores: Readonly<Record<DestinationKind, () => Promise<Store>>> = {
  async s3() {
    for (const [name, value] of Object.entries(credentialEnvironment)) vi.stubEnv(name, value)
    const { s3, destination } = await openFast()
    return { destination, read: async (key) => s3.read('audio', key), everything: async () => s3.keys('audio') }
  },
  async supabase() {
    const { destination, read, keys, close } = await openAtStandIn('supabase', 'fast')
    onTestFinished(close)
    return { destination, read, everything: keys }
  },
  async file() {
    const temp = await makeTempDir()
    await writeFile(join(temp.path, 'beside'), 'kept')
    const directory = join(temp.path, 'bucket')
    const destination = openFileDestination({ url: `file:${directory}/`, directory: `${directory}/` })
    onTestFinished(async () => {
      await destination.close()
      await temp.remove()
    })
    const isOurs = (name: string) => !name.startsWith('bucket/.upload-tmp/')
    return {
      destination,
      read: (key) => readFile(join(directory, key)),
      everything: async () =>
        (await listFiles(temp.path))
          .filter(isOurs)
          .flatMap((name) => (name === 'beside' ? [] : name.replace(/^bucket\//, ''))),
    }
  },
}

beforeEach(() => () => vi.unstubAllEnvs())

/** What the plan makes of a name, as if a file of it had been found. */
function planned(destination: Destination, prefix: string, name: string, isMended: boolean): PlannedFile {
  const { keyProblem } = destination.limits
  const fixName = isMended ? keyFixOf(destination.limits) : undefined
  const plan = createFilePlanner({
    settings: defaultSettings,
    lanes: [{ place: 'here', prefix, keyProblem, fixName }],
    run: () => expect.fail('no template'),
    uuid: () => expect.fail('no template'),
  })
  const candidate = { kind: 'found', path: name, absolute: '/nowhere', name } as const
  return plan({ candidate, size: 1, mtimeMs: 0, problem: undefined }, 1)
}

it('are many', () => {
  expect(new Set(hostileNames.map(({ name }) => name)).size).toBeGreaterThan(250)
})

const kinds = Object.keys(stores) as DestinationKind[]
const ways = kinds.flatMap((kind) => [[kind, false] as const, [kind, true] as const])

describe.each(ways)('hostile names at %s (--key-fix: %s)', (kind, isMended) => {
  it.runIf(kind !== 'file' || process.platform !== 'win32')('are stored under their keys, or nowhere', async () => {
    const { destination, read, everything } = await stores[kind]()
    const expected = new Map<string, Buffer>()
    for (const [at, hostile] of hostileNames.entries()) {
      // A directory has no prefix of its own: there, each name would meet those it shares a folder with.
      const prefix = isAlone(hostile) ? '' : `p${at}/`
      const file = planned(destination, prefix, hostile.name, isMended)
      const shown = JSON.stringify(hostile.name)
      if (!isStored(hostile, kind, isMended)) {
        expect(file.problem?.code, shown).toBe('KEY_INVALID')
        continue
      }
      expect(file.problem?.message, shown).toBeUndefined()
      if (!isMended) expect(file.key).toBe(prefix + hostile.key)
      else expect(nameOfKey(file.key.slice(prefix.length)), shown).toBe(hostile.name.normalize('NFC'))
      expect(file.key.startsWith(prefix)).toBe(true)
      expect(expected.has(file.key), shown).toBe(false)
      const bytes = Buffer.from(`${at} ${shown}`)
      expected.set(file.key, bytes)
      await destination.putObject({ key: file.key, contentType: 'a/b', partSize: 2 ** 23 }, bodyOf(bytes), aCall())
    }
    expect((await everything()).toSorted()).toEqual([...expected.keys()].toSorted())
    for (const [key, bytes] of expected) expect(Buffer.from((await read(key)) ?? []), key).toEqual(bytes)
  })
})

describe.runIf(process.platform !== 'win32')('a directory with links planted in it', () => {
  const segments = [
    ...['out', 'up', 'loop', 'broken', 'in', 'a', 'b', 'file', 'kept', 'new', '..', '..', '.', '', 'a\u0000', '=2E=2E'],
    ...['.upload-tmp', '%2e%2e', '..\\', '\uff0e\uff0e'],
  ]

  it.each([false, true])('lets no byte out (--key-fix: %s)', async (isMended) => {
    const temp = await makeTempDir()
    onTestFinished(temp.remove)
    const [root, outside] = [join(temp.path, 'bucket'), join(temp.path, 'outside')]
    await mkdir(join(root, 'real'), { recursive: true })
    await mkdir(join(outside, 'a'), { recursive: true })
    await writeFile(join(outside, 'kept'), 'kept')
    await writeFile(join(outside, 'a', 'kept'), 'kept')
    const links = { out: outside, up: '..', loop: 'loop', broken: '../nothing', in: 'real', file: '../outside/kept' }
    for (const [name, target] of Object.entries(links)) {
      await symlink(target, join(root, name))
      await symlink(join(outside, name), join(root, 'real', name))
    }
    const destination = openFileDestination({ url: `file:${root}/`, directory: `${root}/` })
    onTestFinished(() => destination.close())
    const random = randomFrom(isMended ? 5 : 6)
    const outcomes = { stored: 0, refused: 0 }
    for (let round = 0; round < 600; round += 1) {
      const name = Array.from({ length: 1 + random.below(4) }, () => random.oneOf(segments)).join('/')
      const { key, problem } = planned(destination, '', name, isMended)
      const object = { key, contentType: 'a/b', partSize: 4 }
      const stored =
        problem === undefined
          ? storeObject(destination, object, Buffer.from(random.below(2) === 0 ? 'new' : 'new, in parts'))
          : Promise.reject(problem)
      const outcome = await stored.catch((error: unknown) => error)
      if (outcome instanceof UploadError) expect(outcome.code, `${name}: ${outcome.message}`).toBe('KEY_INVALID')
      else expect(outcome).toMatchObject({ key })
      outcomes[outcome instanceof UploadError ? 'refused' : 'stored'] += 1
    }
    expect(await listFiles(outside)).toEqual(['a/kept', 'kept'])
    for (const name of ['kept', 'a/kept']) expect(await readFile(join(outside, name), 'utf8')).toBe('kept')
    expect((await readdir(temp.path)).toSorted()).toEqual(['bucket', 'outside'])
    expect(Math.min(outcomes.stored, outcomes.refused), JSON.stringify(outcomes)).toBeGreaterThan(20)
  })
})

/** What is refused at the top of a directory only. */
function isAlone({ name }: HostileName): boolean {
  return name.startsWith('.upload-tmp') && name !== '.upload-tmp2'
}

function isStored({ refusedBy, beyondMendingAt = [] }: HostileName, kind: DestinationKind, isMended: boolean): boolean {
  return !refusedBy.includes(kind) || (isMended && !beyondMendingAt.includes(kind))
}
