import { describe, expect } from 'vitest'
import { command, expectCode, expectRefused } from '../support/command.ts'

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
