import { describe, expect } from 'vitest'
import { command, expectCode } from '../support/command.ts'
import type { RunResult } from '../support/run-upload.ts'

/** Off a terminal there are whole lines only: nothing that moves a cursor, no colour, no control character. */
function expectPlain(result: RunResult): void {
  expect(result.stderr).not.toMatch(/[^\n\P{Cc}]/u)
  expect(result.stderr === '' || result.stderr.endsWith('\n')).toBe(true)
}

describe('what is said where there is no terminal', () => {
  for (const line of [
    'upload in --to file:./out',
    'upload in --to file:./out --progress auto',
    'upload in --to file:./out --progress plain',
    'FORCE_COLOR=1 TERM=xterm-256color upload in --to file:./out --no-color',
  ]) {
    command(line, async ({ ws, run }) => {
      await ws.writeAll('in/a.txt', 'in/b.txt')
      const result = await run()
      expectCode(result, 0)
      expect(result.stdout).toBe('')
      expectPlain(result)
      expect(result.stderr).toMatch(/^upload: 2\/2 files, .*\b0 failed\b/m)
      expect(result.stderr).toMatch(/✔ 2 uploaded/)
      expect(result.stderr).toMatch(/latency +p50 .* p95 .* p99 .* max /)
      expect(result.stderr).toContain('.jsonl')
      expect(result.stderr).toContain('file:')
    })
  }

  command('upload in --to file:./out -v', async ({ ws, run }) => {
    await ws.writeAll('in/a.txt', 'in/x/b.txt')
    const result = await run()
    expectCode(result, 0)
    expectPlain(result)
    expect(result.stderr).toMatch(/uploaded .*a\.txt → file:.*out\/a\.txt/)
    expect(result.stderr).toMatch(/uploaded .*b\.txt → file:.*out\/x\/b\.txt/)
  })

  command(
    'upload in --to file:./out',
    async ({ ws, run }) => {
      await ws.writeAll('in/a.txt')
      expect((await run()).stderr).not.toMatch(/uploaded .*a\.txt →/)
    },
    'no line per file without -v',
  )

  command('upload in --to file:./out --progress none', async ({ ws, run }) => {
    await ws.writeAll('in/a.txt', 'in/b.txt')
    const result = await run()
    expectCode(result, 0)
    expectPlain(result)
    expect(result.stderr).not.toMatch(/2\/2 files/)
    expect(result.stderr).toMatch(/✔ 2 uploaded/)
  })

  for (const quiet of ['-q', '--quiet']) {
    command(`upload in --to file:./out ${quiet}`, async ({ ws, run }) => {
      await ws.writeAll('in/a.txt')
      const result = await run()
      expectCode(result, 0)
      expect(result.stdout + result.stderr).toBe('')
    })
  }

  command(
    'upload in missing.txt --to file:./out -q',
    async ({ ws, run }) => {
      await ws.writeAll('in/a.txt')
      const result = await run()
      expectCode(result, 1)
      expect(result.stdout).toBe('')
      expect(result.stderr).toContain('missing.txt')
    },
    'a failure is said all the same',
  )

  command(
    'upload in --to file:./out',
    async ({ ws, run }) => {
      await ws.writeAll('in/a.txt')
      const result = await run({ env: { NODE_OPTIONS: undefined } })
      expect(result.stderr).not.toMatch(/\(node:\d+\)|Warning/)
    },
    'nothing from Node or a library',
  )

  command(
    'upload many --to file:./out',
    async ({ ws, run }) => {
      for (let n = 0; n < 50; n += 1) await ws.write(`many/${n}.txt`)
      for (let n = 0; n < 40; n += 1) await ws.write(`out/${n}.txt/in-the-way`)
      const result = await run()
      expectCode(result, 1)
      expect((await ws.journal()).summary).toMatchObject({ uploaded: 10, failed: 40 })
      expect(result.stderr.split('\n').length).toBeLessThan(60)
      expect(result.stderr).not.toMatch(/^\s+at /m)
    },
    'many failures do not flood the log',
  )
})
