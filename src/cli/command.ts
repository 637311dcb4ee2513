import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command, CommanderError } from 'commander'
import { UsageError } from '../errors.ts'
import type { Host } from './host.ts'

/** A command whose help goes to the host and that ends nothing by itself. */
export function newCommand(name: string, host: Pick<Host, 'stdout'>): Command {
  return new Command(name).exitOverride().configureOutput({
    writeOut: (text) => void host.stdout.write(text),
    writeErr: () => {},
    outputError: () => {},
    getOutHelpWidth: () => host.stdout.columns ?? 100,
    getOutHasColors: () => false,
  })
}

/**
 * Reads `args` into `command`.
 *
 * @returns false where they asked for help or the version, which is printed then
 * @throws UsageError where they cannot be read.
 */
export function parseArgs(command: Command, args: readonly string[], host: Pick<Host, 'cwd'>): boolean {
  try {
    command.parse(args, { from: 'user' })
    return true
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return false
    const message = error.message.replace(/^error: /, '')
    const [, unknown = ''] = /^unknown option '(.*)'/s.exec(message) ?? []
    const isFile = args.includes(unknown) && existsSync(resolve(host.cwd, unknown))
    throw new UsageError(isFile ? `${message} (a file of that name is ./${unknown})` : message)
  }
}
