import { chmod, mkdir, symlink, utimes } from 'node:fs/promises'
import { describe, expect } from 'vitest'
import { command, expectCode, expectRefused } from '../support/command.ts'
import { canRunAs, nobody } from '../support/privileges.ts'
import type { Workspace } from '../support/workspace.ts'

const posix = process.platform !== 'win32'
if (!posix) console.log('Not tried on Windows: symbolic links to directories, modes.')

describe('hidden files', () => {
  command(
    'upload site --to file:./out',
    async ({ ws, run }) => {
      await ws.writeAll('site/index.html', 'site/.htaccess', 'site/.well-known/security.txt')
      expectCode(await run(), 0)
      expect(await ws.list('out')).toEqual(['.htaccess', '.well-known/security.txt', 'index.html'])
    },
    'yes in directories',
  )

  command(
    "upload 'site/**' --to file:./out",
    async ({ ws, run }) => {
      await ws.writeAll('site/index.html', 'site/.htaccess', 'site/.well-known/security.txt')
      expectCode(await run(), 0)
      expect(await ws.list('out')).toEqual(['index.html'])
    },
    'not in globs',
  )

  command(
    "upload 'site/.*' 'site/.well-known/*' --flatten --to file:./out",
    async ({ ws, run }) => {
      await ws.writeAll('site/index.html', 'site/.htaccess', 'site/.well-known/security.txt')
      expectCode(await run(), 0)
      expect(await ws.list('out')).toEqual(['.htaccess', 'security.txt'])
    },
    'unless the pattern says so',
  )
})

describe('junk of operating systems', () => {
  command('upload photos --to file:./out', async ({ ws, run }) => {
    await ws.writeAll(
      'photos/a.jpg',
      'photos/.DS_Store',
      'photos/x/Thumbs.db',
      'photos/x/desktop.ini',
      'photos/x/b.jpg',
    )
    expectCode(await run(), 0)
    expect(await ws.list('out')).toEqual(['a.jpg', 'x/b.jpg'])
    const { files, summary } = await ws.journal()
    expect(files).toHaveLength(2)
    expect(summary).toMatchObject({ files: 2, junkSkipped: 3 })
  })
})

describe('include and exclude', () => {
  const tree = ['src/a.py', 'src/a.pyc', 'src/sub/b.py', 'src/sub/b.txt', 'src/build/c.py', 'src/sub/build/d.py']
  const cases: [line: string, expected: string[]][] = [
    ["upload src --include '*.py' --to file:./out", ['a.py', 'build/c.py', 'sub/b.py', 'sub/build/d.py']],
    ["upload src --exclude '*.pyc' --exclude build/ --to file:./out", ['a.py', 'sub/b.py', 'sub/b.txt']],
    [
      "upload src --exclude /build/ --exclude '*.txt' --exclude '*.pyc' --to file:./out",
      ['a.py', 'sub/b.py', 'sub/build/d.py'],
    ],
    ["upload src --include '*.py' --exclude build --to file:./out", ['a.py', 'sub/b.py']],
    ["upload src --exclude '*' --exclude '!*.txt' --exclude '!*/' --to file:./out", ['sub/b.txt']],
    ["upload 'src/**/*.py' --exclude build --to file:./out", ['a.py', 'sub/b.py']],
    ['upload src --exclude-from ignore.txt --to file:./out', ['a.py', 'sub/b.py']],
  ]
  for (const [line, expected] of cases) {
    command(line, async ({ ws, run }) => {
      await ws.writeAll(...tree)
      await ws.write('ignore.txt', '# built things\nbuild/\n\n*.pyc\n*.txt\n')
      expectCode(await run(), 0)
      expect(await ws.list('out')).toEqual(expected)
      expect((await ws.journal()).files).toHaveLength(expected.length)
    })
  }

  command(
    "upload src --exclude '*' --to file:./out",
    async ({ ws, run }) => {
      await ws.writeAll(...tree)
      expectRefused(await run())
    },
    'nothing is left',
  )

  command('upload src --exclude-from nowhere.txt --to file:./out', async ({ ws, run }) => {
    await ws.writeAll(...tree)
    expectRefused(await run(), 'nowhere.txt')
  })
})

describe('.uploadignore', () => {
  command(
    'upload src --exclude .uploadignore --to file:./out',
    async ({ ws, run }) => {
      await ws.write('src/.uploadignore', '*.log\n/build/\n')
      await ws.write('src/sub/.uploadignore', '!keep.log\n*.tmp\n')
      await ws.writeAll('src/a.py', 'src/a.log', 'src/a.tmp', 'src/build/x.py', 'src/sub/build/y.py')
      await ws.writeAll('src/sub/keep.log', 'src/sub/b.log', 'src/sub/c.tmp')
      expectCode(await run(), 0)
      expect(await ws.list('out')).toEqual(['a.py', 'a.tmp', 'sub/build/y.py', 'sub/keep.log'])
    },
    'nested',
  )
})

describe("the run's own files are no sources", () => {
  command(
    'upload . --to file:./out --report reports/run.csv --report run.jsonl --report run.json',
    async ({ ws, run }) => {
      await ws.writeAll('a.txt', 'sub/b.txt')
      const env = { XDG_STATE_HOME: ws.path('state') }
      for (let time = 1; time <= 2; time += 1) {
        expectCode(await run({ env }), 0)
        expect(await ws.tree('out')).toEqual({ 'a.txt': 'a.txt', 'sub/b.txt': 'sub/b.txt' })
      }
      expect((await ws.list('reports')).sort()).toEqual(['run.csv', 'run.summary.csv'])
    },
    'twice, with journal, reports and destination inside the source',
  )

  command(
    "upload '**/*' --to file:./out --report run.jsonl",
    async ({ ws, run }) => {
      await ws.writeAll('a.txt', 'sub/b.txt')
      expectCode(await run(), 0)
      expectCode(await run(), 0)
      expect(await ws.list('out')).toEqual(['a.txt', 'sub/b.txt'])
    },
    'twice',
  )

  command('upload . --to file:.', async ({ ws, run }) => {
    await ws.writeAll('a.txt')
    expectRefused(await run())
    expect(await ws.list('.')).toEqual(['a.txt'])
  })
})

describe('excluded directories', () => {
  command(
    'upload src --exclude raw/ --exclude closed/** --to file:./out',
    async ({ ws, run }) => {
      const user = nobody()
      if (!posix || !(await canRunAs(user))) return
      await ws.writeAll('src/a.py', 'src/raw/b.py', 'src/closed/c.py')
      await mkdir(ws.path('out'))
      for (const dir of [ws.path('out'), ws.state, `${ws.root}/tmp`]) await chmod(dir, 0o777)
      const closed = [ws.path('src/raw'), ws.path('src/closed')]
      for (const dir of closed) await chmod(dir, 0)
      const result = await run(user === undefined ? {} : { uid: user })
      for (const dir of closed) await chmod(dir, 0o755)
      expectCode(result, 0)
      expect(await ws.list('out')).toEqual(['a.py'])
    },
    'need not be readable',
  )
})

describe('by the time of modification', () => {
  const now = Date.now()
  const day = 86_400

  async function aged(ws: Workspace): Promise<void> {
    for (const [name, days] of [
      ['src/new', 0],
      ['src/x/days', 3],
      ['src/weeks', 20],
    ] as const) {
      await ws.writeAll(name)
      await utimes(ws.path(name), now / 1000 - days * day, now / 1000 - days * day)
    }
  }

  const date = (days: number) => new Date(now - days * day * 1000).toISOString()
  const cases: [line: string, expected: string[]][] = [
    ['upload src --newer-than 7d --key {index}-{name} --to file:./out', ['1-new', '2-days']],
    ['upload src --older-than 24h --key {index}-{name} --to file:./out', ['1-weeks', '2-days']],
    ['upload src --newer-than 7d --older-than 24h --to file:./out', ['x/days']],
    [`upload src --newer-than ${date(7)} --older-than ${date(1)} --to file:./out`, ['x/days']],
    ["upload src/new 'src/*' --older-than 24h --to file:./out", ['weeks']],
  ]
  for (const [line, expected] of cases) {
    command(line, async ({ ws, run }) => {
      await aged(ws)
      expectCode(await run(), 0)
      expect(await ws.list('out')).toEqual(expected)
      const { files, summary } = await ws.journal()
      expect(files).toHaveLength(expected.length)
      expect(summary).toMatchObject({ files: expected.length })
    })
  }

  command('upload src --newer-than 7d --to file:./out', async ({ ws, run }) => {
    await ws.writeAll('src/a')
    await utimes(ws.path('src/a'), 0, 0)
    expectRefused(await run(), 'nothing to upload', '1 left out by --newer-than or --older-than')
    expectCode(await run({ env: { UPLOAD_ALLOW_EMPTY: '1' } }), 0)
  })

  command('upload src --newer-than 24h --older-than 7d --to file:./out', async ({ ws, run }) => {
    await aged(ws)
    expectRefused(await run(), '--older-than: found "7d", with --newer-than "24h": no file can be both')
    expect(await ws.list('out')).toEqual([])
  })
})

describe.runIf(posix)('symbolic links', () => {
  async function linked(ws: Workspace): Promise<void> {
    await ws.writeAll('src/a', 'other/b', 'other/sub/c', 'other/d.log')
    await symlink('../other', ws.path('src/link'))
    await symlink('../other/b', ws.path('src/file'))
    await symlink('..', ws.path('src/loop'))
  }

  command('upload src --to file:./out', async ({ ws, run }) => {
    await linked(ws)
    expectCode(await run(), 0)
    expect(await ws.list('out')).toEqual(['a', 'file'])
  })

  command("upload src --follow --exclude '*.log' --exclude /loop/other/ --to file:./out", async ({ ws, run }) => {
    await linked(ws)
    await symlink('..', ws.path('other/up'))
    const result = await run()
    expectCode(result, 0)
    // What lies above is entered, but for the destination, what is excluded, and what was on the way.
    expect(await ws.list('out')).toEqual(['a', 'file', 'link/b', 'link/sub/c'])
    const said = result.stderr.split('\n').filter((line) => line.includes('is a loop'))
    expect(said).toEqual([
      expect.stringContaining('src/link/up/other is a loop: it leads back to src/link; not entered'),
      expect.stringContaining('src/link/up/src is a loop: it leads back to src; not entered'),
    ])
  })

  command('upload src --follow --to file:./out', async ({ ws, run }) => {
    await ws.writeAll('src/x/a')
    await symlink('.', ws.path('src/self'))
    await symlink('gone', ws.path('src/broken'))
    const result = await run()
    expectCode(result, 1)
    expect(await ws.list('out')).toEqual(['x/a'])
    expect(result.stderr.match(/is a loop/g)).toHaveLength(1)
    expect((await ws.journal()).files.map(({ path, error }) => [path, error?.code])).toEqual([
      ['src/broken', 'SOURCE_NOT_FOUND'],
      ['src/x/a', undefined],
    ])
  })
})
