import { access, constants, stat } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { UsageError } from '../errors.ts'
import { tokensOfFiles, tokensOfOneRun } from '../plan/keys/key-template.ts'
import { fitToDestination, type Layers } from './destination-fit.ts'
import { type Environment, givenByEnvironment } from './environment.ts'
import { type ConfigFile, type ConfigSearch, readConfigFile } from './file/config-file.ts'
import { givenByConfig } from './file/config-values.ts'
import { chooseLevels, namedBy } from './file/preset.ts'
import { defaultPlace, fitRoutes, placesOf, toRoutes } from './file/routes.ts'
import { toRules } from './file/rules.ts'
import { fault, type GivenValue, shown } from './given.ts'
import { flagOf } from './options/option-spec.ts'
import { type OptionKey, optionKeys } from './options/options.ts'
import { readPositionals } from './positionals.ts'
import { fitRules } from './property-fit.ts'
import { type Resolved, resolveOptions } from './resolve.ts'
import { candidatePlaces, fitCandidates, toRollout } from './rollout/candidates.ts'
import { chooseRollout, engineFaults, routesUnder } from './rollout/choose.ts'
import { readRolloutVariables } from './rollout/variables.ts'
import { selectionFaults } from './selection-fit.ts'
import type { S3Settings, Settings, SupabaseSettings } from './settings.ts'
import { toSettings } from './to-settings.ts'

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
  /** The present, in milliseconds since the epoch, where it is not the system's. */
  readonly nowMs?: number
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
 * The run's settings: flag over environment over preset over config file over default.
 *
 * @throws UsageError with every fault there is, whichever of them it lies in.
 */
export async function loadSettings(input: SettingsInput): Promise<Settings> {
  const { sources, destination, faults: argumentFaults } = readPositionals(input.args)
  const config = input.findConfig === false ? undefined : await readConfigFile({ ...input, named: namedConfig(input) })
  const fromConfig = config?.json === undefined ? undefined : givenByConfig(config.json, config.path, config.named)
  const { levels, faults: presetFaults } = chooseLevels(namedBy('preset', input.flags, input.env), config, fromConfig)
  const variables = readRolloutVariables(input.env)
  const choice = chooseRollout(fromConfig?.rollout, variables)
  const { rollout } = choice
  const rules = levels.find((level) => level.rules !== undefined)?.rules ?? []
  const routes = routesUnder(choice, levels.find((level) => level.routes !== undefined)?.routes ?? [])
  const argument = destination === undefined ? [] : [{ key: 'to', value: destination, from: 'last argument' } as const]
  const [commandLine, environment, ...weaker]: Layers = [
    [...givenByFlags(input.flags), ...argument],
    [...givenByEnvironment(input.env), ...choice.engine],
    ...levels.map((level) => level.given),
  ]
  const given = [commandLine, environment, ...weaker].flat()
  const place = given.some(({ key }) => key === 'to') ? [] : defaultPlace(routes)
  const resolved = resolveOptions([...place, ...given])
  const asked = askedRepeat(input, sources, resolved)
  if (input.repeat !== undefined && asked !== undefined && argumentFaults.length === 0) {
    return loadSettings({ ...input, repeat: undefined, ...(await input.repeat(asked)) })
  }
  const layers: Layers = [commandLine, environment, place, ...weaker]
  const others = [...candidatePlaces(rollout, resolved.values), ...placesOf(routes, resolved.values)]
  const fitted = fitToDestination(resolved, layers, undefined, others)
  const { values } = fitted
  const fittedRoutes = fitRoutes(routes, layers, values)
  const candidates = fitCandidates(rollout, { run: fitted, routes: fittedRoutes, layers })
  const everywhere = [values, ...fittedRoutes.fitted.map((route) => route.values), ...candidates.fitted]
  const fittedRules = fitRules(
    rules,
    everywhere.filter((one) => one !== undefined),
  )
  const faults = [
    ...argumentFaults,
    ...resolved.faults,
    ...(config?.faults ?? []),
    ...(fromConfig?.faults ?? []),
    ...(fromConfig?.entryFaults ?? []),
    ...presetFaults,
    ...fitted.faults,
    ...fittedRoutes.faults,
    ...candidates.faults,
    ...fittedRules.faults,
    ...variables.faults,
    ...engineFaults([...commandLine, ...environment], choice),
    ...sourceFaults(sources, resolved),
    ...selectionFaults(resolved, input.nowMs ?? Date.now()),
    ...resumeFaults(resolved),
    ...destinationFaults(
      destination !== undefined && input.flags.to !== undefined,
      resolved,
      config,
      routes.length > 0,
    ),
    ...(await keyFaults(sources, resolved, input.cwd)),
    ...(await fileFaults(resolved, input.cwd)),
  ]
  if (faults.length > 0 || values.to === undefined) throw new UsageError([...new Set(faults)])
  const settings = toSettings({ ...values, to: values.to }, sources, config?.path)
  const ignored = [fitted, fittedRoutes, candidates, fittedRules].flatMap((one) => one.ignored)
  const warnings = [...choice.warnings, ...candidates.warnings]
  const run = { ...settings, rules: toRules(rules, layers), ignored: [...new Set(ignored)], warnings }
  return {
    ...run,
    routes: toRoutes(fittedRoutes.fitted, run),
    rollout: rollout === undefined ? undefined : toRollout(rollout, candidates.fitted, run),
  }
}

/** What the command line gives. */
export function givenByFlags(flags: SettingsInput['flags']): GivenValue[] {
  return optionKeys
    .filter((key) => flags[key] !== undefined)
    .map((key) => ({ key, value: flags[key], from: flagOf(key) }))
}

/** The config file that somebody named, and where. */
export function namedConfig({ flags, env }: Pick<SettingsInput, 'flags' | 'env'>): ConfigSearch['named'] {
  const named = namedBy('config', flags, env)
  return named === undefined ? undefined : { path: named.name, from: named.from }
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
  const ofOneRun = values.resumeFrom === 'server' && values.key !== undefined ? tokensOfOneRun(values.key) : []
  if (given !== undefined && ofOneRun.length > 0) {
    const why = `at the destination nothing tells which keys ${ofOneRun.join(' and ')} made`
    return [fault(given.from, `${why}; give the journal of the run instead of server`)]
  }
  if (!values.dryRun || given === undefined || !(values.resume || values.resumeFrom !== undefined)) return []
  return [fault(given.from, 'a dry run shows what a run from scratch would send; leave one of the two out')]
}

function sourceFaults(sources: readonly string[], { values: { filesFrom, key }, chosen }: Resolved): string[] {
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
  const unknown = stdin > 0 && key !== undefined ? tokensOfFiles(key) : []
  if (unknown.length > 0) {
    faults.push(
      `--key: standard input (-) has no ${unknown.join(' or ')} before it is read; name its object without, or upload a file`,
    )
  }
  return faults
}

function destinationFaults(
  twice: boolean,
  { chosen }: Resolved,
  config: ConfigFile | undefined,
  hasRoutes: boolean,
): string[] {
  if (twice) return ['a destination is given twice: by --to and as the last argument; keep one']
  // A config that cannot be read may well have named one.
  const mayBeNamed = chosen.has('to') || (config !== undefined && config.json === undefined)
  if (mayBeNamed) return []
  const ways = 'give --to s3://bucket/prefix/, or set UPLOAD_TO, or "to" in .uploadrc.json'
  if (hasRoutes) {
    return [`no destination for files that meet no route: ${ways}, or end "routes" with one that has only "to"`]
  }
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
