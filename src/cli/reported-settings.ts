import { resolve } from 'node:path'
import type { CommandSettings } from '../config/command-settings.ts'
import { flagsWithoutEffect } from '../config/destination-fit.ts'
import { isSupabaseUrl, parseDestinationUrl } from '../config/destination-url.ts'
import { fault } from '../config/given.ts'
import type { OptionKey } from '../config/options.ts'
import type { S3Settings, Settings } from '../config/settings.ts'
import { otherProject } from '../config/supabase-rules.ts'
import { UsageError } from '../errors.ts'
import type { RunRecord } from '../observe/records.ts'

/**
 * The settings to reach the destination of a recorded run with. It is reached as that run reached it, unless the command
 * line says otherwise; credentials are those of now, and a report cannot switch off the verification of certificates or
 * say where the key of a Supabase project goes.
 *
 * @throws UsageError where the record names no destination, or a Supabase project that is not the one named now.
 */
export function reportedSettings({ to, cwd, config }: RunRecord, { settings, byFlag }: CommandSettings): Settings {
  const recorded = isFields(config?.s3) ? config.s3 : {}
  const { s3 } = settings
  const text = (key: OptionKey & keyof S3Settings): string | undefined => {
    const value = recorded[key]
    return byFlag.has(key) || typeof value !== 'string' ? (s3[key] as string | undefined) : value
  }
  const recordedEndpoint = typeof recorded.endpointUrl === 'string' ? recorded.endpointUrl : undefined
  const pathStyle = text('pathStyle')
  const destination = destinationOf(to, cwd)
  const faults = flagsWithoutEffect(destination, byFlag)
  const project = isSupabaseUrl(destination) ? projectProblem(config, settings) : undefined
  if (project !== undefined) faults.push(project)
  if (faults.length > 0) throw new UsageError(faults)
  return {
    ...settings,
    to: destination,
    s3: {
      // Without one, the run went to AWS, whatever this machine's environment names.
      endpointUrl: isFields(config?.s3) && !byFlag.has('endpointUrl') ? recordedEndpoint : s3.endpointUrl,
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

/** A directory is where it was from where the run was begun. */
function destinationOf(to: string, cwd: string): string {
  try {
    const url = parseDestinationUrl(to)
    return url.scheme === 'file' ? parseDestinationUrl(`file:${resolve(cwd, url.directory)}/`).url : url.url
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    throw new UsageError(fault('destination', `the report names none that can be reached: ${error.message}`))
  }
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
