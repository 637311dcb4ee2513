import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseCommandLine } from '../support/command-line.ts'
import { parseCsv, readCsv } from '../support/csv.ts'
import { bytes, kinds, writeContents } from '../support/data-set.ts'
import { parseNdjson } from '../support/journal.ts'
import { tempDir } from '../support/temp-dir.ts'

/** What the other tests lean on: were it lenient, they would prove nothing. */
describe('command lines', () => {
  it('are taken apart as a shell does', () => {
    expect(parseCommandLine(`A=b\\ c upload 'x y' "" a\\*b "it's" '"'`)).toEqual({
      env: { A: 'b c' },
      args: ['x y', '', 'a*b', "it's", '"'],
    })
    expect(() => parseCommandLine(`upload 'x`)).toThrow()
    expect(() => parseCommandLine('aws s3 cp x y')).toThrow()
  })
})

describe('the CSV reader', () => {
  it('reads what RFC 4180 allows', () => {
    expect(readCsv('a,b\r\n"x,""y""\nz",\r\n')).toEqual([{ a: 'x,"y"\nz', b: '' }])
    expect(parseCsv('a\nb')).toEqual([['a'], ['b']])
  })
  for (const bad of ['a,b\r\nx\r\n', 'a"b\r\n', '"a"b\r\n', '"a\r\n', 'a\rb\r\n']) {
    it(`refuses ${JSON.stringify(bad)}`, () => expect(() => parseCsv(bad)).toThrow())
  }
})

describe('the NDJSON reader', () => {
  for (const bad of ['{"type":"run"}', 'x\n', '{}\n', '[]\n', '{"type":"run"}\n\n']) {
    it(`refuses ${JSON.stringify(bad)}`, () => expect(() => parseNdjson(bad)).toThrow())
  }
})

describe('data sets', () => {
  for (const kind of kinds) {
    it(`${kind} has the size that was asked for, and its own kind of contents`, async () => {
      for (const size of [0, 1, 2, 20, 21, 100, 1000, 65_535, 65_536, 65_537, 1_000_000]) {
        const data = bytes(kind, size, 3)
        expect(data.length).toBe(size)
        if (kind !== 'bin') expect(Buffer.from(data.toString('utf8')).equals(data)).toBe(true)
        if (kind === 'json' && size >= 20) expect(() => JSON.parse(data.toString())).not.toThrow()
        // Only the last record may be padding.
        if (kind === 'csv' && size >= 1000)
          expect(() => parseCsv(data.toString().replace(/\r\n[^\n]*$/, ''))).not.toThrow()
      }
      const path = join(await tempDir(), 'x')
      const sha256 = await writeContents(path, kind, 100_000, 7)
      expect(sha256).toMatch(/^[0-9a-f]{64}$/)
      expect((await readFile(path)).equals(bytes(kind, 100_000, 7))).toBe(true)
      expect(bytes(kind, 100_000, 8).equals(bytes(kind, 100_000, 7))).toBe(false)
    })
  }
})
