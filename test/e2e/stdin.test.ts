import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { command, expectCode } from '../support/command.ts'
import { parseCommandLine } from '../support/command-line.ts'
import { bytes } from '../support/data-set.ts'
import { cleanEnvironment, node, program, type RunResult } from '../support/run-upload.ts'
import { s3Environment, s3Fake } from '../support/s3-environment.ts'
import { type Workspace, workspace } from '../support/workspace.ts'

const MB = 1_000_000
const MiB = 2 ** 20
/** Of all the program takes. Nodes after 20 take up to 20 MB more before they have done anything. */
const memoryLimit = (nodeMajor() === 20 ? 120 : 140) * MB
const posix = process.platform !== 'win32'
const sha256 = (data: Uint8Array | undefined) => data && createHash('sha256').update(data).digest('hex')

/** Of the Node that runs the program. */
function nodeMajor(): number {
  return Number.parseInt(execFileSync(node, ['--version'], { encoding: 'utf8' }).slice(1), 10)
}

/** So many zeros, of which none is there before somebody wants it; and how many were given. */
function zeros(size: number): { readonly input: Readable; readonly given: () => number } {
  const piece = Buffer.alloc(2 ** 16)
  let given = 0
  const input = new Readable({
    read() {
      const next = piece.subarray(0, Math.min(piece.length, size - given))
      given += next.length
      this.push(next.length === 0 ? null : next)
    },
  })
  return { input, given: () => given }
}

/** Some bytes, and then neither more nor an end. */
function stalled(data: Uint8Array): Readable {
  const input = new Readable({ read: () => {} })
  input.push(data)
  return input
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate)
}

/** Parts of the least size, at a threshold of two. */
const inParts = '--part-size 5MiB --multipart-threshold 10MiB'
const sizes: readonly (readonly [string, number])[] = [
  ['nothing', 0],
  ['1 byte', 1],
  ['one byte less than the threshold', 10 * MiB - 1],
  ['the threshold', 10 * MiB],
  ['one byte more than the threshold', 10 * MiB + 1],
  ['three parts', 15 * MiB],
  ['an odd size', 23_456_789],
]

describe('standard input, byte for byte', () => {
  it.each(sizes)('to S3: %s', async (_name, size) => {
    const s3 = await s3Fake()
    const ws = await workspace()
    const data = bytes('bin', size)
    const line = `upload - --key a/x.bin --to s3://bucket/ ${inParts}`
    expectCode(await ws.run(line, { env: s3Environment(s3), stdin: data }), 0)
    expect(sha256(s3.read('bucket', 'a/x.bin'))).toBe(sha256(data))
    const parts = s3.requests.filter(({ operation }) => operation === 'UploadPart').length
    expect(parts).toBe(size > 10 * MiB ? Math.ceil(size / (5 * MiB)) : 0)
    expect(s3.uploads.size).toBe(0)
    expect(await ws.list('../../tmp')).toEqual([])
    const { files, summary } = await ws.journal()
    expect(files).toMatchObject([{ path: '-', size, mtime: null, status: 'uploaded', bytesSent: size, attempts: 1 }])
    expect(summary).toMatchObject({ uploaded: 1, bytes: size, bytesSent: size })
  })

  it.each(sizes)('into a directory: %s', async (_name, size) => {
    const ws = await workspace()
    const data = bytes('bin', size)
    expectCode(await ws.run(`upload - --key a/x.bin --to file:./out ${inParts}`, { stdin: data }), 0)
    expect(sha256(await readFile(ws.path('out/a/x.bin')))).toBe(sha256(data))
    expect(await ws.list('out')).toEqual(['a/x.bin'])
    expect(await ws.list('../../tmp')).toEqual([])
  })

  command(
    'upload - --key x.bin --to s3://bucket/ --engine standard',
    async ({ ws, run }) => {
      const s3 = await s3Fake()
      const data = bytes('bin', 23_456_789)
      expectCode(await run({ env: s3Environment(s3), stdin: data }), 0)
      expect(sha256(s3.read('bucket', 'x.bin'))).toBe(sha256(data))
      expect(await ws.list('../../tmp')).toEqual([])
    },
    'kept whole first',
  )

  command(
    'upload - --key x.bin --to s3://bucket/ --part-size 22MiB --verify',
    async ({ ws, run }) => {
      const s3 = await s3Fake()
      const data = bytes('bin', 50 * MiB)
      expectCode(await run({ env: s3Environment(s3), stdin: data }), 0)
      expect(sha256(s3.read('bucket', 'x.bin'))).toBe(sha256(data))
      expect(await ws.list('../../tmp')).toEqual([])
    },
    'parts that are held in files',
  )
})

/**
 * `head -c SIZE /dev/zero | upload …`, in a shell: a process that the tests' own starts would have the peak of their
 * memory for its own (https://man7.org/linux/man-pages/man2/getrusage.2.html).
 */
function zerosThrough(size: number, line: string, ws: Workspace, env: Record<string, string>): Promise<RunResult> {
  const { args } = parseCommandLine(line)
  const child = spawn('sh', ['-c', `head -c ${size} /dev/zero | "$0" "$@"`, node, program, ...args], {
    cwd: ws.cwd,
    env: cleanEnvironment({ home: ws.home, state: ws.state, env }),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (text) => {
    output.stdout += text
  })
  child.stderr.on('data', (text) => {
    output.stderr += text
  })
  return new Promise((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, ...output, durationMs: 0 }))
  })
}

describe.runIf(posix)('501 MB against --max-size 500MB', () => {
  async function expectRefused(ws: Workspace, line: string, env: Record<string, string>): Promise<void> {
    const result = await zerosThrough(501 * MB, line, ws, env)
    expectCode(result, 1)
    expect(result.stderr).toContain('500000000 bytes that --max-size allows')
    const { files, summary } = await ws.journal()
    expect(files).toMatchObject([{ path: '-', status: 'failed', error: { code: 'TOO_LARGE', retryable: false } }])
    expect(summary).toMatchObject({ exitCode: 1, failed: 1 })
    expect(summary?.unfinishedUploads ?? 0).toBe(0)
    expect(summary?.peakRssBytes).toBeLessThan(memoryLimit)
    expect(await ws.list('../../tmp')).toEqual([])
  }

  it('to S3', async () => {
    const s3 = await s3Fake({ discard: true })
    const ws = await workspace()
    await expectRefused(ws, 'upload - --key x --to s3://bucket/ --max-size 500MB', s3Environment(s3))
    expect([s3.keys('bucket'), s3.uploads.size]).toEqual([[], 0])
    expect(s3.requests.filter(({ operation }) => operation === 'UploadPart').length).toBeGreaterThan(50)
    expect(s3.counters.bytesReceived).toBeLessThanOrEqual(500 * MB + 8 * MiB)
  })

  it('into a directory', async () => {
    const ws = await workspace()
    await expectRefused(ws, 'upload - --key x --to file:./out --max-size 500MB', {})
    expect(await ws.list('out')).toEqual([])
  })

  it('500 MB pass, in as little memory', async () => {
    // What keeps no bytes cannot make a checksum of the whole.
    const s3 = await s3Fake({ discard: true, knowsChecksumTypes: false })
    const ws = await workspace()
    const line = 'upload - --key x --to s3://bucket/ --max-size 500MB'
    expectCode(await zerosThrough(500 * MB, line, ws, s3Environment(s3)), 0)
    expect(s3.object('bucket', 'x')?.size).toBe(500 * MB)
    expect((await ws.journal()).summary?.peakRssBytes).toBeLessThan(memoryLimit)
  })
})

describe('limits', () => {
  it.each(['fast', 'standard'])('--engine %s reads no more than a part beyond its limit', async (engine) => {
    const ws = await workspace()
    const s3 = await s3Fake()
    const { input, given } = zeros(501 * MB)
    const line = `upload - --key x --to s3://bucket/ --engine ${engine} --max-size 40MB`
    expectCode(await ws.run(line, { env: s3Environment(s3), stdin: input }), 1)
    expect([s3.keys('bucket'), s3.uploads.size, await ws.list('../../tmp')]).toEqual([[], 0, []])
    // With what lies in pipes.
    expect(given()).toBeLessThanOrEqual(40 * MB + 8 * MiB)
    expect((await ws.journal()).files).toMatchObject([{ status: 'failed', error: { code: 'TOO_LARGE' } }])
  })

  command('upload - --key x --to s3://bucket/ --max-total-size 50MB', async ({ ws, run }) => {
    const s3 = await s3Fake({ discard: true })
    const result = await run({ env: s3Environment(s3), stdin: zeros(100 * MB).input })
    expectCode(result, 4)
    expect(result.stderr).toContain('--max-total-size')
    expect([s3.keys('bucket'), s3.uploads.size]).toEqual([[], 0])
    expect((await ws.journal()).summary).toMatchObject({ exitCode: 4, uploaded: 0 })
  })

  command("upload - --key evil.wav --to s3://bucket/ --allow-type 'audio/*'", async ({ ws, run }) => {
    const s3 = await s3Fake()
    const page = Buffer.concat([Buffer.from('<!doctype html><title>x</title>'), bytes('txt', 30 * MB)])
    expectCode(await run({ env: s3Environment(s3), stdin: page }), 1)
    expect(s3.requests).toEqual([])
    expect((await ws.journal()).files).toMatchObject([{ status: 'failed', error: { code: 'TYPE_NOT_ALLOWED' } }])
  })
})

describe('a run that does not come to its end', () => {
  const line = `upload - --key x --to s3://bucket/ ${inParts}`

  it.runIf(posix)('SIGINT leaves nothing half-made', async () => {
    const s3 = await s3Fake()
    const ws = await workspace()
    const upload = ws.start(`${line} --json`, { env: s3Environment(s3), stdin: stalled(bytes('bin', 22 * MiB)) })
    await until(() => [...s3.uploads.values()].some(({ parts }) => parts.size === 4))
    upload.kill('SIGINT')
    expectCode(await upload.result, 130)
    expect([s3.keys('bucket'), s3.uploads.size]).toEqual([[], 0])
    expect(await ws.list('../../tmp')).toEqual([])
  })

  it.runIf(posix)('after SIGKILL, --resume removes the half-sent upload, and begins anew', async () => {
    const s3 = await s3Fake()
    const ws = await workspace()
    const env = s3Environment(s3)
    const data = bytes('bin', 22 * MiB)
    const upload = ws.start(line, { env, stdin: stalled(data) })
    await until(() => [...s3.uploads.values()].some(({ parts }) => parts.size === 4))
    upload.kill('SIGKILL')
    expect((await upload.result).signal).toBe('SIGKILL')
    expect(s3.uploads.size).toBe(1)
    expectCode(await ws.run(`${line} --resume`, { env, stdin: data }), 0)
    expect(sha256(s3.read('bucket', 'x'))).toBe(sha256(data))
    expect(s3.uploads.size).toBe(0)
    // What is there is compared, and not sent again.
    const before = s3.requests.filter(({ method }) => method === 'PUT').length
    expectCode(await ws.run(`${line} --resume-from ${(await ws.journals())[0]}`, { env, stdin: data }), 0)
    expect(s3.requests.filter(({ method }) => method === 'PUT').length).toBe(before)
  })

  it('a server that refuses a part for good', async () => {
    const s3 = await s3Fake({
      script: ({ operation, partNumber }) =>
        operation === 'UploadPart' && partNumber === 3 ? { status: 500 } : undefined,
    })
    const ws = await workspace()
    const options = { env: s3Environment(s3), stdin: bytes('bin', 30 * MiB) }
    const result = await ws.run(`${line} --retries 1 --retry-delay 1ms`, options)
    expectCode(result, 1)
    expect(result.stderr).toContain('standard input cannot be read twice; give the whole command again')
    expect([s3.keys('bucket'), s3.uploads.size]).toEqual([[], 0])
    expect(s3.requests.filter(({ operation }) => operation === 'CreateMultipartUpload')).toHaveLength(1)
  })

  it('a reset connection costs one part', async () => {
    const s3 = await s3Fake({
      script: ({ operation, partNumber, attempt }) =>
        operation === 'UploadPart' && partNumber === 3 && attempt === 1 ? 'reset' : undefined,
    })
    const ws = await workspace()
    const data = bytes('bin', 30 * MiB)
    expectCode(await ws.run(line, { env: s3Environment(s3), stdin: data }), 0)
    expect(sha256(s3.read('bucket', 'x'))).toBe(sha256(data))
    expect(s3.requests.filter(({ operation }) => operation === 'UploadPart')).toHaveLength(7)
  })
})
