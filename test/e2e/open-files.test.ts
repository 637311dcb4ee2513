import { spawn } from 'node:child_process'
import { expect, it } from 'vitest'
import { expectCode } from '../support/command.ts'
import { cleanEnvironment, node, program, type RunResult } from '../support/run-upload.ts'
import { s3Environment, s3Fake } from '../support/s3-environment.ts'
import { engines } from '../support/settings.ts'
import { type Workspace, workspace } from '../support/workspace.ts'

const names = Array.from({ length: 400 }, (_, n) => `${n % 20}/take-${n}.wav`)
const posix = process.platform !== 'win32'
if (!posix) console.log('Not tried on Windows, which knows no such limit: few open files.')

/** The program, allowed so many open files. */
function limited(openFiles: number, args: readonly string[], ws: Workspace, env: Record<string, string> = {}) {
  const shell = ['-c', `ulimit -n ${openFiles}; exec "$0" "$@"`, node, program, ...args]
  const child = spawn('sh', shell, { cwd: ws.cwd, env: cleanEnvironment({ home: ws.home, state: ws.state, env }) })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
    })
  }
  return new Promise<RunResult>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, ...output, durationMs: 0 }))
  })
}

function expectAll(result: RunResult): void {
  expectCode(result, 0)
  expect(result.stderr.match(/too many open files: \d+ requests? at a time from here on/g)).toHaveLength(1)
  expect(result.stderr).toContain('ulimit -n')
}

it.runIf(posix).each(engines)('with few open files the %s engine makes do with fewer connections', async (engine) => {
  const ws = await workspace()
  const s3 = await s3Fake()
  await ws.writeAll(...names.map((name) => `in/${name}`))
  const args = ['in', '--to', 's3://bucket/', '-c', '500', '--engine', engine]
  expectAll(await limited(60, args, ws, s3Environment(s3)))
  expect(s3.keys('bucket')).toEqual(names.toSorted())
})

it.runIf(posix)('with few open files a directory is written to by fewer at once', async () => {
  const ws = await workspace()
  await ws.writeAll(...names.map((name) => `in/${name}`))
  expectAll(await limited(60, ['in', '--to', 'file:./out/', '-c', '500'], ws))
  expect(await ws.list('out')).toEqual(names.toSorted())
})
