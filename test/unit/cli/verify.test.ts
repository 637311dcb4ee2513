import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { beforeEach, describe, expect, it } from 'vitest'
import { runVerify } from '../../../src/cli/verify.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { type FakeHost, fakeHost } from './fake-host.ts'

let cwd: string
let host: FakeHost

const names = ['a.wav', 'b.wav', 'c.wav']
const run = { type: 'run', runId: 'r', invocation: 1, to: 'file:./out/', config: {} }

/** Three objects, and the report of the run that sent them. */
beforeEach(async () => {
  cwd = await tempDir()
  host = fakeHost({ cwd: '/nowhere/else', home: cwd })
  await mkdir(join(cwd, 'out'))
  for (const name of names) await writeFile(join(cwd, 'out', name), `bytes of ${name}`)
  await report([{ ...run, cwd }, ...names.map(fileLine)])
})

function fileLine(name: string): object {
  const bytes = Buffer.from(`bytes of ${name}`)
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(bytes))
  const checksum = { algorithm: 'crc32', value: sum.toString('base64') }
  return { type: 'file', path: `in/${name}`, key: name, size: bytes.length, status: 'uploaded', checksum }
}

const report = (lines: readonly object[]) =>
  writeFile(join(cwd, 'r.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
const verify = (...args: string[]) => runVerify([join(cwd, 'r.jsonl'), ...args], host)

describe('upload verify', () => {
  it('finds everything as it was uploaded, from wherever it is asked', async () => {
    expect(await verify()).toBe(0)
    expect(host.stdout.text()).toBe('as uploaded    3\ndifferent      0\n')
    expect(host.stderr.text()).toBe(`upload: 3 objects as uploaded at file:${cwd}/out/\n`)
  })

  it('finds what is gone, of another size, or of other bytes', async () => {
    await rm(join(cwd, 'out', 'a.wav'))
    await writeFile(join(cwd, 'out', 'b.wav'), 'short')
    await writeFile(join(cwd, 'out', 'c.wav'), 'bytes of C.wav')
    expect(await verify()).toBe(5)
    const lines = host.stdout.text().split('\n')
    expect(lines.slice(0, 2)).toEqual(['as uploaded    0', 'different      3'])
    expect(lines.slice(2).toSorted()).toEqual([
      '',
      '  in/a.wav → a.wav: missing',
      '  in/b.wav → b.wav: size is 5 bytes, was 14 bytes',
      expect.stringMatching(/^ {2}in\/c.wav → c.wav: checksum is crc32 \S+, was crc32 \S+$/),
    ])
    expect(host.stderr.text()).toContain('0 of 3 objects as uploaded')
  })

  it('names the first differences alone, all with -v', async () => {
    const many = Array.from({ length: 12 }, (_, at) => fileLine(`gone-${at}.wav`))
    await report([{ ...run, cwd }, ...many])
    expect(await verify()).toBe(5)
    expect(host.stdout.text()).toContain('  … and 2 more (-v or --json shows all)\n')
    expect(host.stdout.text().match(/missing/g)).toHaveLength(10)
    host = fakeHost({ cwd, home: cwd })
    expect(await verify('-v', '-q')).toBe(5)
    expect(host.stdout.text().match(/missing/g)).toHaveLength(12)
    expect(host.stderr.text()).toBe('')
  })

  it('says it where there was nothing but the size to go by', async () => {
    await report([{ ...run, cwd }, { ...fileLine('a.wav'), checksum: undefined }, fileLine('b.wav')])
    expect(await verify()).toBe(0)
    expect(host.stdout.text()).toBe('as uploaded    1\nby size alone  1\ndifferent      0\n')
  })

  it('prints a line an object in JSON', async () => {
    await rm(join(cwd, 'out', 'b.wav'))
    expect(await verify('--json')).toBe(5)
    const lines = host.stdout
      .text()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const destination = `file:${cwd}/out/`
    expect(lines.toSorted((a, b) => a.key.localeCompare(b.key))).toEqual([
      { type: 'verified', path: 'in/a.wav', key: 'a.wav', destination, result: 'same', compared: 'checksum' },
      { type: 'verified', path: 'in/b.wav', key: 'b.wav', destination, result: 'different', what: 'missing' },
      { type: 'verified', path: 'in/c.wav', key: 'c.wav', destination, result: 'same', compared: 'checksum' },
    ])
  })

  it('does not expect what a later invocation took back', async () => {
    await report([{ ...run, cwd }, ...names.map(fileLine), { ...fileLine('b.wav'), status: 'undone' }])
    await rm(join(cwd, 'out', 'b.wav'))
    expect(await verify()).toBe(0)
  })

  it('cannot say anything of what it may not ask for', async () => {
    await report([{ ...run, cwd }, { ...fileLine('a.wav'), key: '../a.wav' }, fileLine('b.wav')])
    expect(await verify('--json')).toBe(3)
    expect(host.stdout.text()).toContain('"result":"unknown","error":{"code":"KEY_INVALID"')
  })

  it('says it where there was nothing to look for', async () => {
    await report([
      { ...run, cwd },
      { ...fileLine('a.wav'), status: 'failed' },
    ])
    expect(await verify()).toBe(0)
    expect(host.stderr.text()).toMatch(/^upload: the report names no uploaded object: nothing was looked for at file:/)
  })

  it('does not pass over lines it cannot read, but for those of invocations that were continued', async () => {
    const [first, second, third] = names.map((name) => JSON.stringify(fileLine(name)))
    const begin = JSON.stringify({ ...run, cwd })
    const torn = (first ?? '').slice(0, 30)
    await writeFile(join(cwd, 'r.jsonl'), [begin, first, torn, second, ''].join('\n'))
    expect(await verify('-q')).toBe(3)
    expect(host.stderr.text()).toBe('upload: the report cannot be read in full: 1 line of it was not looked at\n')
    host = fakeHost({ cwd, home: cwd })
    await writeFile(join(cwd, 'r.jsonl'), [begin, torn, torn, begin, first, '', second, third, torn].join('\n'))
    expect(await verify()).toBe(0)
    expect(host.stderr.text()).toBe(`upload: 3 objects as uploaded at file:${cwd}/out/\n`)
  })

  it.each([
    ['no report', [{ type: 'file' }], /no journal or .jsonl report/],
    ['two runs', [run, { ...run, runId: 's' }], /more than one run \(r, s\)/],
    ['no destination', [{ ...run, cwd: '/', to: 'ftp://x' }], /names none that can be reached/],
  ])('refuses %s', async (_, lines, message) => {
    await report(lines)
    await expect(verify()).rejects.toThrow(message)
  })

  it('refuses a file that is not there', async () => {
    await expect(runVerify(['none.jsonl'], host)).rejects.toThrow(/none.jsonl cannot be read \(ENOENT\)/)
  })
})
