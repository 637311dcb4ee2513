import { access, open, rm } from 'node:fs/promises'
import { isAbsolute, join, relative, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { fault } from '../config/given.ts'
import { checkValue } from '../config/resolve.ts'
import { destination } from '../config/values.ts'
import { UsageError } from '../errors.ts'
import { printable } from '../printable.ts'
import { newCommand, parseArgs } from './command.ts'
import type { Host } from './host.ts'

const before = `Write .uploadrc.json into the working directory, to begin with. It never replaces one.

Examples:
  upload init                                           a start, to be changed
  upload init --to s3://my-bucket/audio/                with the destination
`

const after = '\nExit codes: 0 written, 2 not written (there is one already, or it cannot be).'

const fileName = '.uploadrc.json'

/** Where no destination is named: it needs no server, and a name made up might be somebody's bucket. */
const usualDestination = 'file:./uploaded/'

/** Beside the bundles, which are all one folder below it. */
const installedSchema = new URL('../uploadrc.schema.json', import.meta.url)

/**
 * `upload init`.
 *
 * @param schema - Where the JSON Schema for editors is.
 * @returns the exit code
 * @throws UsageError where the command line cannot be carried out, or no file can be written.
 */
export async function runInit(args: readonly string[], host: Host, schema = installedSchema): Promise<number> {
  const command = newCommand('upload init', host)
    .usage('[options]')
    .addHelpText('before', before)
    .addHelpText('after', after)
    .option('--to <URL>', 'where files go: s3://bucket/prefix/, supabase://bucket/prefix/ or file:./dir/')
    .optionsGroup('About:')
    .helpOption('-h, --help', 'print this help')
  if (!parseArgs(command, args, host)) return 0
  const { to } = command.opts<{ to?: string }>()
  const { value = usualDestination, faults } = to === undefined ? { faults: [] } : checkValue(destination(), to, '--to')
  if (faults.length > 0) throw new UsageError(faults)

  const path = join(host.cwd, fileName)
  await writeNew(path, `${JSON.stringify(startingConfig(value, await schemaFrom(host.cwd, schema)), null, 2)}\n`)
  const next =
    to === undefined
      ? `put your destination in its "to" (now ${usualDestination}), then try: upload <files> --dry-run`
      : 'try: upload <files> --dry-run'
  host.stderr.write(`upload: wrote ${printable(path)}; ${next}\n`)
  return 0
}

/** What most people change first, at its defaults where it has one. */
function startingConfig(to: string, schema: string | undefined): Readonly<Record<string, unknown>> {
  return {
    ...(schema === undefined ? {} : { $schema: schema }),
    to,
    exclude: ['*.tmp', '*.part'],
    concurrency: 'auto',
    retries: 8,
    ifExists: 'overwrite',
    report: ['upload-report.jsonl'],
  }
}

/** How a config names the schema: by a path from where it stands, or by a URL where the schema lies elsewhere. */
async function schemaFrom(cwd: string, schema: URL): Promise<string | undefined> {
  const path = fileURLToPath(schema)
  const isThere = await access(path).then(
    () => true,
    () => false,
  )
  if (!isThere) return undefined
  const way = relative(cwd, path)
  const isInside = way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
  return isInside ? `./${way.split(sep).join('/')}` : pathToFileURL(path).href
}

/** @throws UsageError where it is there, or cannot be written. */
async function writeNew(path: string, text: string): Promise<void> {
  let created = false
  try {
    // Nobody else may write it, whatever the umask: such a config is refused.
    const handle = await open(path, 'wx', 0o644)
    created = true
    try {
      await handle.writeFile(text)
    } finally {
      await handle.close()
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (created) await rm(path, { force: true })
    else if (code === 'EEXIST') {
      throw new UsageError(fault(path, 'is there already, and stays as it is; move it away to begin anew'))
    }
    throw new UsageError(fault(path, `cannot be written (${code})`))
  }
}
