import type { CommandSettings } from '../config/command-settings.ts'
import { flagsWithoutEffect } from '../config/destination-fit.ts'
import { isSupabaseUrl, parseDestinationUrl } from '../config/destination-url.ts'
import { fault } from '../config/given.ts'
import type { OptionKey } from '../config/options/options.ts'
import type { S3Settings, Settings } from '../config/settings.ts'
import { otherProject } from '../config/supabase-rules.ts'
import { UsageError } from '../errors.ts'
import { reachedAs, recordedDestinations, settledUrl } from '../observe/recorded-destinations.ts'
import type { RunRecord } from '../observe/records.ts'
import { printable } from '../printable.ts'

/**
 * How the destinations of a recorded run are reached now, by the URL that its lines name. Each is reached as that run
 * reached it last, unless the command line says otherwise; credentials are those of now, and a report cannot switch off the
 * verification of certificates or say where the key of a Supabase project goes.
 *
 * @param runs of its invocations, in their order: routes may have changed between them
 * @returns for the URL in a line; throws a UsageError for one that the run did not name, or cannot be reached
 * @throws UsageError where the record names no destination of its own, or a flag has no effect for any of them.
 */
export function reportedSettings(
  runs: readonly RunRecord[],
  command: CommandSettings,
): (destination: string) => Settings {
  const urls = runs.flatMap((run) => recordedDestinations(run).map((url) => settledDestination(url, run.cwd)))
  const faults = urls.map((url) => flagsWithoutEffect(url, command.byFlag))
  const [ofOwn = []] = faults
  if (faults.every((some) => some.length > 0)) throw new UsageError(ofOwn)
  const known = new Map<string, Settings>()
  const cwd = runs.at(-1)?.cwd ?? '/'
  return (destination) => {
    const url = settledDestination(destination, cwd)
    const settings = known.get(url) ?? settingsAt(url, runs, command)
    known.set(url, settings)
    return settings
  }
}

/** @param destination its URL, in one form */
function settingsAt(destination: string, runs: readonly RunRecord[], { settings, byFlag }: CommandSettings): Settings {
  const run = runs.findLast((each) => reachedAs(each, destination) !== undefined)
  const reached = run && reachedAs(run, destination)
  if (run === undefined || reached === undefined) {
    const why = 'the report does not say how it was reached'
    throw new UsageError(fault('destination', `${printable(destination)} cannot be reached: ${why}`))
  }
  const { s3 } = settings
  const recorded = reached.s3 ?? {}
  const text = (key: OptionKey & keyof S3Settings): string | undefined => {
    const value = recorded[key]
    return byFlag.has(key) || typeof value !== 'string' ? (s3[key] as string | undefined) : value
  }
  const recordedEndpoint = typeof recorded.endpointUrl === 'string' ? recorded.endpointUrl : undefined
  const pathStyle = text('pathStyle')
  const project = isSupabaseUrl(destination) ? projectProblem(run.config, settings) : undefined
  if (project !== undefined) throw new UsageError(project)
  return {
    ...settings,
    to: destination,
    s3: {
      // Without one, the run went to AWS, whatever this machine's environment names.
      endpointUrl: reached.s3 !== undefined && !byFlag.has('endpointUrl') ? recordedEndpoint : s3.endpointUrl,
      region: text('region'),
      profile: text('profile'),
      pathStyle: pathStyle === 'on' || pathStyle === 'off' ? pathStyle : 'auto',
      signRequest: s3.signRequest && recorded.signRequest !== false,
    },
  }
}

function projectProblem(config: RunRecord['config'], { supabase }: Settings): string | undefined {
  const recorded = isFields(config?.supabase) ? config.supabase.url : undefined
  return otherProject(typeof recorded === 'string' ? recorded : undefined, supabase.url)
}

/** In one form; a directory is where it was from where the run was begun. */
function settledDestination(to: string, cwd: string): string {
  try {
    parseDestinationUrl(to)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    throw new UsageError(fault('destination', `the report names none that can be reached: ${error.message}`))
  }
  return settledUrl(to, cwd)
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
