import { chmod, mkdir, readdir, readFile, readlink, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Destination, UnfinishedUpload } from '../../src/destinations/destination.ts'
import { openFileDestination } from '../../src/destinations/file/index.ts'
import { tempDir } from '../support/temp-dir.ts'
import { listFiles } from '../support/workspace.ts'
import { aCall, bodyOf, someBytes } from './bodies.ts'
import { anObject } from './destination-contract.ts'

const bytes = someBytes(1000)
let base: string
let root: string
let destination: Destination

beforeEach(async () => {
  base = await tempDir()
  root = join(base, 'bucket')
  destination = openFileDestination({ url: `file:${root}/`, directory: `${root}/` })
})

const put = (key: string) => destination.putObject(anObject(key), bodyOf(bytes), aCall())

describe('a key that leads out of the directory', () => {
  it.each(['../x', 'a/../../x', '..', '/etc/x', 'a//b', '.upload-tmp/x'])('%j is refused', async (key) => {
    await expect(put(key)).rejects.toMatchObject({ code: 'KEY_INVALID', retryable: false })
    await expect(destination.multipart?.create(anObject(key), aCall())).rejects.toMatchObject({ code: 'KEY_INVALID' })
    await expect(destination.headObject(key, aCall())).rejects.toMatchObject({ code: 'KEY_INVALID' })
    await expect(destination.deleteObject(key, undefined, aCall())).rejects.toMatchObject({ code: 'KEY_INVALID' })
    expect(await listFiles(base)).toEqual([])
  })

  it.each([
    ['a link out', 'out', 'out/x'],
    ['a link out, with directories to make below it', 'out', 'out/new/deep/x'],
    ['a link out below a directory', 'a/out', 'a/out/x'],
  ])('by %s is refused', async (_, link, key) => {
    const outside = join(base, 'outside')
    await mkdir(outside)
    await writeFile(join(outside, 'kept'), 'kept')
    await mkdir(join(root, link, '..'), { recursive: true })
    await symlink(outside, join(root, link))
    await expect(put(key)).rejects.toMatchObject({ code: 'KEY_INVALID' })
    await expect(put(key)).rejects.toThrow('symbolic link')
    const below = `${link}/kept`
    await expect(destination.headObject(below, aCall())).rejects.toMatchObject({ code: 'KEY_INVALID' })
    await expect(destination.deleteObject(below, undefined, aCall())).rejects.toMatchObject({ code: 'KEY_INVALID' })
    expect(await listFiles(outside)).toEqual(['kept'])
  })

  it('by a link planted between two files is refused', async () => {
    await put('a/first')
    const outside = join(base, 'outside')
    await mkdir(outside)
    await symlink(outside, join(root, 'b'))
    await expect(put('b/second')).rejects.toMatchObject({ code: 'KEY_INVALID' })
    expect(await readdir(outside)).toEqual([])
  })

  it('by a broken link is refused', async () => {
    await mkdir(root)
    await symlink(join(base, 'nowhere'), join(root, 'broken'))
    await expect(put('broken/x')).rejects.toMatchObject({ code: 'KEY_INVALID' })
    expect(await readdir(base)).toEqual(['bucket'])
  })

  it('by a link in a circle is refused', async () => {
    await mkdir(root)
    await symlink('round', join(root, 'round'))
    await expect(put('round/x')).rejects.toMatchObject({ code: 'KEY_INVALID' })
  })

  it('by way of the temporary directory is refused', async () => {
    const outside = join(base, 'outside')
    await mkdir(outside)
    await mkdir(root)
    await symlink(outside, join(root, '.upload-tmp'))
    await expect(put('x')).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
    expect(await readdir(outside)).toEqual([])
  })
})

describe('a link in the directory', () => {
  it('to a place inside is followed', async () => {
    await mkdir(join(root, 'real'), { recursive: true })
    await symlink('real', join(root, 'alias'))
    await put('alias/x')
    expect(await readFile(join(root, 'real/x'))).toEqual(bytes)
  })

  it('that is an object is replaced, not followed', async () => {
    const outside = join(base, 'outside')
    await writeFile(outside, 'kept')
    await mkdir(root)
    await symlink(outside, join(root, 'x'))
    expect(await destination.headObject('x', aCall())).toBeUndefined()
    await put('x')
    expect(await readFile(outside, 'utf8')).toBe('kept')
    expect(await readFile(join(root, 'x'))).toEqual(bytes)
  })

  it('is neither listed nor taken for a directory', async () => {
    await put('a/x')
    await symlink('a', join(root, 'alias'))
    const keys: string[] = []
    for await (const { key } of destination.listObjects?.('', aCall()) ?? []) keys.push(key)
    expect(keys).toEqual(['a/x'])
  })
})

describe('a place that is taken', () => {
  it('by a directory is refused', async () => {
    await mkdir(join(root, 'taken'), { recursive: true })
    await expect(put('taken')).rejects.toMatchObject({ code: 'KEY_INVALID', retryable: false })
    await expect(put('taken')).rejects.toThrow('a directory of that name')
    await expect(destination.multipart?.create(anObject('taken'), aCall())).rejects.toMatchObject({
      code: 'KEY_INVALID',
    })
    await destination.deleteObject('taken', undefined, aCall())
    expect((await stat(join(root, 'taken'))).isDirectory()).toBe(true)
    await destination.close()
    expect(await readdir(root)).toEqual(['taken'])
  })

  it('by a file where a directory is needed is refused', async () => {
    await put('a')
    await expect(put('a/b')).rejects.toMatchObject({ code: 'KEY_INVALID' })
    await expect(put('a/b/c')).rejects.toThrow('a file where this needs a directory')
    await expect(destination.multipart?.create(anObject('a/b'), aCall())).rejects.toMatchObject({ code: 'KEY_INVALID' })
    const unread = { ...bodyOf(bytes), open: () => expect.fail('the body is not to be read') }
    await expect(destination.putObject(anObject('a/b'), unread, aCall())).rejects.toMatchObject({ code: 'KEY_INVALID' })
    expect(await destination.headObject('a/b', aCall())).toBeUndefined()
    expect(await readFile(join(root, 'a'))).toEqual(bytes)
  })

  it.each(['', '/below'])("by a file instead of the bucket is the bucket's fault (%s)", async (below) => {
    await writeFile(root, 'a file')
    const there = openFileDestination({ url: 'file:x/', directory: `${root}${below}/` })
    await expect(there.putObject(anObject('k'), bodyOf(bytes), aCall())).rejects.toMatchObject({
      code: 'BUCKET_NOT_FOUND',
    })
    await there.close()
  })
})

describe('the bucket', () => {
  it('is made by the first object, not before', async () => {
    expect(await destination.headObject('k', aCall())).toBeUndefined()
    for await (const found of destination.listObjects?.('', aCall()) ?? []) throw new Error(found.key)
    await destination.deleteObject('k', undefined, aCall())
    await destination.close()
    expect(await readdir(base)).toEqual([])
    await put('deep/k')
    expect(await listFiles(root)).toEqual(['deep/k'])
  })

  it('may be reached by a link', async () => {
    await mkdir(join(base, 'real'))
    await symlink('real', root)
    await put('a/k')
    expect(await readFile(join(base, 'real/a/k'))).toEqual(bytes)
    expect(await readlink(root)).toBe('real')
  })

  it('keeps nothing temporary once it is closed', async () => {
    await put('k')
    await destination.close()
    expect(await readdir(root)).toEqual(['k'])
    await destination.close()
  })

  it('keeps what another process is writing when it is closed', async () => {
    const upload = await destination.multipart?.create(anObject('k'), aCall())
    await upload?.uploadPart(1, bodyOf(bytes), aCall())
    const other = openFileDestination({ url: 'file:x/', directory: root })
    await other.putObject(anObject('other'), bodyOf(bytes), aCall())
    await other.close()
    await upload?.complete(await upload.listParts(aCall()), aCall())
    expect(await readFile(join(root, 'k'))).toEqual(bytes)
  })

  it('makes its temporary directory again where another process has removed it', async () => {
    const other = openFileDestination({ url: 'file:x/', directory: root })
    await put('a')
    await other.putObject(anObject('b'), bodyOf(bytes), aCall())
    await other.close()
    await put('c')
    expect(await listFiles(root)).toEqual(['a', 'b', 'c'])
  })

  const isRoot = process.getuid?.() === 0
  it.skipIf(isRoot || process.platform === 'win32')(
    `that may not be written says so${isRoot ? ' (skipped: root may write everywhere)' : ''}`,
    async () => {
      await mkdir(root)
      await chmod(root, 0o500)
      await expect(put('k')).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
      await chmod(root, 0o700)
    },
  )
})

it('never shows a half-written object', async () => {
  await put('k')
  const seen: number[] = []
  const body = bodyOf(someBytes(500_000))
  const watched = {
    ...body,
    async *open() {
      for await (const piece of body.open()) {
        seen.push((await stat(join(root, 'k'))).size)
        yield piece
      }
    },
  }
  await destination.putObject(anObject('k'), watched, aCall())
  expect(new Set(seen)).toEqual(new Set([1000]))
  expect((await stat(join(root, 'k'))).size).toBe(500_000)
})

describe('what is left in the directory of temporary files', () => {
  const list = async () => {
    const found: UnfinishedUpload[] = []
    for await (const upload of destination.multipart?.list?.('', aCall()) ?? []) found.push(upload)
    return found
  }
  const name = '0b5c1f6e-8a52-4f1f-9d6a-3d1f1f6b8a01'
  const temporary = (name: string) => join(root, '.upload-tmp', name)

  it('is listed with size and age, also where it was written as a whole or has lost its file', async () => {
    await mkdir(join(root, '.upload-tmp'), { recursive: true })
    await writeFile(temporary(name), bytes)
    await writeFile(temporary(`${name.slice(0, -1)}2.parts`), '\n{"key":"a/k","partSize":1000}\n')
    const begun = new Date(Date.UTC(2026, 10, 20))
    await utimes(temporary(name), begun, begun)
    const [whole, log, ...others] = await list()
    expect(whole).toEqual({ key: undefined, uploadId: name, initiatedAt: begun, size: 1000 })
    expect(log).toMatchObject({ key: 'a/k', uploadId: `${name.slice(0, -1)}2`, size: 0 })
    expect(others).toEqual([])
    if (whole !== undefined && log !== undefined) {
      await destination.multipart?.remove?.(whole, aCall())
      await destination.multipart?.remove?.(log, aCall())
    }
    expect(await listFiles(root)).toEqual([])
  })

  it('leaves alone what is not named as this program names it', async () => {
    await mkdir(join(root, '.upload-tmp', 'directory'), { recursive: true })
    await writeFile(temporary('notes.txt'), 'mine')
    expect(await list()).toEqual([])
    await destination.multipart?.remove?.({ key: 'k', uploadId: 'notes.txt', initiatedAt: new Date(0) }, aCall())
    await destination.multipart?.remove?.({ key: 'k', uploadId: '../x', initiatedAt: new Date(0) }, aCall())
    expect(await listFiles(root)).toEqual(['.upload-tmp/notes.txt'])
  })

  it('is not looked for behind a symbolic link', async () => {
    await mkdir(join(base, 'outside'))
    await mkdir(root)
    await writeFile(join(base, 'outside', name), bytes)
    await symlink(join(base, 'outside'), join(root, '.upload-tmp'))
    expect(await list()).toEqual([])
  })

  it('is none where there is no such directory', async () => {
    expect(await list()).toEqual([])
    await mkdir(root)
    expect(await list()).toEqual([])
    expect(await listFiles(root)).toEqual([])
  })
})
