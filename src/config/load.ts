import { access, constants, stat } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { UsageError } from '../errors.ts'
import { type ConfigFile, readConfigFile } from './config-file.ts'
import { givenByConfig } from './config-values.ts'
import { fitToDestination, type Layers } from './destination-fit.ts'
import { type Environment, givenByEnvironment } from './environment.ts'
import { fault, type GivenValue, shown } from './given.ts'
import { flagOf, variableOf } from './option-spec.ts'
import { type OptionKey, type OptionValues, optionKeys } from './options.ts'
import { readPositionals } from './positionals.ts'
import { type Resolved, resolveOptions } from './resolve.ts'
import type { S3Settings, Settings, SupabaseSettings } from './settings.ts'

/** Everything settings are made from. */
export interface SettingsInput {
  /** Options as the command line has them: text, `true`, or a list of texts. */
  readonly flags: Readonly<Partial<Record<OptionKey, unknown>>>
  /** Arguments that are no options. */
  readonly args: readonly string[]
  readonly env: Environment
  readonly cwd: string
  readonly home: string | undefined
  /** The user's id; undefined where the system has none (Windows). */
  readonly uid: number | undefined
  /** False: no config file is looked for, as in a library that answers for its settings itself. */
  readonly findConfig?: boolean
  /** Finds out what a command line without sources stands for that is to continue a run. Absent: nothing. */
  readonly repeat?: ((asked: AskedRepeat) => Promise<Pick<SettingsInput, 'flags' | 'args' | 'cwd'>>) | undefined
}

/** Which run is to be continued. */
export interface AskedRepeat {
  /** The journal that was named; undefined for the newest unfinished run. */
  readonly resumeFrom: string | undefined
  /** Where the command line itself sends things; undefined where it does not say. */
  readonly destination: { readonly to: string; readonly s3: Pick<S3Settings, 'endpointUrl' | 'profile'> } | undefined
  /** The project that is named now, whatever destination it is for: its key goes nowhere else. */
  readonly supabase: SupabaseSettings
}

/**
 * The run's settings: flag over environment over config file over default.
 *
 * @throws UsageError with every fault there is, whichever of them it lies in.
 */
export async function loadSettings(input: SettingsInput): Promise<Settings> {
  const { sources, destination, faults: argumentFaults } = readPositionals(input.args)
  const config = input.findConfig === false ? undefined : await readConfigFile({ ...input, named: namedConfig(input) })
  const fromConfig = config?.json === undefined ? undefined : givenByConfig(config.json, config.path, config.named)
  const argument = destination === undefined ? [] : [{ key: 'to', value: destination, from: 'last argument' } as const]
  const layers: Layers = [
    [...givenByFlags(input.flags), ...argument],
    givenByEnvironment(input.env),
    fromConfig?.given ?? [],
  ]
  const resolved = resolveOptions(layers.flat())
  const asked = askedRepeat(input, sources, resolved)
  if (input.repeat !== undefined && asked !== undefined && argumentFaults.length === 0) {
    return loadSettings({ ...input, repeat: undefined, ...(await input.repeat(asked)) })
  }
  const fitted = fitToDestination(resolved, layers)
  const { values, ignored } = fitted
  const faults = [
    ...argumentFaults,
    ...resolved.faults,
    ...(config?.faults ?? []),
    ...(fromConfig?.faults ?? []),
    ...fitted.faults,
    ...rolloutFaults(input.env),
    ...sourceFaults(sources, resolved),
    ...resumeFaults(resolved),
    ...destinationFaults(destination !== undefined && input.flags.to !== undefined, resolved, config),
    ...(await keyFaults(sources, resolved, input.cwd)),
    ...(await fileFaults(resolved, input.cwd)),
  ]
  if (faults.length > 0 || values.to === undefined) throw new UsageError([...new Set(faults)])
  return { ...toSettings({ ...values, to: values.to }, sources, config?.path), ignored }
}

/** What the command line gives. */
export function givenByFlags(flags: SettingsInput['flags']): GivenValue[] {
  return optionKeys
    .filter((key) => flags[key] !== undefined)
    .map((key) => ({ key, value: flags[key], from: flagOf(key) }))
}

interface NamedConfig {
  readonly path: string
  readonly from: string
}

/** The config file that somebody named, and where. */
export function namedConfig({ flags, env }: Pick<SettingsInput, 'flags' | 'env'>): NamedConfig | undefined {
  if (typeof flags.config === 'string') return { path: flags.config, from: flagOf('config') }
  const variable = variableOf('config')
  const path = env[variable]
  return path ? { path, from: variable } : undefined
}

/** A rollout that somebody switched on by the environment must not be taken for one that runs. */
function rolloutFaults(env: Environment): string[] {
  const variable = 'ASYNC_UPLOAD_ENABLED'
  const isOff = ['', '0', 'false'].includes((env[variable] ?? '').toLowerCase())
  return isOff ? [] : [fault(variable, 'a staged rollout is not yet available; unset it')]
}

/** Undefined where there are sources, where no run is to be continued, and where it cannot be known which. */
function askedRepeat(
  { flags, args }: SettingsInput,
  sources: readonly string[],
  { values, chosen, faults }: Resolved,
): AskedRepeat | undefined {
  const { resume, resumeFrom, to, endpointUrl, profile, supabaseUrl } = values
  if (sources.length > 0 || chosen.has('filesFrom') || faults.length > 0 || values.dryRun) return undefined
  if (resumeFrom === 'server' || (!resume && resumeFrom === undefined)) return undefined
  // What the environment or a config file say belongs to runs in general, not to the one that is meant.
  const isNamed = flags.to !== undefined || args.length > 0
  const destination = isNamed && to !== undefined ? { to, s3: { endpointUrl, profile } } : undefined
  return { resumeFrom, destination, supabase: { url: supabaseUrl } }
}

function resumeFaults({ values, chosen }: Resolved): string[] {
  const given = chosen.get(values.resumeFrom === undefined ? 'resume' : 'resumeFrom')
  if (!values.dryRun || given === undefined || !(values.resume || values.resumeFrom !== undefined)) return []
  return [fault(given.from, 'a dry run shows what a run from scratch would send; leave one of the two out')]
}

function sourceFaults(sources: readonly string[], { values: { filesFrom }, chosen }: Resolved): string[] {
  const faults: string[] = []
  const stdin = sources.filter((source) => source === '-').length
  if (sources.length === 0 && !chosen.has('filesFrom')) {
    faults.push('nothing to upload: give files, directories or patterns, or --files-from FILE (see upload --help)')
  }
  if (stdin > 0 && filesFrom === '-') {
    faults.push('standard input cannot be both a source (-) and the list of sources (--files-from -)')
  }
  if (stdin > 1) faults.push('standard input (-) is given more than once')
  if (stdin > 0 && !chosen.has('key'))
    faults.push('standard input (-) has no name; give its object one with --key NAME')
  return faults
}

function destinationFaults(twice: boolean, { chosen }: Resolved, config: ConfigFile | undefined): string[] {
  if (twice) return ['a destination is given twice: by --to and as the last argument; keep one']
  // A config that cannot be read may well have named one.
  const mayBeNamed = chosen.has('to') || (config !== undefined && config.json === undefined)
  if (mayBeNamed) return []
  const ways = 'give --to s3://bucket/prefix/, or set UPLOAD_TO, or "to" in .uploadrc.json'
  return [`no destination: ${ways} (--to file:./dir/ needs no server)`]
}

/** Files that options name and that cannot be read: known here, they are told with all other faults. */
export async function fileFaults({ values, chosen }: Resolved, cwd: string): Promise<string[]> {
  const named: readonly (readonly [OptionKey, readonly (string | undefined)[]])[] = [
    ['caBundle', [values.caBundle]],
    ['excludeFrom', values.excludeFrom],
    ['filesFrom', [values.filesFrom === '-' ? undefined : values.filesFrom]],
    ['resumeFrom', [values.resumeFrom === 'server' ? undefined : values.resumeFrom]],
  ]
  const faults = named.flatMap(([key, files]) => {
    const given = chosen.get(key)
    if (given === undefined) return []
    return files.map(async (file) => {
      if (file === undefined) return undefined
      return access(resolve(cwd, file), constants.R_OK).then(
        () => undefined,
        ({ code }: NodeJS.ErrnoException) =>
          fault(given.from, `found ${shown(file)}, expected a file that can be read (${code})`),
      )
    })
  })
  return (await Promise.all(faults)).filter((found) => found !== undefined)
}

/** `upload a.wav s3://b/x.wav` means an object `x.wav`, as with other tools, but would make it a folder. */
async function keyFaults(sources: readonly string[], { values, chosen }: Resolved, cwd: string): Promise<string[]> {
  const to = chosen.get('to')?.value
  const [source, ...others] = sources
  if (source === undefined || others.length > 0 || values.filesFrom !== undefined || values.key !== undefined) return []
  if (values.to === undefined || typeof to !== 'string' || to.endsWith('/')) return []
  const ending = extname(to).toLowerCase()
  if (ending === '' || ending !== extname(source).toLowerCase() || !/^(?:s3|supabase):\/\/[^/]+\//.test(to)) return []
  const isDirectory = await stat(resolve(cwd, source)).then(
    (stats) => stats.isDirectory(),
    () => false,
  )
  if (isDirectory) return []
  const slash = to.lastIndexOf('/') + 1
  const remedy = `give --to ${shown(to.slice(0, slash))} --key ${shown(to.slice(slash))}`
  return [fault('destination', `${shown(to)} would be a folder, not the object's name; for one object ${remedy}`)]
}

/** The options' values as the rest of the program knows them. */
export function toSettings(
  values: OptionValues & { readonly to: string },
  sources: readonly string[],
  configFile: string | undefined,
): Settings {
  const { endpointUrl, region, profile, pathStyle, noSignRequest, caBundle, noVerifySsl } = values
  const { retries, retryDelay, retryMaxDelay, retryMaxTime, retryFailed } = values
  return {
    sources,
    filesFrom: values.filesFrom,
    null: values.null,
    base: values.base,
    flatten: values.flatten,
    key: values.key,
    keyFix: values.keyFix,
    include: values.include,
    exclude: values.exclude,
    excludeFrom: values.excludeFrom,
    allowEmpty: values.allowEmpty,
    to: values.to,
    s3: { endpointUrl, region, profile, pathStyle, signRequest: !noSignRequest },
    supabase: { url: values.supabaseUrl },
    tls: { caBundle, verify: !noVerifySsl },
    contentType: values.contentType,
    properties: { cacheControl: values.cacheControl, metadata: values.metadata },
    ifExists: values.ifExists,
    concurrency: values.concurrency,
    partSize: values.partSize,
    multipartThreshold: values.multipartThreshold,
    partConcurrency: values.partConcurrency,
    bufferSize: values.bufferSize,
    limitRate: values.limitRate,
    order: values.order,
    engine: values.engine,
    retry: {
      retries,
      retryDelayMs: retryDelay,
      retryMaxDelayMs: retryMaxDelay,
      retryMaxTimeMs: retryMaxTime,
      retryFailed,
    },
    timeouts: { requestMs: values.timeout, stallMs: values.stallTimeout },
    resume: values.resume || values.resumeFrom !== undefined,
    resumeFrom: values.resumeFrom,
    checksum: values.checksum,
    verify: values.verify,
    onChange: values.onChange,
    halt: { maxFailures: values.maxFailures, maxErrorRate: values.maxErrorRate, deadline: values.deadline },
    undoOnFailure: values.undoOnFailure,
    dryRun: values.dryRun,
    runId: values.runId,
    report: values.report,
    progress: values.progress,
    quiet: values.quiet,
    verbose: values.verbose,
    noColor: values.noColor,
    json: values.json,
    configFile,
    ignored: [],
  }
}
