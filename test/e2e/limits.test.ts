import { truncate } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { command, expectCode, expectRefused } from '../support/command.ts'
import { docx, files, flac, wav } from '../support/file-heads.ts'
import { readJournal } from '../support/journal.ts'
import { s3Environment, s3Fake } from '../support/s3-environment.ts'
import { type Workspace, workspace } from '../support/workspace.ts'

/** An empty file made so long: it takes no room on the disk. */
async function sparse(ws: Workspace, name: string, size: number): Promise<void> {
  await truncate(await ws.write(name, ''), size)
}

/** The code and the reason for each failed file of the only run. */
async function failures(ws: Workspace): Promise<Record<string, string>> {
  const { files } = await ws.journal()
  const failed = files.filter(({ status }) => status === 'failed')
  return Object.fromEntries(failed.map(({ source, error }) => [source, `${error?.code}: ${error?.message}`]))
}

describe('sizes', () => {
  command('upload in --to file:./out/ --max-size 500MB', async ({ ws, run }) => {
    await sparse(ws, 'in/large.wav', 501_000_000)
    await sparse(ws, 'in/one-more.wav', 500_000_001)
    expectCode(await run(), 1)
    expect(await ws.list('out')).toEqual([])
    expect(await failures(ws)).toEqual({
      'large.wav': 'TOO_LARGE: it has 501000000 bytes; --max-size allows 500000000: leave it out, or raise the limit',
      'one-more.wav': expect.stringContaining('TOO_LARGE: it has 500000001 bytes'),
    })
    const { files, summary } = await ws.journal()
    expect(files.map(({ attempts, bytesSent }) => [attempts, bytesSent])).toEqual([
      [0, 0],
      [0, 0],
    ])
    expect(summary).toMatchObject({ exitCode: 1, failed: 2, uploaded: 0 })
  })

  command('upload in/large.wav --to s3://bucket/ --max-size 500MB', async ({ ws, run }) => {
    const s3 = await s3Fake()
    await sparse(ws, 'in/large.wav', 501_000_000)
    const result = await run({ env: s3Environment(s3) })
    expectCode(result, 1)
    expect(result.stderr).toContain('TOO_LARGE')
    expect(s3.requests).toHaveLength(0)
  })

  command('upload in --to file:./out/ --max-size 1kB --min-size 10', async ({ ws, run }) => {
    await ws.write('in/exactly.txt', 'a'.repeat(1000))
    await ws.write('in/large.txt', 'a'.repeat(1001))
    await ws.write('in/least.txt', 'a'.repeat(10))
    await ws.write('in/small.txt', 'a'.repeat(9))
    await ws.write('in/empty.txt', '')
    expectCode(await run(), 1)
    expect(await ws.list('out')).toEqual(['exactly.txt', 'least.txt'])
    expect(await failures(ws)).toEqual({
      'empty.txt': expect.stringContaining('TOO_SMALL'),
      'large.txt': expect.stringContaining('TOO_LARGE'),
      'small.txt': expect.stringContaining('TOO_SMALL'),
    })
  })

  command('upload - --key x.bin --to file:./out/ --max-size 10', async ({ ws, run }) => {
    expectCode(await run({ stdin: '12345678901' }), 1)
    expect(await ws.list('out')).toEqual([])
    expect(await ws.journal()).toMatchObject({ files: [{ error: { code: 'TOO_LARGE' } }] })
  })

  command('upload - --key x.bin --to file:./out/ --min-size 10', async ({ ws, run }) => {
    expectCode(await run({ stdin: '123456789' }), 1)
    expect(await ws.list('out')).toEqual([])
    expect(await ws.journal()).toMatchObject({ files: [{ error: { code: 'TOO_SMALL' } }] })
  })
})

describe('endings', () => {
  command('upload in --to file:./out/ --allow-ext wav --allow-ext .FLAC', async ({ ws, run }) => {
    await ws.writeAll('in/a.wav', 'in/B.WAV', 'in/c.flac', 'in/d.wav.exe', 'in/e')
    expectCode(await run(), 1)
    expect(await ws.list('out')).toEqual(['B.WAV', 'a.wav', 'c.flac'])
    expect(await failures(ws)).toEqual({
      'd.wav.exe': 'TYPE_NOT_ALLOWED: its ending is .exe; --allow-ext takes .wav, .flac: leave it out, or rename it',
      e: expect.stringContaining('it has no ending'),
    })
  })

  command('upload in --to file:./out/ --deny-ext .exe --deny-ext env --dry-run', async ({ ws, run }) => {
    await ws.writeAll('in/a.wav', 'in/b.exe', 'in/.env')
    const result = await run()
    expect(result.stdout).toContain('--deny-ext refuses .exe')
    expect(result.stdout).toContain('--deny-ext refuses .env')
    expect(await ws.list('out')).toEqual([])
  })
})

describe('types, by the bytes', () => {
  it('of 1,000 files, the 7 that are pages are rejected and named, and 993 uploaded', { timeout: 90_000 }, async () => {
    const ws = await workspace()
    const names = Array.from({ length: 1000 }, (_, at) => `in/take-${String(at).padStart(3, '0')}.wav`)
    const evil = names.filter((_, at) => at % 143 === 7)
    expect(evil).toHaveLength(7)
    for (const [at, name] of names.entries()) await ws.write(name, evil.includes(name) ? files.html : wav(at + 1))
    const result = await ws.run("upload in --to file:./out/ --allow-type 'audio/*' --report report.jsonl")
    expectCode(result, 1)
    expect(result.stderr).toContain('TYPE_NOT_ALLOWED')
    expect(await ws.list('out')).toHaveLength(993)
    const report = await readJournal(ws.path('report.jsonl'))
    expect(report.summary).toMatchObject({ exitCode: 1, uploaded: 993, failed: 7 })
    const rejected = report.files.filter(({ status }) => status === 'failed')
    expect(rejected.map(({ path }) => path)).toEqual(evil)
    for (const { error } of rejected) {
      expect(error).toEqual({
        code: 'TYPE_NOT_ALLOWED',
        message: 'its name says audio/wav, its bytes are text/html; rename it, or leave --allow-type out',
        retryable: false,
      })
    }
  })

  command("upload in --to s3://bucket/ --allow-type 'audio/*' --allow-type text/csv", async ({ ws, run }) => {
    const s3 = await s3Fake()
    await ws.write('in/evil.wav', files.html)
    await ws.write('in/good.wav', wav())
    await ws.write('in/good', flac())
    await ws.write('in/list.csv', files.csv)
    await ws.write('in/list.txt', files.csv)
    await ws.write('in/letter.docx', docx())
    expectCode(await run({ env: s3Environment(s3) }), 1)
    expect(s3.keys('bucket')).toEqual(['good', 'good.wav', 'list.csv'])
    expect(s3.requests.filter(({ key }) => !s3.keys('bucket').includes(key))).toEqual([])
    expect(Object.keys(await failures(ws)).sort()).toEqual(['evil.wav', 'letter.docx', 'list.txt'])
  })

  command("upload in --to file:./out/ --allow-type 'audio/*' --dry-run", async ({ ws, run }) => {
    await ws.write('in/evil.wav', files.html)
    await ws.write('in/good.wav', wav())
    const result = await run()
    expect(result.stdout).toContain('its name says audio/wav, its bytes are text/html')
    expect(result.stdout).toContain('TYPE_NOT_ALLOWED')
  })

  for (const [bytes, code] of [
    [wav(), 0],
    [files.html, 1],
  ] as const) {
    command(
      "upload - --key take.wav --to file:./out/ --allow-type 'audio/*'",
      async ({ ws, run }) => {
        expectCode(await run({ stdin: Buffer.from(bytes) }), code)
        expect(await ws.list('out')).toEqual(code === 0 ? ['take.wav'] : [])
      },
      `exit ${code}`,
    )
  }
})

describe('the whole', () => {
  command('upload in --to file:./out/ --max-files 2', async ({ ws, run }) => {
    await ws.writeAll('in/a', 'in/b', 'in/c')
    expectRefused(
      await run(),
      '3 files are to be sent, and --max-files allows 2: nothing was sent; choose fewer, or raise the limit',
    )
    expect(await ws.list('out')).toEqual([])
  })

  command('upload in --to s3://bucket/ --max-total-size 9', async ({ ws, run }) => {
    const s3 = await s3Fake()
    await ws.write('in/a', '12345')
    await ws.write('in/b', '12345')
    const result = await run({ env: s3Environment(s3) })
    expectRefused(result, 'the files to be sent have 10 bytes together, and --max-total-size allows 9')
    expect(s3.requests).toHaveLength(0)
  })

  command('upload in --to file:./out/ --max-files 2 --max-total-size 10 --max-size 5', async ({ ws, run }) => {
    await ws.write('in/a', '12345')
    await ws.write('in/b', '12345')
    await ws.write('in/too-large-to-count', '123456')
    expectCode(await run(), 1)
    expect(await ws.list('out')).toEqual(['a', 'b'])
  })

  command('upload in - --key {index} --to file:./out/ --max-total-size 10 --concurrency 1', async ({ ws, run }) => {
    await ws.write('in/a', '12345')
    const result = await run({ stdin: '123456' })
    expectCode(result, 4)
    expect(result.stderr).toContain('more than the 10 bytes that --max-total-size allows')
    expect((await ws.list('out')).filter((name) => name !== '1')).toEqual([])
  })
})
