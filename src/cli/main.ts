import packageJson from '../../package.json' with { type: 'json' }
import { UsageError } from '../errors.ts'
import { homeDirectory } from '../home.ts'
import { exitCodeOfError } from './exit-codes.ts'
import { explain, explainOutput, wantsDetails } from './explain.ts'
import type { Host } from './host.ts'

/**
 * The program: carries out the process's command line and ends it with the exit code. Nothing but this function ends
 * the process, and what nobody else caught ends here.
 *
 * @param onLoaded called once the program's code is loaded and its work begins
 */
export async function main(onLoaded?: () => void): Promise<void> {
  const argv = process.argv.slice(2)
  // A stream whose reader has gone says so in an event that, unheard, would end the process with a stack trace. The
  // run hears of it by itself; progress that nobody can see is no reason to stop.
  let outputError: Error | undefined
  process.stdout.on('error', (error) => {
    outputError ??= error
  })
  process.stderr.on('error', () => {})
  process.on('uncaughtException', (error) => process.exit(failed(error, argv)))
  let exitCode: number
  try {
    exitCode = await carryOut(argv, onLoaded)
  } catch (error) {
    exitCode = failed(error, argv)
  }
  await flushed(process.stdout)
  // Said last, when nothing is drawn any more.
  if (outputError !== undefined) say(explainOutput(outputError))
  await flushed(process.stderr)
  process.exit(exitCode)
}

async function carryOut(argv: readonly string[], onLoaded: (() => void) | undefined): Promise<number> {
  // Asked by scripts and at every prompt of some shells: answered without loading the rest of the program.
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    process.stdout.write(`${packageJson.version}\n`)
    return 0
  }
  const { runProgram } = await import('./program.ts')
  return runProgram(argv, { ...processHost(), onLoaded })
}

function processHost(): Host {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: () => process.stdin,
    env: process.env,
    cwd: workingDirectory(),
    home: homeDirectory(),
    uid: process.getuid?.(),
    onSignal(signal, listener) {
      process.on(signal, listener)
      return () => process.off(signal, listener)
    },
    exitNow: (code) => process.exit(code),
  }
}

/** @throws UsageError where somebody removed it. */
function workingDirectory(): string {
  try {
    return process.cwd()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new UsageError('the working directory is gone; change to one that exists')
  }
}

function say(lines: readonly string[]): void {
  for (const line of lines) process.stderr.write(`${line}\n`)
}

function failed(error: unknown, argv: readonly string[]): number {
  say(explain(error, wantsDetails(argv, process.env)))
  return exitCodeOfError(error, undefined)
}

/** Waits until what was written has left, or cannot. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve())
  })
}
