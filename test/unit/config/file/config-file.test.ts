import { chmod, chown, mkdir, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ConfigSearch, readConfigFile, trustProblem } from '../../../../src/config/file/config-file.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const windows = process.platform === 'win32'
const uid = process.getuid?.()
let root: string
let search: ConfigSearch

/** A home directory with a repository in it, and a working directory in that. */
beforeEach(async () => {
  root = await tempDir()
  const home = join(root, 'home')
  const cwd = join(home, 'repo', 'a', 'b')
  await mkdir(cwd, { recursive: true })
  search = { cwd, home, uid }
})

async function put(folder: string, text = `{"to": "${folder}"}`): Promise<string> {
  const path = join(root, folder, '.uploadrc.json')
  await writeFile(path, text)
  await chmod(path, 0o644)
  return path
}

describe('the search', () => {
  it('finds none', async () => {
    await put('.')
    expect(await readConfigFile(search)).toBeUndefined()
  })

  it('takes the nearest', async () => {
    await put('home')
    await put('home/repo')
    const path = await put('home/repo/a')
    expect(await readConfigFile(search)).toEqual({ path, named: false, json: { to: 'home/repo/a' }, faults: [] })
  })

  it('takes that of the working directory before all', async () => {
    await put('home/repo/a')
    const path = await put('home/repo/a/b')
    expect(await readConfigFile(search)).toMatchObject({ path })
  })

  it('looks into the home directory, and no further', async () => {
    const beyond = await put('.')
    expect(await readConfigFile(search)).toBeUndefined()
    const path = await put('home')
    expect(await readConfigFile(search)).toMatchObject({ path })
    // With the home directory elsewhere it goes on.
    expect(await readConfigFile({ ...search, cwd: root, home: '/nowhere' })).toMatchObject({ path: beyond })
  })

  it.each(['directory', 'file'])("looks into the repository's root, and no further (.git is a %s)", async (kind) => {
    const git = join(root, 'home', 'repo', '.git')
    await (kind === 'file' ? writeFile(git, 'gitdir: x') : mkdir(git))
    await put('home')
    expect(await readConfigFile(search)).toBeUndefined()
    const path = await put('home/repo')
    expect(await readConfigFile(search)).toMatchObject({ path })
  })

  it.each([['/nowhere'], [undefined]])("ends at the file system's root where the home is %s", async (home) => {
    const found = await readConfigFile({ ...search, home })
    expect(found?.path.startsWith(join(root, 'home')) ?? false).toBe(false)
  })

  it.skipIf(windows)('knows a home directory that is reached by a link', async () => {
    await put('.')
    await symlink(join(root, 'home'), join(root, 'link'))
    expect(await readConfigFile({ ...search, home: join(root, 'link') })).toBeUndefined()
  })

  it('refuses what is no regular file', async () => {
    const path = join(search.cwd, '.uploadrc.json')
    await mkdir(path)
    expect(await readConfigFile(search)).toEqual({ path, named: false, faults: [`${path}: is not a regular file`] })
  })
})

describe('trust in a file that was found', () => {
  const mine = { uid: 1000, mode: 0o100644 }
  const another = { uid: 1001, mode: 0o100644 }
  const roots = { uid: 0, mode: 0o100644 }
  it.each([
    ['mine', mine, mine, 1000, undefined],
    ["root's", roots, roots, 1000, undefined],
    ['writable by my group', { ...mine, mode: 0o100664 }, mine, 1000, undefined],
    ["another's", another, another, 1000, 'belongs to another user'],
    ["another's, for root", another, another, 0, 'belongs to another user'],
    ["another's link to mine", mine, another, 1000, 'belongs to another user'],
    ["my link to another's", another, mine, 1000, 'belongs to another user'],
    ['writable by everybody', { ...mine, mode: 0o100646 }, mine, 1000, 'is writable by everybody'],
    ['a link, whose mode says nothing', mine, { ...mine, mode: 0o120777 }, 1000, undefined],
    ["anybody's, where there are no owners", { ...another, mode: 0o100666 }, another, undefined, undefined],
  ])('%s', (_name, owner, link, user, problem) => {
    const said = trustProblem(owner, link, user)
    expect(said).toEqual(problem === undefined ? undefined : expect.stringContaining(problem))
  })

  it.skipIf(windows)('is asked of the file itself', async () => {
    const path = await put('home/repo')
    await chmod(path, 0o646)
    const refused = await readConfigFile(search)
    expect(refused?.faults).toEqual([
      expect.stringMatching(/^.*\/home\/repo\/\.uploadrc\.json: is writable by everybody/),
    ])
    expect(refused).not.toHaveProperty('json')
    // Whoever names it has looked at it.
    expect(await readConfigFile({ ...search, named: { path, from: '--config' } })).toMatchObject({ faults: [] })
  })

  it.skipIf(windows)('is not given to another user', async () => {
    const path = await put('home/repo')
    if (uid === 0) await chown(path, 12_345, 12_345)
    const user = (await stat(path)).uid + 1
    expect((await readConfigFile({ ...search, uid: user }))?.faults).toEqual([
      expect.stringContaining('belongs to another user'),
    ])
  })
})

describe('a named file', () => {
  it('is relative to the working directory, and keeps the search from happening', async () => {
    await put('home/repo/a/b')
    await writeFile(join(search.cwd, '..', 'my.json'), '\ufeff{"to": "mine"}')
    expect(await readConfigFile({ ...search, named: { path: '../my.json', from: '--config' } })).toEqual({
      path: join(search.cwd, '..', 'my.json'),
      named: true,
      json: { to: 'mine' },
      faults: [],
    })
  })

  it.each([
    ['missing.json', 'no such file'],
    ['.', 'is a directory, not a file'],
    ['a\0b', 'cannot be read (ERR_INVALID_ARG_VALUE)'],
  ])('%j cannot be read', async (name, problem) => {
    const file = await readConfigFile({ ...search, named: { path: name, from: 'UPLOAD_CONFIG' } })
    expect(file?.faults).toEqual([expect.stringMatching(/^UPLOAD_CONFIG: /)])
    expect(file?.faults[0]).toContain(problem)
  })
})

it.each([
  [
    '{\n  "to": "s3://b/",\n}',
    '3:1: not valid JSON: expected a key in double quotes (no comments, no trailing commas)',
  ],
  ['\ufeff{,', '1:2: not valid JSON: expected a key in double quotes (no comments, no trailing commas)'],
  ['', '1:1: not valid JSON: expected a value (no comments, no trailing commas)'],
  ['{"secretAccessKey": hunter2}', '1:21: not valid JSON: expected a value (no comments, no trailing commas)'],
])('%j is refused with line and column', async (text, message) => {
  const path = await put('home', text)
  expect(await readConfigFile(search)).toEqual({ path, named: false, faults: [`${path}:${message}`] })
})
