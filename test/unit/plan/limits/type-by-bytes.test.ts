import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { typeOfFile, typeOfHead } from '../../../../src/plan/limits/type-by-bytes.ts'
import { files } from '../../../support/file-heads.ts'
import { tree } from '../tree.ts'

const damaged = 'what is further in makes no sense'
const failures = vi.hoisted(() => ({ head: [] as string[], further: [] as string[] }))

function failure(code: string): Error {
  return Object.assign(new Error(code), { code, syscall: 'open' })
}

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>()
  const open = ((path: string, flags: string, done: (error: Error | null, fd: number) => void) => {
    const code = failures.head.shift()
    if (code === undefined) fs.open(path, flags, done)
    else done(failure(code), 0)
  }) as typeof fs.open
  return { ...fs, open }
})

vi.mock('file-type', async (original) => {
  const library = await original<typeof import('file-type')>()
  const fileTypeFromFile: typeof library.fileTypeFromFile = async (path) => {
    const code = failures.further.shift()
    if (code !== undefined) throw code === damaged ? new Error(code) : failure(code)
    return library.fileTypeFromFile(path)
  }
  const fileTypeFromBuffer: typeof library.fileTypeFromBuffer = async (bytes) => {
    if (bytes.byteLength === 3) throw new Error(damaged)
    return library.fileTypeFromBuffer(bytes)
  }
  return { ...library, fileTypeFromFile, fileTypeFromBuffer }
})

vi.mock('../../../../src/plan/sources/crowded.ts', async (original) => {
  const { unlessCrowded } = await original<typeof import('../../../../src/plan/sources/crowded.ts')>()
  return { unlessCrowded: (open: () => Promise<unknown>) => unlessCrowded(open, async () => {}) }
})

async function archive(): Promise<{ path: string; size: number }> {
  const bytes = Buffer.concat([files.zip, Buffer.alloc(10_000)])
  const path = join(await tree(), 'a.zip')
  await writeFile(path, bytes)
  return { path, size: bytes.length }
}

it('is told a little later where too many files are open at the moment', async () => {
  const { path, size } = await archive()
  failures.head.push('EMFILE', 'ENFILE')
  failures.further.push('EMFILE')
  expect(await typeOfFile(path, size)).toEqual({ type: 'application/zip', isText: false })
  expect(failures).toEqual({ head: [], further: [] })
})

it.each(['head', 'further'] as const)('is not guessed where the file cannot be read (%s)', async (where) => {
  const { path, size } = await archive()
  failures[where].push('EIO')
  await expect(typeOfFile(path, size)).rejects.toMatchObject({ code: 'EIO' })
})

it('is what a file begins as where nobody makes sense of what is further in', async () => {
  const { path, size } = await archive()
  failures.further.push(damaged)
  expect(await typeOfFile(path, size)).toEqual({ type: 'application/zip', isText: false })
})

it('is unknown where nobody makes sense of the beginning', async () => {
  expect(await typeOfHead(Buffer.from([0, 1, 2]), true)).toEqual({ type: 'application/octet-stream', isText: false })
})
