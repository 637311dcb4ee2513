import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { beforeEach, describe, expect, it } from 'vitest'
import { runCleanup } from '../../../src/cli/cleanup.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { type FakeHost, fakeHost, fakeOutput } from './fake-host.ts'

const hour = 3_600_000
const names = ['1', '2', '3'].map((digit) => `0b5c1f6e-8a52-4f1f-9d6a-3d1f1f6b8a0${digit}`)
const [old = '', older = '', young = ''] = names
let cwd: string
let host: FakeHost

/** A directory with temporary files of 30 hours, 5 days and one hour. */
beforeEach(async () => {
  cwd = await tempDir()
  host = fakeHost({ cwd, home: cwd })
  await mkdir(join(cwd, 'out', '.upload-tmp'), { recursive: true })
  await leave(old, 30 * hour, '{"key":"a\\u001b.wav","partSize":1000}\n')
  await leave(older, 125 * hour)
  await leave(young, hour)
})

async function leave(name: string, ageMs: number, log?: string): Promise<void> {
  const path = join(cwd, 'out', '.upload-tmp', name)
  const time = new Date(Date.now() - ageMs)
  await writeFile(path, 'x'.repeat(2000))
  await utimes(path, time, time)
  if (log === undefined) return
  await writeFile(`${path}.parts`, log)
  await utimes(`${path}.parts`, time, time)
}

const left = async () => (await readdir(join(cwd, 'out'), { recursive: true })).filter((name) => name.includes('0b5c'))
const all = [young, old, `${old}.parts`, older].map((name) => `.upload-tmp/${name}`).toSorted()
const clean = (...args: string[]) => runCleanup([`file:${join(cwd, 'out')}/`, ...args], host)

/** A terminal on which somebody types an answer. */
function terminal(answer: string): FakeHost {
  const stdin = new PassThrough()
  stdin.write(answer)
  const stderr = fakeOutput({ isTTY: true })
  return { ...fakeHost({ cwd, home: cwd, stderr }), stdin: () => Object.assign(stdin, { isTTY: true }) }
}

describe('upload cleanup', () => {
  it('shows its plan and does nothing without a yes', async () => {
    await expect(clean()).rejects.toThrow(/nothing was done.*--yes/)
    expect(host.stdout.text().split('\n')).toEqual([
      '(temporary file)  upload 0b5c1f6e-8a…  5d old  2.0 kB',
      'a\\x1b.wav  upload 0b5c1f6e-8a…  1d old  2.0 kB',
      '',
    ])
    expect(host.stderr.text()).toMatch(
      /2 unfinished uploads left behind, 4.0 kB in file:.*; 1 unfinished upload younger than 1d left alone/,
    )
    expect((await left()).toSorted()).toEqual(all)
  })

  it('removes what is older, with --yes', async () => {
    expect(await clean('--yes')).toBe(0)
    expect(host.stderr.text()).toContain('2 unfinished uploads removed\n')
    expect(await left()).toEqual([`.upload-tmp/${young}`])
  })

  it.each([
    ['y\n', 0, [`.upload-tmp/${young}`]],
    ['n\n', 2, all],
    ['\n', 2, all],
  ])('asks on a terminal: %j', async (answer, code, remaining) => {
    host = terminal(answer)
    expect(await clean()).toBe(code)
    expect(host.stderr.text()).toContain('Remove 2 unfinished uploads for good? [y/N]')
    expect((await left()).toSorted()).toEqual(remaining)
  })

  it('goes by --older-than', async () => {
    expect(await clean('--yes', '--older-than', '4d')).toBe(0)
    expect((await left()).toSorted()).toEqual(all.filter((name) => !name.includes(older)))
  })

  it('warns where runs that go on now may be hit', async () => {
    expect(await clean('--yes', '--older-than', '0')).toBe(0)
    expect(host.stderr.text()).toContain('--older-than 0 removes what runs are sending at this moment, too')
    expect(await left()).toEqual([])
  })

  it('is quiet with -q, but for what has to be known', async () => {
    expect(await clean('--yes', '-q', '--older-than', '0')).toBe(0)
    expect(host.stderr.text()).toBe('upload: --older-than 0 removes what runs are sending at this moment, too\n')
  })

  it('has nothing to ask where nothing is left behind', async () => {
    expect(await clean('--older-than', '7d')).toBe(0)
    expect(host.stdout.text()).toBe('')
    expect(host.stderr.text()).toMatch(
      /^upload: nothing left behind in file:.*3 unfinished uploads younger than 7d left/,
    )
    expect(await runCleanup([`file:${join(cwd, 'never')}/`], host)).toBe(0)
    expect(await readdir(cwd)).toEqual(['out'])
  })

  it('says each upload in JSON', async () => {
    expect(await clean('--yes', '--json', '-q')).toBe(0)
    const lines = host.stdout
      .text()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(new Set(lines.map(({ uploadId }) => uploadId))).toEqual(new Set([old, older]))
    for (const line of lines) expect(line).toMatchObject({ type: 'unfinished-upload', size: 2000, status: 'removed' })
    expect(host.stderr.text()).toBe('')
  })

  it('says its plan in JSON where it may not act', async () => {
    await expect(clean('--json')).rejects.toThrow(/nothing was done/)
    const lines = host.stdout
      .text()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.map(({ status, key }) => [status, key])).toEqual([
      ['found', null],
      ['found', 'a\u001b.wav'],
    ])
  })

  it.each([
    [['s3://b/', 'file:./x/'], /too many arguments/],
    [['./out'], /destination: found ".\/out", expected s3/],
    [['file:./x/', '--older-than', '7'], /--older-than: found "7", expected a duration/],
    [['supabase://b/'], /^destination: Supabase does not list unfinished resumable uploads; it removes them by itself/],
    [['s3://b/', '--supabase-url', 'https://p.supabase.co'], /^--supabase-url: has no effect for s3:/],
    [['s3://user@b/', '--older-than', 'x'], /credentials come from the environment.*\n.*--older-than/],
  ])('refuses %j', async (args, message) => {
    await expect(runCleanup(args, host)).rejects.toThrow(message)
  })

  it('has a help of its own', async () => {
    expect(await runCleanup(['--help'], host)).toBe(0)
    expect(host.stdout.text()).toMatch(/--older-than <TIME>[\s\S]*--yes/)
  })
})
