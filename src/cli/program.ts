import type { Command } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { laterCommands } from '../config/options/later-options.ts'
import { UsageError } from '../errors.ts'
import { newCommand, parseArgs } from './command.ts'
import { commands } from './commands.ts'
import type { Host } from './host.ts'
import { addOptions, readFlags } from './options.ts'
import { type Invocation, run } from './run.ts'

const examples = `Upload many files to S3-compatible storage, to Supabase Storage, or into a directory.

Examples:
  upload ./audio/*.wav s3://my-bucket/audio/            files to a bucket
  upload ./audio s3://my-bucket/ --concurrency 64       a directory, with more requests at a time
  upload ./audio supabase://my-bucket/ --key-fix        to the project of SUPABASE_URL
  upload 'data/**/*.csv' s3://my-bucket/ --dry-run      what a pattern would send
  upload ./audio file:./copy/ --report run.csv          into a directory, with a report
  pg_dump db | upload - s3://my-bucket/ --key db.sql    standard input as one object

Commands (each with a --help of its own):
  upload undo <report>                                  take back what a run created
  upload verify <report>                                check what a run uploaded
  upload cleanup <destination>                          remove half-sent uploads left behind
  upload rollout status|promote|rollback|…              look after a staged rollout
  upload init                                           write a .uploadrc.json to begin with
`

const footer = `
Every option is also an environment variable (--part-size: UPLOAD_PART_SIZE) and a key in .uploadrc.json ("partSize").
Flags win over variables, variables over the file. Sizes: 8MiB, 10MB, 1048576. Times: 500ms, 30s, 5m.
Exit codes: 0 all uploaded, 1 some files failed, 2 wrong usage (nothing sent), 3 could not go on, 4 halted by a limit,
130/143/141 stopped.`

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
  const help = first === 'help' && argv.length <= 2
  const named = help ? argv[1] : first
  const load = named === undefined ? undefined : commands.get(named)
  if (load !== undefined) return (await load())(help ? ['--help'] : argv.slice(1), host)
  const command = createCommand(host)
  const args = argv.length === 1 && help ? ['--help'] : first === 'run' ? argv.slice(1) : argv
  if (!parseArgs(command, args, host)) return 0
  const readLine = (then: readonly string[]): ReturnType<typeof readAgain> => readAgain(then, host)
  return run({ argv, flags: readFlags(command), args: command.args, readLine }, host)
}

/** The command line of an earlier run of the main job. */
function readAgain(argv: readonly string[], host: Host): Pick<Invocation, 'flags' | 'args'> {
  const command = createCommand(host)
  parseArgs(command, argv[0] === 'run' ? argv.slice(1) : argv, host)
  return { flags: readFlags(command), args: command.args }
}

/** The main job's command, which prints its help and version to the host. */
export function createCommand(host: Pick<Host, 'stdout'>): Command {
  const command = newCommand('upload', host)
    .usage('[run] [options] <source...> [destination]')
    .argument('[source...]', 'files, directories, patterns, or - for standard input; the destination may come last')
    .addHelpText('before', examples)
    .addHelpText('after', footer)
  addOptions(command)
  return command
    .optionsGroup('About:')
    .helpOption('-h, --help', 'print this help')
    .version(packageJson.version, '-V, --version', 'print the version')
}
