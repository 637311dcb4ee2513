import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { command, expectCode } from '../support/command.ts'
import { s3Environment, s3Fake } from '../support/s3-environment.ts'
import type { S3Fake } from '../support/s3-fake.ts'
import { workspace } from '../support/workspace.ts'

const thirty = Array.from({ length: 30 }, (_, n) => `in/take-${String(n).padStart(2, '0')}.wav`)

/** Refuses every third file for good. */
function picky(): Promise<S3Fake> {
  return s3Fake({
    script: ({ method, key }) =>
      method === 'PUT' && Number(/\d+/.exec(key)) % 3 === 0
        ? { status: 400, body: '<Error><Code>InvalidKey</Code><Message>no</Message></Error>' }
        : undefined,
  })
}

function linesWith(text: string, output: string): number {
  return output.split('\n').filter((line) => line.includes(text)).length
}

describe('--max-failures', () => {
  command('upload in --to s3://bucket/ --max-failures 3 --concurrency 1', async ({ ws, run }) => {
    const s3 = await picky()
    await ws.writeAll(...thirty)
    const result = await run({ env: s3Environment(s3) })
    expectCode(result, 4)
    expect(linesWith('halted: 3 files failed (--max-failures 3)', result.stderr), result.stderr).toBe(1)
    const { files, summary } = await ws.journal()
    expect(summary).toMatchObject({ exitCode: 4, outcome: 'partial', uploaded: 4, failed: 3, cancelled: 23 })
    expect(files.filter(({ status }) => status === 'failed').map(({ key }) => key)).toEqual([
      'take-00.wav',
      'take-03.wav',
      'take-06.wav',
    ])
    expect(s3.keys('bucket')).toHaveLength(4)
  })

  command('upload in --to s3://bucket/ --max-failures 11', async ({ ws, run }) => {
    const s3 = await picky()
    await ws.writeAll(...thirty)
    const result = await run({ env: s3Environment(s3) })
    expectCode(result, 1)
    expect(result.stderr).not.toContain('halted')
  })

  it('counts files that cannot be sent at all', async () => {
    const ws = await workspace()
    await ws.writeAll(...thirty, 'in/bad\nname')
    const result = await ws.run('upload in --to file:./out/ --max-failures 1 --concurrency 1')
    expectCode(result, 4)
    expect(result.stderr).toContain('halted: 1 file failed (--max-failures 1)')
  })
})

describe('--max-error-rate', () => {
  command('upload in --to s3://bucket/ --max-error-rate 5% --concurrency 1', async ({ ws, run }) => {
    const s3 = await picky()
    await ws.writeAll(...thirty)
    const result = await run({ env: s3Environment(s3) })
    expectCode(result, 4)
    expect(linesWith('(--max-error-rate 5%)', result.stderr), result.stderr).toBe(1)
    expect((await ws.journal()).summary).toMatchObject({ exitCode: 4, uploaded: 13, failed: 7, cancelled: 10 })
  })

  command('upload in --to s3://bucket/ --max-error-rate 50%', async ({ ws, run }) => {
    const s3 = await picky()
    await ws.writeAll(...thirty)
    expectCode(await run({ env: s3Environment(s3) }), 1)
  })
})

describe('--deadline', () => {
  command('upload in --to s3://bucket/ --deadline 6s --retries 0', async ({ ws, run }) => {
    // What is in flight at the deadline is not waited for.
    const s3 = await s3Fake({ script: ({ method, key }) => (method === 'PUT' && key > 'take-1' ? 'hang' : undefined) })
    await ws.writeAll(...thirty)
    const result = await run({ env: s3Environment(s3) })
    expectCode(result, 4)
    expect(linesWith('stopped at the deadline (', result.stderr), result.stderr).toBe(1)
    expect((await ws.journal()).summary).toMatchObject({ exitCode: 4, uploaded: 10, failed: 0, cancelled: 20 })
  })

  command('upload in --to file:./out/ --deadline 1h', async ({ ws, run }) => {
    await ws.writeAll(...thirty)
    const result = await run()
    expectCode(result, 0)
    expect(result.stderr).not.toContain('deadline')
  })

  it('that passes while the sources are still being listed', async () => {
    const ws = await workspace()
    // Nobody ever ends the list.
    const running = ws.start('upload --files-from - --to file:./out/ --deadline 300ms', {
      stdin: new Readable({ read() {} }),
    })
    const result = await running.result
    expectCode(result, 4)
    expect(result.stderr).toContain('stopped at the deadline')
    expect(await ws.journals()).toEqual([])
  })
})
