import { execFileSync } from 'node:child_process'
import { mkdir, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { UploadError } from '../../../../src/errors.ts'
import type { Candidate } from '../../../../src/plan/sources/candidate.ts'
import { examine } from '../../../../src/plan/sources/examine.ts'
import { notes, posix, tree } from '../tree.ts'

const found = (dir: string, name: string): Candidate => ({ kind: 'found', path: name, absolute: join(dir, name), name })

it('a file has a size and a time', async () => {
  const dir = await tree('a.wav=12345')
  await utimes(join(dir, 'a.wav'), 0, 1_700_000_000.25)
  const candidate = found(dir, 'a.wav')
  expect(await examine(candidate, notes())).toEqual({
    candidate,
    size: 5,
    mtimeMs: 1_700_000_000_250,
    problem: undefined,
  })
})

it('an empty file is one', async () => {
  expect(await examine(found(await tree('a='), 'a'), notes())).toMatchObject({ size: 0, problem: undefined })
})

it('a directory is left out without a word', async () => {
  const told = notes()
  expect(await examine(found(await tree('a/'), 'a'), told)).toBeUndefined()
  expect(told.warnings).toEqual([])
})

it.each([
  ['gone', 'SOURCE_NOT_FOUND', 'no such file'],
  ['file/x', 'SOURCE_NOT_FOUND', 'no such file'],
  ['nul\u0000', 'SOURCE_UNREADABLE', 'ERR_INVALID_ARG_VALUE'],
])('%j cannot be looked at', async (name, code, said) => {
  const dir = await tree('file')
  const examined = await examine({ ...found(dir, ''), absolute: `${dir}/${name}` }, notes())
  expect(examined).toMatchObject({ size: undefined, mtimeMs: undefined, problem: { code } })
  expect(examined?.problem?.message).toContain(said)
})

it.each<Candidate>([
  { kind: 'stdin', path: '-', absolute: '-', name: 'stdin' },
  { kind: 'problem', path: 'x', absolute: '/x', name: 'x', problem: new UploadError('SOURCE_UNREADABLE', 'no') },
  { kind: 'missing', path: 'x', absolute: '/x', name: 'x', problem: new UploadError('SOURCE_NOT_FOUND', 'no') },
])('$kind is not looked at', async (candidate) => {
  const { problem } = candidate
  expect(await examine(candidate, notes())).toEqual({ candidate, size: undefined, mtimeMs: undefined, problem })
})

describe.runIf(posix)('links, special files and odd names', () => {
  it('a link has the size of its file', async () => {
    const dir = await tree('a=12345')
    await symlink('a', join(dir, 'link'))
    expect(await examine(found(dir, 'link'), notes())).toMatchObject({ size: 5 })
  })

  it('a link to a directory is left out', async () => {
    const dir = await tree('a/')
    await symlink('a', join(dir, 'link'))
    expect(await examine(found(dir, 'link'), notes())).toBeUndefined()
  })

  it.each([
    ['gone', 'SOURCE_NOT_FOUND', 'broken link'],
    ['link', 'SOURCE_UNREADABLE', 'circle'],
  ])('a link to %s', async (target, code, said) => {
    const dir = await tree()
    await symlink(target, join(dir, 'link'))
    const examined = await examine(found(dir, 'link'), notes())
    expect(examined?.problem?.code).toBe(code)
    expect(examined?.problem?.message).toContain(said)
  })

  it('a FIFO is left out with a warning', async () => {
    const dir = await tree()
    execFileSync('mkfifo', [join(dir, 'pipe')])
    const told = notes()
    expect(await examine(found(dir, 'pipe'), told)).toBeUndefined()
    expect(told.warnings).toEqual(['pipe is not a regular file; skipped'])
  })

  it('a name that is not UTF-8 says so', async () => {
    const dir = await tree()
    await mkdir(join(dir, 'sub'))
    const written = await writeFile(Buffer.concat([Buffer.from(`${dir}/sub/caf`), Buffer.from([0xe9])]), 'x').then(
      () => true,
      () => false,
    )
    if (!written) {
      console.log('Not tried: this file system takes no names that are not UTF-8.')
      return
    }
    const examined = await examine(found(dir, 'sub/caf\ufffd'), notes())
    expect(examined?.problem).toMatchObject({ code: 'KEY_INVALID' })
    expect(examined?.problem?.message).toContain('not valid UTF-8')
  })

  it('a name with a real U+FFFD is a name', async () => {
    const dir = await tree('caf\ufffd=123')
    expect(await examine(found(dir, 'caf\ufffd'), notes())).toMatchObject({ size: 3, problem: undefined })
  })
})
