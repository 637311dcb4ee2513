import { createHash } from 'node:crypto'
import { utimes } from 'node:fs/promises'
import { describe, expect } from 'vitest'
import { command, expectCode, expectRefused } from '../support/command.ts'
import { s3Environment, s3Fake } from '../support/s3-environment.ts'

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
    ["upload audio --key '{uiud}{ext}' --to file:./out", /\{uiud\}.*\{uuid\}/],
    ["upload audio --key '{mtime:YYYY-MM-DD}/{name}' --to file:./out", /mtime.*"YYYY".*yyyy/],
    ["upload audio --key '{index:03}' --to file:./out", /\{index:03\} takes no format/],
    ["upload - --key '{sha256}' --to file:./out", /standard input.*\{sha256\}/],
    ["upload audio --key '{run}/{path}' --to file:./out --resume-from server", /--resume-from.*\{run\}/],
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

describe('--key by what a file is', () => {
  command("upload audio --key '{size}/{mtime}/{mtime:HHmm}-{name}{ext}' --to file:./out", async ({ ws, run }) => {
    await ws.writeAll('audio/a.wav')
    await utimes(ws.path('audio/a.wav'), 0, Date.UTC(2025, 1, 3, 4, 5) / 1000)
    expectCode(await run({ env: { TZ: 'Pacific/Auckland' } }), 0)
    expect(await ws.list('out')).toEqual(['11/2025-02-03/0405-a.wav'])
  })

  const sum = (text: string) => createHash('sha256').update(text).digest('hex')

  command("upload audio --key '{sha256}{ext}' --to file:./out --report r.jsonl", async ({ ws, run }) => {
    await ws.write('audio/a.wav', 'same')
    await ws.write('audio/b.wav', 'same')
    await ws.write('audio/c.wav', 'other')
    const dry = await ws.run("upload audio --key '{sha256}{ext}' --to file:./out --dry-run")
    expectCode(dry, 0)
    expect(dry.stdout).toContain(`${sum('same')}.wav`)
    expect(dry.stdout).not.toContain('0'.repeat(64))
    expect(await ws.list('.')).not.toContain('out')
    expectCode(await run(), 0)
    expect(await ws.tree('out')).toEqual({ [`${sum('same')}.wav`]: 'same', [`${sum('other')}.wav`]: 'other' })
    const { files, summary } = await ws.journal()
    const outcomes = files.map(({ source, status, reason }) => [source, status, reason])
    expect(outcomes.toSorted()).toEqual([
      ['a.wav', 'uploaded', undefined],
      ['b.wav', 'skipped', 'duplicate-content'],
      ['c.wav', 'uploaded', undefined],
    ])
    expect(summary).toMatchObject({ files: 3, uploaded: 2, skipped: 1, failed: 0 })
  })

  command("upload audio --key '{uuid}{ext}' --to file:./out", async ({ ws, run }) => {
    await ws.writeAll(...tree)
    expectCode(await run(), 0)
    const keys = await ws.list('out')
    expect(keys).toHaveLength(tree.length)
    for (const key of keys)
      expect(key).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}(\.\w+)?$/)
  })

  command(
    "upload audio --key '{run}/{now:yyyyMMdd HHmmss.SSS}/{path}' --to s3://bucket/p/ --retries 0 --retry-failed 0",
    async ({ ws, run }) => {
      const s3 = await s3Fake()
      const env = s3Environment(s3)
      await ws.writeAll('audio/a.wav', 'audio/b.wav')
      s3.script = ({ key }) => (key?.endsWith('b.wav') ? { status: 503 } : undefined)
      expectCode(await run({ env }), 1)
      s3.script = () => undefined
      await ws.writeAll('audio/c.wav')
      expectCode(await ws.run('upload --resume', { env }), 0)
      const { run: first } = await ws.journal()
      const now = first.startedAt.replace(/[-:Z]/g, '').replace('T', ' ')
      expect(s3.keys('bucket')).toEqual(['a', 'b', 'c'].map((name) => `p/${first.runId}/${now}/${name}.wav`))
    },
    'a run that is continued makes the keys it would have made',
  )
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

  command("upload audio --key '../{name}//x' --to file:./out --key-fix", async ({ ws, run }) => {
    await ws.writeAll('audio/Makefile')
    const result = await run()
    expectCode(result, 0)
    expect(await ws.list('.')).toEqual(['audio/Makefile', 'out/=2E./Makefile/=2Fx'])
    expect(result.stderr).toContain('--key-fix: 1 key was changed: ../Makefile//x → =2E./Makefile/=2Fx')
  })
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
