import { describe, expect } from 'vitest'
import type { FileRecord, SummaryRecord } from '../../src/observe/records.ts'
import { command, expectCode } from '../support/command.ts'
import { parseNdjson } from '../support/journal.ts'
import { s3Environment, s3Fake } from '../support/s3-environment.ts'

describe('--json', () => {
  command(
    'upload in missing.txt --to file:./out --json',
    async ({ ws, run }) => {
      await ws.writeAll('in/a.txt', 'in/b.txt', 'in/c.txt')
      const result = await run()
      expectCode(result, 1)
      const lines = parseNdjson(result.stdout).filter((line) => line.type !== 'progress')
      expect(lines.map((line) => line.type)).toEqual(['run', 'file', 'file', 'file', 'file', 'summary'])
      const files = lines.filter((line) => line.type === 'file') as unknown as FileRecord[]
      expect(files.map((file) => [file.source, file.status]).sort()).toEqual([
        ['a.txt', 'uploaded'],
        ['b.txt', 'uploaded'],
        ['c.txt', 'uploaded'],
        ['missing.txt', 'failed'],
      ])
      expect(lines.at(-1) as unknown as SummaryRecord).toMatchObject({ exitCode: 1, uploaded: 3, failed: 1 })
      expect(parseNdjson(result.stdout).filter((line) => line.type !== 'progress')).toEqual((await ws.journal()).lines)
    },
    "the journal's lines",
  )

  command(
    'upload in --to s3://bucket/ --json',
    async ({ ws, run }) => {
      await ws.writeAll('in/a.txt', 'in/b.txt')
      let release = () => {}
      const released = new Promise<void>((resolve) => {
        release = resolve
      })
      const s3 = await s3Fake({
        script: (request) => (request.key === 'b.txt' && request.method === 'PUT' ? { until: released } : undefined),
      })
      const upload = ws.start('upload in --to s3://bucket/ --json', { env: s3Environment(s3) })
      await upload.seen('stdout', /"type":"file".*"type":"progress".*"type":"progress"/s)
      release()
      const result = await upload.result
      expectCode(result, 0)
      const lines = parseNdjson(result.stdout)
      const sinceFirst = lines.slice(lines.findIndex((line) => line.type === 'file'))
      // Two of them had come before the other file was let go; there may be more.
      const [, second] = sinceFirst.filter((line) => line.type === 'progress')
      expect(second).toMatchObject({ files: 2, filesDone: 1, bytes: expect.any(Number), failed: 0 })
      void run
    },
    'progress each second',
  )

  command(
    'upload in --to file:./out --json',
    async ({ ws, run }) => {
      if (process.platform === 'win32') {
        console.log('Not tried on Windows: FIFOs.')
        return
      }
      const { execFileSync } = await import('node:child_process')
      await ws.writeAll('in/a.txt')
      execFileSync('mkfifo', [ws.path('in/pipe')])
      const result = await run()
      expectCode(result, 0)
      expect(parseNdjson(result.stdout)).toContainEqual(
        expect.objectContaining({ type: 'warning', message: expect.stringContaining('in/pipe') }),
      )
    },
    'warnings',
  )

  command(
    'upload in --to file:./out --json -v',
    async ({ ws, run }) => {
      await ws.writeAll('in/a.txt', 'in/b.txt')
      const result = await run()
      expectCode(result, 0)
      expect(parseNdjson(result.stdout).length).toBeGreaterThanOrEqual(4)
    },
    'stdout stays pure',
  )

  command(
    'upload in/none-*.txt --to file:./out --json',
    async ({ run }) => {
      const result = await run()
      expectCode(result, 2)
      expect(parseNdjson(result.stdout).every((line) => line.type === 'warning')).toBe(true)
      expect(result.stderr).toContain('in/none-*.txt')
    },
    'a refusal goes to stderr',
  )
})
