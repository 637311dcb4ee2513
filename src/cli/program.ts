import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command, CommanderError } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { laterCommands } from '../config/later-options.ts'
import { UsageError } from '../errors.ts'
import type { Host } from './host.ts'
import { addOptions, readFlags } from './options.ts'
import { run } from './run.ts'

const examples = `Upload many files to S3-compatible storage, or into a directory.

Examples:
  upload ./audio/*.wav s3://my-bucket/audio/            files to a bucket
  upload ./audio s3://my-bucket/ --concurrency 64       a directory, with more requests at a time
  upload 'data/**/*.csv' s3://my-bucket/ --dry-run      what a pattern would send
  upload ./audio file:./copy/ --report run.csv          into a directory, with a report
  pg_dump db | upload - s3://my-bucket/ --key db.sql    standard input as one object
`

const footer = `
Every option is also an environment variable (--part-size: UPLOAD_PART_SIZE) and a key in .uploadrc.json ("partSize").
Flags win over variables, variables over the file. Sizes: 8MiB, 10MB, 1048576. Times: 500ms, 30s, 5m.
Exit codes: 0 all uploaded, 1 some files failed, 2 wrong usage (nothing sent), 3 could not go on, 130/143/141 stopped.`

/**
 * Carries out a command line.
 *
 * @param argv - Without the program itself.
 * @returns the exit code
 * @throws UsageError where the command line cannot be read; what the command throws.
 */
export async function runProgram(argv: readonly string[], host: Host): Promise<number> {
  const [first] = argv
  if (first !== undefined && laterCommands.includes(first)) {
    throw new UsageError(`upload ${first} is not yet available (a file of that name is ./${first})`)
  }
  const command = createCommand(host)
  const args = argv.length === 1 && first === 'help' ? ['--help'] : first === 'run' ? argv.slice(1) : argv
  try {
    command.parse(args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return 0
    const message = error.message.replace(/^error: /, '')
    const [, unknown = ''] = /^unknown option '(.*)'/s.exec(message) ?? []
    const isFile = args.includes(unknown) && existsSync(resolve(host.cwd, unknown))
    throw new UsageError(isFile ? `${message} (a file of that name is ./${unknown})` : message)
  }
  return run({ argv, flags: readFlags(command), args: command.args }, host)
}

/** The main job's command, which prints its help and version to the host. */
export function createCommand(host: Pick<Host, 'stdout'>): Command {
  const command = new Command('upload')
    .usage('[run] [options] <source...> [destination]')
    .argument('[source...]', 'files, directories, patterns, or - for standard input; the destination may come last')
    .addHelpText('before', examples)
    .addHelpText('after', footer)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void host.stdout.write(text),
      writeErr: () => {},
      outputError: () => {},
      getOutHelpWidth: () => host.stdout.columns ?? 100,
      getOutHasColors: () => false,
    })
  addOptions(command)
  return command
    .optionsGroup('About:')
    .helpOption('-h, --help', 'print this help')
    .version(packageJson.version, '-V, --version', 'print the version')
}
