import { describe, expect } from 'vitest'
import { command, expectCode } from '../support/command.ts'
import { bytes } from '../support/data-set.ts'
import { readJournal } from '../support/journal.ts'
import { s3Environment, s3Fake } from '../support/s3-environment.ts'
import { engines } from '../support/settings.ts'

const mebibyte = 1024 * 1024
const notKnown = 'whether s3://bucket/ enforces that is not known'

describe('objects that are there already', () => {
  for (const engine of engines) {
    command(`upload in --to s3://bucket/ --if-exists skip --report r.jsonl --engine ${engine}`, async ({ ws, run }) => {
      const s3 = await s3Fake()
      await ws.writeAll('in/a.txt', 'in/b.txt')
      await ws.write('in/large.bin', bytes('bin', 17 * mebibyte))
      s3.put('bucket', 'a.txt', Buffer.from('theirs'))
      const first = await run({ env: s3Environment(s3) })
      expectCode(first, 0)
      expect(first.stderr).toMatch(/✔ 2 uploaded {2}1 skipped/)
      // Once, and only of what has been sent.
      expect(first.stderr.split(notKnown)).toHaveLength(2)
      expect(s3.read('bucket', 'a.txt')?.toString()).toBe('theirs')
      expect(s3.keys('bucket')).toEqual(['a.txt', 'b.txt', 'large.bin'])

      const sent = s3.requests.length
      const second = await run({ env: s3Environment(s3) })
      expectCode(second, 0)
      expect(second.stderr).toMatch(/✔ 0 uploaded {2}3 skipped/)
      expect(second.stderr).not.toContain('--if-exists')
      expect(s3.requests.slice(sent).map(({ operation }) => operation)).toEqual(Array(3).fill('HeadObject'))
      const { files, summary } = await readJournal(ws.path('r.jsonl'))
      expect(files.map(({ status, reason, bytesSent }) => [status, reason, bytesSent])).toEqual(
        Array(3).fill(['skipped', 'exists', 0]),
      )
      expect(summary).toMatchObject({ exitCode: 0, outcome: 'success', uploaded: 0, skipped: 3, bytesSent: 0 })
    })
  }

  command('upload in --to s3://bucket/ --if-exists fail', async ({ ws, run }) => {
    const s3 = await s3Fake()
    await ws.writeAll('in/a.txt', 'in/b.txt', 'in/c.txt')
    s3.put('bucket', 'b.txt', Buffer.from('theirs'))
    const result = await run({ env: s3Environment(s3) })
    expectCode(result, 1)
    expect(result.stderr).toMatch(/✔ 2 uploaded {2}✖ 1 failed/)
    expect(result.stderr).toMatch(/ALREADY_EXISTS {2}1 {3}\S*b\.txt: .*exists already, and is left as it is/)
    expect(s3.read('bucket', 'b.txt')?.toString()).toBe('theirs')
    const again = await run({ env: s3Environment(s3) })
    expectCode(again, 1)
    expect(again.stderr).toMatch(/✖ 3 failed/)
    expect(s3.requests.filter(({ operation }) => operation === 'PutObject')).toHaveLength(2)
  })

  command('upload in --to file:./out/ --if-exists skip', async ({ ws, run }) => {
    await ws.writeAll('in/a.txt', 'in/sub/b.txt')
    await ws.write('out/a.txt', 'theirs')
    const first = await run()
    expectCode(first, 0)
    expect(first.stderr).toMatch(/✔ 1 uploaded {2}1 skipped/)
    // A directory decides by itself.
    expect(first.stderr).not.toContain('--if-exists')
    expect(await ws.tree('out')).toEqual({ 'a.txt': 'theirs', 'sub/b.txt': 'in/sub/b.txt' })
    const second = await run()
    expectCode(second, 0)
    expect(second.stderr).toMatch(/✔ 0 uploaded {2}2 skipped/)
  })

  command('upload in missing --to s3://bucket/ --if-exists skip --undo-on-failure', async ({ ws, run }) => {
    const s3 = await s3Fake()
    await ws.writeAll('in/a.txt', 'in/b.txt')
    s3.put('bucket', 'a.txt', Buffer.from('theirs'))
    const result = await run({ env: s3Environment(s3) })
    expectCode(result, 1)
    expect(result.stderr).toMatch(/↶ 1 undone {2}1 skipped/)
    expect(s3.keys('bucket')).toEqual(['a.txt'])
  })

  command(
    'upload in --to s3://bucket/ --if-exists fail --report r.jsonl',
    async ({ ws, run }) => {
      const s3 = await s3Fake()
      await ws.writeAll('in/a.txt', 'in/b.txt')
      s3.put('bucket', 'other.txt', Buffer.from('theirs'))
      expectCode(await run({ env: s3Environment(s3) }), 0)
      const undone = await ws.run('upload undo r.jsonl --yes', { env: s3Environment(s3) })
      expectCode(undone, 0)
      expect(s3.keys('bucket')).toEqual(['other.txt'])
    },
    'what it uploaded replaced nothing, and can be undone without versions',
  )
})

describe('what is kept with objects', () => {
  const line =
    'upload in --to s3://bucket/ --content-type audio/x-take --cache-control max-age=60 --metadata take=1 --metadata note=a=b'
  for (const engine of engines) {
    command(`${line} --engine ${engine}`, async ({ ws, run }) => {
      const s3 = await s3Fake()
      await ws.writeAll('in/a.txt')
      await ws.write('in/large.bin', bytes('bin', 17 * mebibyte))
      expectCode(await run({ env: s3Environment(s3) }), 0)
      for (const key of ['a.txt', 'large.bin']) {
        expect(s3.object('bucket', key)?.headers).toMatchObject({
          'content-type': 'audio/x-take',
          'cache-control': 'max-age=60',
          'x-amz-meta-take': '1',
          'x-amz-meta-note': 'a=b',
        })
      }
      const { files } = await ws.journal()
      expect(files.map(({ contentType }) => contentType)).toEqual(['audio/x-take', 'audio/x-take'])
    })
  }

  command('upload in --to file:./out/ --metadata take=1', async ({ ws, run }) => {
    await ws.writeAll('in/a.txt', 'in/b.txt')
    const result = await run()
    expectCode(result, 0)
    expect(result.stderr.split('a directory keeps nothing with its files')).toHaveLength(2)
  })
})
