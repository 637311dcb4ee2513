import { spawn } from 'node:child_process'
import { expect, it } from 'vitest'
import { expectCode } from '../support/command.ts'
import { cleanEnvironment, node, program, type RunResult } from '../support/run-upload.ts'
import { s3Environment, s3Fake } from '../support/s3-environment.ts'
import { mountSmall } from '../support/small-disk.ts'
import { type Workspace, workspace } from '../support/workspace.ts'

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
  expectGivenUp(await limited(16, [], ws, s3Environment(s3)), s3.keys('bucket'))
})

it.runIf(posix)('and does so between the parts of a large file', async () => {
  const ws = await workspace()
  const s3 = await s3Fake()
  await ws.write('in/large.bin', Buffer.alloc(96 * 2 ** 20, 7))
  const result = await limited(8, ['--part-size', '5MiB'], ws, s3Environment(s3))
  expectCode(result, 3)
  expect(result.stderr.match(/stopped:.*journal/g)).toHaveLength(1)
  expect(s3.keys('bucket')).toEqual([])
})

/** The program, no file of which may grow beyond this, in units of 512 or 1024 bytes, as the shell has it. */
function limited(
  units: number,
  args: readonly string[],
  ws: Workspace,
  env: Record<string, string>,
): Promise<RunResult> {
  const shell = ['-c', `ulimit -f ${units}; exec "$0" "$@"`, node, program]
  const child = spawn('sh', [...shell, 'in', '--to', 's3://bucket/', '--concurrency', '4', ...args], {
    cwd: ws.cwd,
    env: cleanEnvironment({ home: ws.home, state: ws.state, env }),
  })
  return ended(child)
}

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
