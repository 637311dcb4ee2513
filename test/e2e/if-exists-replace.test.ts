import { createHash } from 'node:crypto'
import { appendFile, utimes, writeFile } from 'node:fs/promises'
import { describe, expect } from 'vitest'
import type { FileRecord } from '../../src/observe/records.ts'
import { command, expectCode } from '../support/command.ts'
import { bytes } from '../support/data-set.ts'
import { readJournal } from '../support/journal.ts'
import { s3Environment, s3Fake } from '../support/s3-environment.ts'
import type { S3Fake } from '../support/s3-fake.ts'
import { engines } from '../support/settings.ts'
import { supabaseEnvironment, supabaseFake } from '../support/supabase-environment.ts'
import type { Workspace } from '../support/workspace.ts'

const MiB = 2 ** 20
const modes = ['newer', 'changed'] as const

const reasonOf = { newer: 'not-newer', changed: 'unchanged' } as const

/** How often each operation was asked for since. */
function countSince(s3: S3Fake, from: number): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { operation } of s3.requests.slice(from)) counts[operation] = (counts[operation] ?? 0) + 1
  return counts
}

async function reasons(ws: Workspace): Promise<readonly (FileRecord['reason'] | 'uploaded')[]> {
  const { files } = await readJournal(ws.path('r.jsonl'))
  return files
    .toSorted((a, b) => a.key.localeCompare(b.key))
    .map(({ status, reason }) => reason ?? (status as 'uploaded'))
}

/** Of another time than what was uploaded just now, and of the same size. */
async function rewrite(path: string, text: string): Promise<void> {
  await writeFile(path, text)
  const later = new Date(Date.now() + 60_000)
  await utimes(path, later, later)
}

describe('what is not older, or the same, is not sent again', () => {
  for (const engine of engines) {
    for (const mode of modes) {
      command(
        `upload in --to s3://bucket/ --if-exists ${mode} --report r.jsonl --engine ${engine}`,
        async ({ ws, run }) => {
          const s3 = await s3Fake()
          await ws.writeAll('in/a.txt', 'in/b.txt', 'in/c.txt')
          await ws.write('in/large.bin', bytes('bin', 17 * MiB))
          const env = s3Environment(s3)
          expectCode(await run({ env }), 0)
          const sent = s3.requests.length
          const second = await run({ env })
          expectCode(second, 0)
          expect(second.stderr).toMatch(/✔ 0 uploaded {2}4 skipped/)
          expect(second.stderr).not.toContain('--if-exists')
          expect(countSince(s3, sent)).toEqual({ HeadObject: 4 })

          await rewrite(ws.path('in/b.txt'), 'IN/B.TXT')
          await appendFile(ws.path('in/c.txt'), 'more')
          const third = await run({ env })
          expectCode(third, 0)
          expect(third.stderr).toMatch(/✔ 2 uploaded {2}2 skipped/)
          expect(await reasons(ws)).toEqual([reasonOf[mode], 'uploaded', 'uploaded', reasonOf[mode]])
          expect(s3.read('bucket', 'b.txt')?.toString()).toBe('IN/B.TXT')
          expect(s3.read('bucket', 'c.txt')?.toString()).toBe('in/c.txtmore')
          // Nobody has to be kept from replacing what is there.
          expect(s3.requests.filter(({ headers }) => headers['if-none-match'] !== undefined)).toEqual([])
        },
      )

      command(
        `upload in --to supabase://bucket/ --if-exists ${mode} --report r.jsonl --engine ${engine}`,
        async ({ ws, run }) => {
          const supabase = await supabaseFake()
          await ws.writeAll('in/a.txt', 'in/b.txt')
          const env = supabaseEnvironment(supabase)
          expectCode(await run({ env }), 0)
          expectCode(await run({ env }), 0)
          expect(await reasons(ws)).toEqual([reasonOf[mode], reasonOf[mode]])
          await rewrite(ws.path('in/b.txt'), 'IN/B.TXT')
          expectCode(await run({ env }), 0)
          expect(await reasons(ws)).toEqual([reasonOf[mode], 'uploaded'])
        },
      )
    }
  }

  for (const mode of modes) {
    command(`upload in --to file:./out/ --if-exists ${mode} --report r.jsonl`, async ({ ws, run }) => {
      await ws.writeAll('in/a.txt', 'in/b.txt')
      expectCode(await run(), 0)
      expectCode(await run(), 0)
      expect(await reasons(ws)).toEqual([reasonOf[mode], reasonOf[mode]])
      await rewrite(ws.path('in/b.txt'), 'IN/B.TXT')
      expectCode(await run(), 0)
      expect(await reasons(ws)).toEqual([reasonOf[mode], 'uploaded'])
      expect(await ws.tree('out')).toEqual({ 'a.txt': 'in/a.txt', 'b.txt': 'IN/B.TXT' })
    })
  }

  command(
    'upload in --to s3://bucket/ --if-exists changed --checksum none -v',
    async ({ ws, run }) => {
      const s3 = await s3Fake()
      await ws.writeAll('in/a.txt', 'in/b.txt')
      const env = s3Environment(s3)
      expectCode(await run({ env }), 0)
      // As where a server encrypts with keys of its own, and keeps no checksum.
      s3.script = ({ operation }) =>
        operation === 'HeadObject'
          ? { status: 200, headers: { 'content-length': '8', etag: '"of-the-server"' } }
          : undefined
      const second = await run({ env })
      expectCode(second, 0)
      expect(second.stderr).toMatch(/✔ 2 uploaded/)
      expect(second.stderr.match(/in\/[ab]\.txt is sent: s3:\/\/bucket\/ tells nothing/g)).toHaveLength(2)
      expect(second.stderr.match(/--if-exists changed: 2 files were sent without knowing/g)).toHaveLength(1)
    },
    'nothing can be compared',
  )
})

describe('10,000 files of which nothing has changed', () => {
  const count = 10_000
  const text = 'a small take'
  const etag = `"${createHash('md5').update(text).digest('hex')}"`

  for (const mode of [...modes, 'skip'] as const) {
    command(`upload in --to s3://bucket/audio/ --if-exists ${mode} -c 16`, async ({ ws, run }) => {
      const s3 = await s3Fake()
      const before = new Date(Date.now() - 3_600_000)
      await ws.write('in/f0/t0.wav', text)
      for (let folder = 0; folder < 10; folder += 1) {
        await ws.write(`in/f${folder}/first.wav`, text)
        const names = Array.from({ length: count / 10 - 1 }, (_, n) => `in/f${folder}/t${n}.wav`)
        await Promise.all(
          names.map((name) => writeFile(ws.path(name), text).then(() => utimes(ws.path(name), before, before))),
        )
        for (const name of [...names, `in/f${folder}/first.wav`]) {
          s3.put('bucket', `audio/${name.slice('in/'.length)}`, Buffer.from(text))
        }
        await utimes(ws.path(`in/f${folder}/first.wav`), before, before)
      }
      expect(s3.object('bucket', 'audio/f0/t0.wav')?.etag).toBe(etag)
      const result = await run({ env: s3Environment(s3) })
      expectCode(result, 0)
      expect(result.stderr).toMatch(/✔ 0 uploaded {2}10,?000 skipped/)
      expect(countSince(s3, 0)).toEqual({ ListObjectsV2: count / 1000 })
      expect(s3.counters.bytesReceived).toBe(0)
      const { summary } = await ws.journal()
      expect(summary).toMatchObject({ uploaded: 0, skipped: count, bytesSent: 0 })
    })
  }
})

describe('150 files of which nothing has changed', () => {
  for (const mode of [...modes, 'skip'] as const) {
    command(`upload in --to supabase://bucket/ --if-exists ${mode} --report r.jsonl`, async ({ ws, run }) => {
      const supabase = await supabaseFake()
      await ws.writeAll(...Array.from({ length: 150 }, (_, n) => `in/take ${n}.wav`))
      const env = supabaseEnvironment(supabase)
      expectCode(await run({ env }), 0)
      const sent = supabase.requests.length
      expectCode(await run({ env }), 0)
      expect(new Set(await reasons(ws))).toEqual(new Set([mode === 'skip' ? 'exists' : reasonOf[mode]]))
      const again = supabase.requests.slice(sent).map(({ path }) => path)
      expect(again).toEqual(Array(2).fill(expect.stringContaining('/list-v2/bucket')))
    })
  }
})

describe('undo', () => {
  for (const mode of modes) {
    command(
      `upload in --to s3://bucket/ --if-exists ${mode} --report r.jsonl`,
      async ({ ws, run }) => {
        const s3 = await s3Fake({ versioning: 'Enabled' })
        await ws.writeAll('in/a.txt', 'in/b.txt', 'in/c.txt')
        s3.put('bucket', 'a.txt', Buffer.from('in/a.txt'))
        s3.put('bucket', 'b.txt', Buffer.from('b of before'))
        const env = s3Environment(s3)
        expectCode(await run({ env }), 0)
        expect(await reasons(ws)).toEqual([reasonOf[mode], 'uploaded', 'uploaded'])
        expectCode(await ws.run('upload undo r.jsonl --yes', { env }), 0)
        expect(s3.keys('bucket')).toEqual(['a.txt', 'b.txt'])
        expect(s3.read('bucket', 'b.txt')?.toString()).toBe('b of before')
      },
      'what it replaced is brought back where versions are kept',
    )

    command(
      `upload in --to s3://bucket/ --if-exists ${mode} --report r.jsonl`,
      async ({ ws, run }) => {
        const s3 = await s3Fake()
        await ws.writeAll('in/a.txt', 'in/b.txt')
        s3.put('bucket', 'a.txt', Buffer.from('in/a.txt'))
        const env = s3Environment(s3)
        expectCode(await run({ env }), 0)
        expectCode(await ws.run('upload undo r.jsonl --yes', { env }), 0)
        expect(s3.keys('bucket')).toEqual(['a.txt'])
      },
      'what replaced nothing is removed where no versions are kept',
    )

    command(
      `upload in --to s3://bucket/ --if-exists ${mode} --report r.jsonl`,
      async ({ ws, run }) => {
        const s3 = await s3Fake()
        await ws.writeAll('in/a.txt', 'in/b.txt')
        s3.put('bucket', 'b.txt', Buffer.from('b of before'))
        const env = s3Environment(s3)
        expectCode(await run({ env }), 0)
        const undone = await ws.run('upload undo r.jsonl --yes', { env })
        expectCode(undone, 5)
        expect(undone.stdout + undone.stderr).toContain('replaced an object that the destination has not kept')
        expect(s3.keys('bucket')).toEqual(['a.txt', 'b.txt'])
      },
      'what it replaced cannot be brought back: nothing is touched',
    )
  }
})
