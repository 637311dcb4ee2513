import { execFileSync, spawn } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { expect, it, onTestFinished } from 'vitest'
import { expectCode } from '../support/command.ts'
import { cleanEnvironment, node, program, type RunResult } from '../support/run-upload.ts'
import { s3Environment, s3Fake } from '../support/s3-environment.ts'
import { workspace } from '../support/workspace.ts'

const names = Array.from({ length: 200 }, (_, n) => `take-${n}.txt`)
const posix = process.platform !== 'win32'
if (!posix) console.log('Not tried on Windows: a journal that cannot grow.')

function expectGivenUp(result: RunResult, stored: readonly string[]): void {
  expectCode(result, 3)
  expect(result.stderr).toMatch(/journal/)
  expect(result.stderr.match(/stopped:/g)).toHaveLength(1)
  expect(result.stderr).not.toMatch(/^\s+at /m)
  expect(stored.length).toBeGreaterThan(0)
  // It did not go on without a journal.
  expect(stored.length).toBeLessThan(names.length)
}

it.runIf(posix)('the journal reaches the largest size a file may have', async () => {
  const ws = await workspace()
  const s3 = await s3Fake()
  await ws.writeAll(...names.map((name) => `in/${name}`))
  // In units of 512 or 1024 bytes, as the shell has it.
  const limited = ['-c', 'ulimit -f 16; exec "$0" "$@"', node, program]
  const child = spawn('sh', [...limited, 'in', '--to', 's3://bucket/', '--concurrency', '4'], {
    cwd: ws.cwd,
    env: cleanEnvironment({ home: ws.home, state: ws.state, env: s3Environment(s3) }),
  })
  expectGivenUp(await ended(child), s3.keys('bucket'))
})

it.runIf(posix)('the disk of the journal is full', async () => {
  const ws = await workspace()
  const s3 = await s3Fake()
  await ws.writeAll(...names.map((name) => `in/${name}`))
  if (!(await mountSmall(ws.state))) return
  expectGivenUp(
    await ws.run('upload in --to s3://bucket/ --concurrency 4', { env: s3Environment(s3) }),
    s3.keys('bucket'),
  )
})

/** Puts a file system of 16 KiB there for the time of the test; false, having said so, where this user may not. */
async function mountSmall(directory: string): Promise<boolean> {
  await mkdir(directory, { recursive: true })
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'upload-test', directory], { stdio: 'pipe' })
  } catch {
    console.log('Not tried: a full disk (only root may mount one). The size limit above stands for it.')
    return false
  }
  onTestFinished(() => void execFileSync('umount', ['-l', directory], { stdio: 'pipe' }))
  return true
}

function ended(child: ReturnType<typeof spawn>): Promise<RunResult> {
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
    })
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, ...output, durationMs: 0 }))
  })
}
