import { spawn } from 'node:child_process'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { expectCode } from '../support/command.ts'
import { readJournal } from '../support/journal.ts'
import { cleanEnvironment, node, program, type RunningUpload } from '../support/run-upload.ts'
import { s3Environment, s3Fake } from '../support/s3-environment.ts'
import type { S3Fake } from '../support/s3-fake.ts'
import { type Workspace, workspace } from '../support/workspace.ts'

const posix = process.platform !== 'win32'
if (!posix) console.log('Not tried on Windows: signals and closed pipes.')

/** A server that takes everything and answers for `quick.wav` only. */
function hanging(): Promise<S3Fake> {
  return s3Fake({ script: (request) => (request.key.includes('quick.wav') ? undefined : 'hang') })
}

async function startHanging(ws: Workspace, options: string): Promise<{ upload: RunningUpload; s3: S3Fake }> {
  const s3 = await hanging()
  await ws.writeAll('in/a-quick.wav', ...Array.from({ length: 12 }, (_, n) => `in/stuck-${n}.wav`))
  const upload = ws.start(`upload in --to s3://bucket/ --concurrency 4 -v ${options}`, { env: s3Environment(s3) })
  await upload.seen('stderr', /uploaded .*a-quick\.wav/)
  await until(() => s3.inFlight() >= 4)
  return { upload, s3 }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

describe.runIf(posix)('signals', () => {
  const signals = [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const
  for (const [signal, code] of signals) {
    it(`${signal} while requests hang`, async () => {
      const ws = await workspace()
      const { upload, s3 } = await startHanging(ws, '--report r.jsonl --report r.csv')
      const at = performance.now()
      upload.kill(signal)
      const result = await upload.result
      expectCode(result, code)
      expect(performance.now() - at).toBeLessThan(10_000)
      expect(result.stderr).not.toMatch(/^\s+at /m)
      expect(result.stderr).toMatch(/cancelled/)
      for (const report of [await ws.journal(), await readJournal(ws.path('r.jsonl'))]) {
        expect(report.summary).toMatchObject({ exitCode: code, uploaded: 1, failed: 0, cancelled: 12, files: 13 })
        expect(report.files.filter((file) => file.status === 'cancelled')).toHaveLength(12)
        expect(report.files.every((file) => file.status === 'uploaded' || file.error?.code === 'CANCELLED')).toBe(true)
      }
      expect(await ws.list('.')).toContain('r.summary.csv')
      expect(s3.keys('bucket')).toEqual(['a-quick.wav'])
    })
  }

  it('SIGKILL while requests hang: the journal has what was done, an old report stays', async () => {
    const ws = await workspace()
    await ws.write('r.jsonl', 'an old report\n')
    const { upload } = await startHanging(ws, '--report r.jsonl')
    upload.kill('SIGKILL')
    expect((await upload.result).signal).toBe('SIGKILL')
    expect(await ws.read('r.jsonl')).toBe('an old report\n')
    const { files, summary } = await ws.journal()
    expect(files).toMatchObject([{ source: 'a-quick.wav', status: 'uploaded' }])
    expect(summary).toBeUndefined()
  })

  it('a second SIGINT ends at once', async () => {
    const ws = await workspace()
    const { upload } = await startHanging(ws, '')
    upload.kill('SIGINT')
    upload.kill('SIGINT')
    const result = await upload.result
    expect(result.code === 130 || result.signal === 'SIGINT', `${result.code} ${result.signal}`).toBe(true)
    expect(result.stderr).not.toMatch(/^\s+at /m)
  })

  it('SIGINT into the file: destination leaves nothing half', async () => {
    const ws = await workspace()
    const upload = ws.start('upload - --key big.bin --to file:./out -v', { stdin: stalled() })
    await upload.seen('stderr', /./)
    upload.kill('SIGINT')
    expectCode(await upload.result, 130)
    expect(await ws.list('out')).toEqual([])
    expect(await ws.list('../../tmp')).toEqual([])
  })
})

describe.runIf(posix)('stdout closed by its reader', () => {
  it('upload in --to file:./out --json | head -1', async () => {
    const ws = await workspace()
    await ws.writeAll(...Array.from({ length: 400 }, (_, n) => `in/${n}.txt`))
    // dash has no PIPESTATUS: the code goes through a file descriptor of its own.
    const script = `{ "$0" "$@"; echo "code $?" >&2; } | head -1`
    const child = spawn('sh', ['-c', script, node, program, 'in', '--to', 'file:./out', '--json'], {
      cwd: ws.cwd,
      env: cleanEnvironment({ home: ws.home, state: ws.state }),
    })
    const output = { stdout: '', stderr: '' }
    child.stdout.on('data', (text) => {
      output.stdout += text
    })
    child.stderr.on('data', (text) => {
      output.stderr += text
    })
    await new Promise((resolve) => child.on('close', resolve))
    expect(JSON.parse(output.stdout)).toMatchObject({ type: 'run' })
    expect(output.stderr).toMatch(/^code 141$/m)
    expect(output.stderr).not.toMatch(/^\s+at |EPIPE|Error:/m)
  })

  it('upload in --to s3://bucket/ --json, closed while requests hang', async () => {
    const ws = await workspace()
    const s3 = await hanging()
    await ws.writeAll('in/a-quick.wav', ...Array.from({ length: 12 }, (_, n) => `in/stuck-${n}.wav`))
    const upload = ws.start('upload in --to s3://bucket/ --json --concurrency 4', { env: s3Environment(s3) })
    await upload.seen('stdout', 'a-quick.wav')
    upload.child.stdout?.destroy()
    // The next progress line finds the pipe closed.
    const result = await upload.result
    expectCode(result, 141)
    expect(result.stderr).not.toMatch(/^\s+at |EPIPE|Error:/m)
    expect((await ws.journal()).summary).toMatchObject({ exitCode: 141, uploaded: 1, cancelled: 12 })
  })

  it('upload in --to file:./out --dry-run | head -1', async () => {
    const ws = await workspace()
    await ws.writeAll(...Array.from({ length: 2000 }, (_, n) => `in/${n}.txt`))
    const upload = ws.start('upload in --to file:./out --dry-run')
    await upload.seen('stdout', '\n')
    upload.child.stdout?.destroy()
    const result = await upload.result
    expect([0, 141]).toContain(result.code)
    expect(result.stderr).not.toMatch(/^\s+at |EPIPE|Error:/m)
  })
})

/** Standard input that gives a little, and then neither more nor an end. */
function stalled(): Readable {
  const input = new Readable({ read: () => {} })
  input.push(Buffer.alloc(64))
  return input
}
