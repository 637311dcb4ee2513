import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { command, expectCode, expectRefused } from '../support/command.ts'
import { parseCsv, readCsv } from '../support/csv.ts'
import { type Journal, parseJournal, readJournal } from '../support/journal.ts'
import type { Workspace } from '../support/workspace.ts'

const sizes: Record<string, number> = {
  'a.txt': 0,
  'b.json': 1,
  'x/c.wav': 70_000,
  'x/=cmd.wav': 12,
  'x/q"uo,te.csv': 5,
}

/** The file line's fields, in their order. */
const columns = [
  ...[
    'path',
    'source',
    'key',
    'destination',
    'size',
    'mtime',
    'status',
    'reason',
    'attempts',
    'startedAt',
    'durationMs',
  ],
  ...[
    'bytesSent',
    'bytesPerSecond',
    'parts',
    'engine',
    'stage',
    'fallbackEngine',
    'fallbackDestination',
    'fallbackDurationMs',
    'fallbackErrorCode',
    'fallbackErrorMessage',
  ],
  ...['etag', 'versionId', 'replaced', 'url', 'checksumAlgorithm', 'checksumValue', 'contentType'],
  ...['errorCode', 'errorMessage'],
]

async function makeFiles(ws: Workspace): Promise<void> {
  for (const [name, size] of Object.entries(sizes)) await ws.write(`in/${name}`, 'x'.repeat(size))
}

/** The summary's figures must be what its file lines add up to. */
function expectConsistent({ files, summary }: Journal): void {
  if (summary === undefined) throw new Error('no summary')
  const count = (status: string) => files.filter((file) => file.status === status).length
  const uploaded = files.filter((file) => file.status === 'uploaded')
  const bytes = uploaded.reduce((sum, file) => sum + (file.size ?? 0), 0)
  expect(summary).toMatchObject({
    files: files.length,
    uploaded: count('uploaded'),
    skipped: count('skipped'),
    failed: count('failed'),
    cancelled: count('cancelled'),
    bytes,
    bytesSent: files.reduce((sum, file) => sum + file.bytesSent, 0),
  })
  const attempted = count('uploaded') + count('failed')
  expect(summary.successRate).toBeCloseTo(count('uploaded') / attempted, 3)
  expect(summary.errorRate).toBeCloseTo(count('failed') / attempted, 3)
  expect(Object.values(summary.byErrorCode).reduce((sum, n) => sum + n, 0)).toBe(count('failed'))
  expect(Object.values(summary.byDestination).reduce((sum, d) => sum + d.uploaded, 0)).toBe(count('uploaded'))
  expect(Object.values(summary.byEngine).reduce((sum, e) => sum + e.uploaded, 0)).toBe(count('uploaded'))
  if (uploaded.length > 0) {
    const durations = uploaded.map((file) => file.durationMs ?? Number.NaN).sort((a, b) => a - b)
    const latency = summary.latencyMs
    if (latency === null) throw new Error('no latency')
    expectNear(latency.min, durations[0])
    expectNear(latency.max, durations.at(-1))
    expect(latency.p50).toBeLessThanOrEqual(latency.p90)
    expect(latency.p90).toBeLessThanOrEqual(latency.p95)
    expect(latency.p95).toBeLessThanOrEqual(latency.p99)
    expect(summary.filesPerSecond).toBeGreaterThan(0)
  }
}

/** Within 1 %, or within the millisecond that rounding may take. */
function expectNear(actual: number, expected = Number.NaN): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(Math.max(1, expected * 0.011))
}

describe('--report', () => {
  command('upload in --to file:./out --report r.jsonl --report r.json --report r.csv', async ({ ws, run }) => {
    await makeFiles(ws)
    expectCode(await run(), 0)
    const jsonl = await readJournal(ws.path('r.jsonl'))
    expectConsistent(jsonl)
    expect(jsonl.lines.map((line) => line.type)).toEqual(['run', ...Array(5).fill('file'), 'summary'])
    expect(jsonl.run).toMatchObject({ invocation: 1, cwd: ws.cwd, node: expect.stringMatching(/\d+\.\d+/) })
    expect(jsonl.run.argv.join(' ')).toContain('--report r.csv')
    expect(jsonl.run.to).toMatch(/^file:.*out\/$/)
    for (const [source, size] of Object.entries(sizes)) {
      expect(jsonl.file(source)).toMatchObject({
        source,
        key: source,
        size,
        bytesSent: size,
        status: 'uploaded',
        attempts: 1,
      })
    }
    expect(jsonl.file('x/c.wav')).toMatchObject({ contentType: 'audio/wav', parts: 1, destination: jsonl.run.to })
    expect(jsonl.file('b.json').contentType).toMatch(/^application\/json/)
    for (const file of jsonl.files) {
      expect(new Date(file.startedAt ?? '').toISOString()).toBe(file.startedAt)
      expect(new Date(file.mtime ?? '').toISOString()).toBe(file.mtime)
    }

    const journal = await ws.journal()
    expect(journal.files).toHaveLength(5)
    expect(journal.summary?.files).toBe(5)

    const json = JSON.parse(await ws.read('r.json'))
    expect(json).toEqual({ run: jsonl.run, files: jsonl.files, summary: jsonl.summary })

    const rows = readCsv(await ws.read('r.csv'))
    expect(rows).toHaveLength(5)
    const metrics = Object.fromEntries(parseCsv(await ws.read('r.summary.csv')))
    expect(metrics).toMatchObject({
      metric: 'value',
      files: '5',
      uploaded: '5',
      failed: '0',
      exitCode: '0',
      outcome: 'success',
    })
  })

  command(
    'upload in missing.txt --to file:./out --report r.jsonl --report r.csv',
    async ({ ws, run }) => {
      await makeFiles(ws)
      expectCode(await run(), 1)
      const jsonl = await readJournal(ws.path('r.jsonl'))
      expectConsistent(jsonl)
      expect(jsonl.summary).toMatchObject({ outcome: 'partial', exitCode: 1, byErrorCode: { SOURCE_NOT_FOUND: 1 } })
      const row = readCsv(await ws.read('r.csv')).find((one) => one.status === 'failed')
      expect(row).toMatchObject({ errorCode: 'SOURCE_NOT_FOUND', size: '' })
      expect(row?.errorMessage).not.toBe('')
    },
    'with a failure',
  )

  command(
    'upload in --to file:./out --report deep/er/r.json',
    async ({ ws, run }) => {
      await makeFiles(ws)
      await ws.write('deep/er/r.json', 'an old report')
      expectCode(await run(), 0)
      expect(JSON.parse(await ws.read('deep/er/r.json')).files).toHaveLength(5)
      expect(await ws.list('deep')).toEqual(['er/r.json'])
    },
    'replaces an old one, leaves nothing temporary',
  )

  for (const name of ['r.txt', 'report']) {
    command(`upload in --to file:./out --report ${name}`, async ({ ws, run }) => {
      await makeFiles(ws)
      expectRefused(await run(), name, '.jsonl')
    })
  }
  command('upload in --to file:./out --report r.html', async ({ ws, run }) => {
    await makeFiles(ws)
    expectRefused(await run(), 'html', 'not yet available')
  })
})

describe('CSV', () => {
  command(
    'upload in --flatten --to file:./out --report r.csv',
    async ({ ws, run }) => {
      const names = ['=cmd.wav', '+1.wav', '-2.wav', '@x.wav', 'q"u,o.wav', 'plain.wav']
      await ws.writeAll(...names.map((name) => `in/${name}`))
      expectCode(await run(), 0)
      const text = await ws.read('r.csv')
      const [header] = parseCsv(text)
      expect(header?.filter((name) => columns.includes(name))).toEqual(columns)
      const keys = readCsv(text).map((row) => row.key)
      expect(keys.sort()).toEqual(["'+1.wav", "'-2.wav", "'=cmd.wav", "'@x.wav", 'plain.wav', 'q"u,o.wav'])
      for (const row of readCsv(text)) expect(row.size).toMatch(/^\d+$/)
    },
    'a cell that looks like a formula is defused',
  )
})

describe('the journal', () => {
  command('upload in --to file:./out --run-id night-7', async ({ ws, run }) => {
    await makeFiles(ws)
    const result = await run()
    expectCode(result, 0)
    const path = join(ws.state, 'upload', 'runs', 'night-7.jsonl')
    expect(await ws.journals()).toEqual([path])
    expectConsistent(await readJournal(path))
    expect((await readJournal(path)).run.runId).toBe('night-7')
    expect(result.stderr).toContain('night-7.jsonl')
    if (process.platform !== 'win32') expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  command(
    'upload in --to file:./out',
    async ({ ws, run }) => {
      await makeFiles(ws)
      expectCode(await run({ state: null }), 0)
      const found = await ws.list('../.local/state/upload/runs')
      expect(found).toEqual([expect.stringMatching(/^\d{8}T\d{6}Z-[0-9a-z]+\.jsonl$/)])
    },
    'without XDG_STATE_HOME it lies in ~/.local/state',
  )

  command(
    'upload in --to file:./out',
    async ({ ws, run }) => {
      await makeFiles(ws)
      await ws.write('in-the-way', '')
      const result = await run({ state: ws.path('in-the-way'), env: { HOME: ws.path('in-the-way') } })
      expectCode(result, 0)
      expect(result.stderr).toMatch(/warning/i)
      const uid = process.getuid?.() ?? 0
      const found = (await ws.list('../../tmp')).filter((name) => name.endsWith('.jsonl'))
      expect(found).toEqual([expect.stringMatching(new RegExp(`^upload-${uid}/runs/.*\\.jsonl$`))])
      const text = await ws.read(join('../../tmp', found[0] ?? ''))
      expectConsistent(parseJournal(text))
      expect((await stat(ws.path('../../tmp', `upload-${uid}`))).mode & 0o777).toBe(0o700)
    },
    'no state directory can be written: it lies in TMPDIR, with a warning',
  )

  command(
    'upload in --to file:./out',
    async ({ ws, run }) => {
      await makeFiles(ws)
      await ws.write('in-the-way', '')
      const file = ws.path('in-the-way')
      const result = await run({ state: file, env: { HOME: file, TMPDIR: file } })
      expectCode(result, 3)
      expect(result.stderr).toMatch(/journal/)
      expect(await ws.list('out')).toEqual([])
    },
    'no journal can be kept anywhere',
  )
})
