import { expect, it } from 'vitest'
import type { RunOptions, RunResult } from './run-upload.ts'
import { type Workspace, workspace } from './workspace.ts'

export interface CommandTest {
  readonly ws: Workspace
  /** Runs the command line the test is named after. */
  readonly run: (options?: Partial<RunOptions>) => Promise<RunResult>
}

/**
 * A test whose name is the command line it runs, in a workspace of its own. `why` follows the name where one line is
 * tried under several circumstances.
 */
export function command(line: string, body: (test: CommandTest) => Promise<void>, why?: string): void {
  const name = why === undefined ? line : `${line}  # ${why}`
  it(name, { timeout: 90_000 }, async () => {
    const ws = await workspace()
    await body({ ws, run: (options) => ws.run(line, options) })
  })
}

/** Fails, quoting what the program said, unless it ended with this exit code. */
export function expectCode(result: RunResult, code: number): void {
  expect({ code: result.code, signal: result.signal }, said(result)).toEqual({ code, signal: null })
}

/** Fails unless the program refused the command line: exit 2, nothing on stdout, no stack trace, all `words` said. */
export function expectRefused(result: RunResult, ...words: (string | RegExp)[]): void {
  expectCode(result, 2)
  expect(result.stdout).toBe('')
  expect(result.stderr).not.toMatch(/^\s+at /m)
  for (const word of words) {
    if (typeof word === 'string') expect(result.stderr).toContain(word)
    else expect(result.stderr).toMatch(word)
  }
}

function said(result: RunResult): string {
  return `stdout:\n${result.stdout.slice(0, 2000)}\nstderr:\n${result.stderr.slice(0, 4000)}\n`
}
