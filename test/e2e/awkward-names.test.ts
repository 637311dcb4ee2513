import { writeFile } from 'node:fs/promises'
import { describe, expect } from 'vitest'
import { awkwardNames } from '../support/awkward-names.ts'
import { command, expectCode } from '../support/command.ts'
import { readCsv } from '../support/csv.ts'
import { s3Environment, s3Fake } from '../support/s3-environment.ts'

const texts = Object.fromEntries(awkwardNames.map((name) => [name, `names/${name}`]))

describe('awkward names', () => {
  command('upload names --to file:./out', async ({ ws, run }) => {
    await ws.writeAll(...awkwardNames.map((name) => `names/${name}`))
    expectCode(await run(), 0)
    expect(await ws.tree('out')).toEqual(texts)
  })

  command("upload names --to 's3://bucket/pre fix/ü' --report r.csv", async ({ ws, run }) => {
    const s3 = await s3Fake()
    await ws.writeAll(...awkwardNames.map((name) => `names/${name}`))
    expectCode(await run({ env: s3Environment(s3) }), 0)
    const stored = s3.keys('bucket').map((key) => [key.replace('pre fix/ü/', ''), s3.read('bucket', key)?.toString()])
    expect(Object.fromEntries(stored)).toEqual(texts)
    const rows = readCsv(await ws.read('r.csv'))
    expect(new Set(rows.map((row) => row.key))).toEqual(new Set(s3.keys('bucket')))
  })

  command('upload ./--to ./=cmd.wav "./ leading and trailing " --to file:./out', async ({ ws, run }) => {
    await ws.writeAll('--to', '=cmd.wav', ' leading and trailing ')
    expectCode(await run(), 0)
    expect(await ws.list('out')).toEqual([' leading and trailing ', '--to', '=cmd.wav'])
  })
})

describe.runIf(process.platform !== 'win32')('control characters', () => {
  command(
    'upload names --to file:./out -v',
    async ({ ws, run }) => {
      await ws.writeAll('names/fine.txt', 'names/new\nline.txt', 'names/tab\there.txt', 'names/esc\u001b[31mred.txt')
      const result = await run()
      expectCode(result, 1)
      expect(await ws.list('out')).toEqual(['fine.txt'])
      const failed = (await ws.journal()).files.filter((file) => file.status === 'failed')
      expect(failed.map((file) => file.error?.code)).toEqual(['KEY_INVALID', 'KEY_INVALID', 'KEY_INVALID'])
      expect(result.stderr).toContain('KEY_INVALID')
      expect(result.stderr).not.toContain('\u001b[31mred')
      expect(result.stderr).not.toContain('\there')
      expect(result.stderr).not.toContain('new\nline')
    },
    'fail and are shown escaped',
  )

  command(
    'upload names --to file:./out --key-fix',
    async ({ ws, run }) => {
      await ws.writeAll('names/fine.txt', 'names/new\nline.txt', 'names/=0A.txt')
      const result = await run()
      expectCode(result, 0)
      expect(await ws.list('out')).toEqual(['=3D0A.txt', 'fine.txt', 'new=0Aline.txt'])
      expect(result.stderr).not.toContain('new\nline')
    },
    'are written as their bytes',
  )

  command(
    'upload names --key {index}.txt --to file:./out',
    async ({ ws, run }) => {
      await ws.writeAll('names/new\nline.txt', 'names/tab\there.txt')
      expectCode(await run(), 0)
      expect(await ws.list('out')).toEqual(['1.txt', '2.txt'])
    },
    'a key of its own helps',
  )

  command(
    'upload names --to file:./out',
    async ({ ws, run }) => {
      await ws.writeAll('names/fine.txt')
      if (process.platform === 'darwin') {
        console.log('Not tried: this file system refuses names that are not UTF-8.')
        return
      }
      await writeFile(
        Buffer.concat([Buffer.from(`${ws.path('names')}/latin-`), Buffer.from([0xe9]), Buffer.from('.txt')]),
        'x',
      )
      const result = await run()
      expectCode(result, 1)
      expect(await ws.list('out')).toEqual(['fine.txt'])
      expect((await ws.journal()).summary).toMatchObject({ uploaded: 1, failed: 1 })
    },
    'a name that is not UTF-8',
  )
})
