import { describe, expect } from 'vitest'
import { command, expectCode, expectRefused } from '../support/command.ts'

const tree = ['audio/2026/a.wav', 'audio/2026/b.tar.gz', 'audio/Makefile', 'audio/.env']

describe('default keys', () => {
  const cases: [line: string, keys: string[]][] = [
    ['upload audio/2026/a.wav --to file:./out', ['a.wav']],
    ['upload ./audio/2026/../2026/a.wav --to file:./out', ['a.wav']],
    ['upload audio/2026 --to file:./out', ['a.wav', 'b.tar.gz']],
    ['upload ./audio/ --to file:./out', ['.env', '2026/a.wav', '2026/b.tar.gz', 'Makefile']],
    ["upload 'audio/**/*.wav' --to file:./out", ['2026/a.wav']],
    ["upload 'a*/2026/*.wav' --to file:./out", ['audio/2026/a.wav']],
    ["upload './{audio,video}/2026/*.wav' --to file:./out", ['audio/2026/a.wav']],
    ['upload . --exclude out --to file:./out', tree.toSorted()],
    ['upload audio/2026/a.wav --to file:./out/some/prefix/', ['some/prefix/a.wav']],
  ]
  for (const [line, keys] of cases) keyCase(line, keys)
})

describe('--base', () => {
  const cases: [line: string, keys: string[]][] = [
    ['upload audio/2026/a.wav --base . --to file:./out', ['audio/2026/a.wav']],
    ['upload audio/2026/a.wav --base audio --to file:./out', ['2026/a.wav']],
    ['upload audio/2026 --base ./audio/ --to file:./out', ['2026/a.wav', '2026/b.tar.gz']],
    ["upload 'audio/2026/*.wav' --base .. --to file:./out", ['work/audio/2026/a.wav']],
  ]
  for (const [line, keys] of cases) keyCase(line, keys)

  command('upload audio/2026/a.wav --base video --to file:./out', async ({ ws, run }) => {
    await ws.writeAll(...tree, 'video/x.mp4')
    const result = await run()
    // A key outside the base would need "..": whether plan or file is at fault, nothing may be stored.
    expect([1, 2], result.stderr).toContain(result.code)
    expect(await ws.list('out')).toEqual([])
    expect(result.stderr).toContain('a.wav')
  })
})

describe('--flatten', () => {
  keyCase('upload audio --flatten --to file:./out', ['.env', 'Makefile', 'a.wav', 'b.tar.gz'])
  keyCase("upload 'audio/**/*.wav' --flatten --to file:./out/x", ['x/a.wav'])
})

describe('--key', () => {
  const cases: [line: string, keys: string[]][] = [
    ["upload audio --key '{path}' --to file:./out", ['.env', '2026/a.wav', '2026/b.tar.gz', 'Makefile']],
    [
      "upload audio --key 'x/{path}.bak' --to file:./out",
      ['x/.env.bak', 'x/2026/a.wav.bak', 'x/2026/b.tar.gz.bak', 'x/Makefile.bak'],
    ],
    ["upload audio --key '{dir}/{name}{ext}' --to file:./out", ['.env', '2026/a.wav', '2026/b.tar.gz', 'Makefile']],
    [
      "upload audio --key 'x/{dir}/y/{name}' --to file:./out",
      ['x/2026/y/a', 'x/2026/y/b.tar', 'x/y/.env', 'x/y/Makefile'],
    ],
    ["upload audio --key '{name}[{ext}]' --to file:./out", ['.env[]', 'Makefile[]', 'a[.wav]', 'b.tar[.gz]']],
    ["upload audio --key '{index}{ext}' --to file:./out", ['1', '2.wav', '3.gz', '4']],
    ["upload audio/2026/b.tar.gz audio/2026/a.wav --key 'take {index}' --to file:./out", ['take 1', 'take 2']],
    ['upload audio/2026/a.wav --key fixed.wav --to file:./out', ['fixed.wav']],
    ["upload audio/2026/a.wav --base . --key '{dir}+{name}' --to file:./out", ['audio/2026+a']],
  ]
  for (const [line, keys] of cases) {
    command(line, async ({ ws, run }) => {
      await ws.writeAll(...tree)
      expectCode(await run(), 0)
      expect(await ws.list('out')).toEqual(keys)
    })
  }

  command(
    "upload audio/2026/b.tar.gz audio/2026/a.wav --key '{index}' --to file:./out",
    async ({ ws, run }) => {
      await ws.writeAll(...tree)
      expectCode(await run(), 0)
      expect(await ws.tree('out')).toEqual({ 1: 'audio/2026/b.tar.gz', 2: 'audio/2026/a.wav' })
    },
    '{index} goes by scan order',
  )

  const refused: [line: string, said: RegExp][] = [
    ["upload audio --key '{naem}{ext}' --to file:./out", /\{naem\}.*\{name\}/],
    ["upload audio --key '{foo}-{bar}' --to file:./out", /\{foo\}.*\{bar\}/s],
    ["upload audio --key '{uuid}{ext}' --to file:./out", /\{uuid\}.*not yet available/],
    ["upload audio --key '{mtime:yyyy-MM-dd}/{name}' --to file:./out", /mtime.*not yet available/],
    ["upload audio --key '{name' --to file:./out", /--key/],
  ]
  for (const [line, said] of refused) {
    command(line, async ({ ws, run }) => {
      await ws.writeAll(...tree)
      expectRefused(await run(), said)
      expect(await ws.list('out')).toEqual([])
    })
  }
})

describe('keys no object can have', () => {
  for (const template of ['../{name}{ext}', '/{name}{ext}', 'x//{name}{ext}', 'x/./{name}']) {
    command(`upload audio --key '${template}' --to file:./out`, async ({ ws, run }) => {
      await ws.writeAll('audio/Makefile')
      const result = await run()
      expect([1, 2], result.stderr).toContain(result.code)
      expect(await ws.list('.')).toEqual(['audio/Makefile'])
    })
  }
})

function keyCase(line: string, keys: readonly string[]): void {
  command(line, async ({ ws, run }) => {
    await ws.writeAll(...tree)
    expectCode(await run(), 0)
    expect(await ws.list('out')).toEqual(keys)
    const journal = await ws.journal()
    expect(journal.files.every((file) => file.status === 'uploaded')).toBe(true)
    expect(journal.files).toHaveLength(keys.length)
  })
}
