import { EventEmitter, on } from 'node:events'
import { closest } from 'fastest-levenshtein'
import type { Environment } from './config/environment.ts'
import { loadSettings } from './config/load.ts'
import { optionKeys, options as optionTable } from './config/options/options.ts'
import { UsageError } from './errors.ts'
import { homeDirectory } from './home.ts'
import type { UploadEvent } from './observe/events.ts'
import type { SummaryRecord } from './observe/records.ts'
import type { RepeatedRun } from './resume/repeat-run.ts'
import { runUpload } from './upload.ts'
import type { UploadOptions } from './upload-options.ts'

/**
 * A run under way. Iterate it for its events; those of before the iteration began are not repeated, so begin in the
 * same turn as the run.
 */
export interface UploadRun extends AsyncIterable<UploadEvent> {
  /**
   * The end of it. Files that failed do not reject it: see `failed` and `exitCode`. Rejects with a `UsageError` where
   * nothing could be sent, or with an `UploadError` where no journal can be kept.
   */
  readonly summary: Promise<SummaryRecord>
}

/**
 * Uploads files: the program's main job without its terminal. Reads no config file and none of the program's own
 * environment variables; AWS credentials come from where AWS's tools look for them, a Supabase project and its key from
 * `SUPABASE_URL` and `SUPABASE_SERVICE_ROLE_KEY`. Prints nothing, exits nothing, sets no signal handlers.
 */
export function upload({ sources = [], signal, ...options }: UploadOptions): UploadRun {
  const emitter = new EventEmitter()
  const begin = async (): Promise<SummaryRecord> => {
    // The caller gets the chance to listen first.
    await undefined
    refuseUnknown(options)
    let repeated: RepeatedRun | undefined
    const settings = await loadSettings({
      flags: options,
      args: sources,
      env: providersVariables(process.env),
      cwd: process.cwd(),
      home: homeDirectory(),
      uid: process.getuid?.(),
      findConfig: false,
      repeat: async (asked) => {
        const { repeatAsked } = await import('./resume/repeat-run.ts')
        repeated = await repeatAsked(asked, { flags: options, args: sources }, { cwd: process.cwd(), env: process.env })
        return repeated
      },
    })
    return runUpload({
      settings,
      argv: [],
      journal: repeated?.journal,
      ...(repeated === undefined ? {} : { surroundings: { cwd: repeated.cwd } }),
      signal: signal ?? new AbortController().signal,
      listener: (event) => emitter.emit('event', event),
    })
  }
  const summary = begin().finally(() => emitter.emit('end'))
  // Whoever only iterates is told by the iteration's end; a rejection is for those who ask.
  summary.catch(() => undefined)
  return { summary, [Symbol.asyncIterator]: () => events(emitter) }
}

/** What names a Supabase project; AWS's own library reads AWS's variables itself. */
function providersVariables(env: NodeJS.ProcessEnv): Environment {
  return Object.fromEntries(optionTable.supabaseUrl.alsoFrom.map((name) => [name, env[name]]))
}

/** Options that are a terminal's affair. */
const terminalOptions: readonly string[] = [
  'config',
  'dryRun',
  'json',
  'noColor',
  'preset',
  'progress',
  'quiet',
  'verbose',
]

/** A program in plain JavaScript has no types to tell it of a misspelt option, which would do nothing. */
function refuseUnknown(given: object): void {
  const known = optionKeys.filter((key) => !terminalOptions.includes(key))
  const unknown = Object.keys(given).filter((key) => !known.some((option) => option === key))
  if (unknown.length === 0) return
  throw new UsageError(unknown.map((key) => `unknown option "${key}"; did you mean "${closest(key, known)}"?`))
}

async function* events(emitter: EventEmitter): AsyncGenerator<UploadEvent> {
  for await (const [event] of on(emitter, 'event', { close: ['end'] })) yield event as UploadEvent
}
