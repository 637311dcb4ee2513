import { type Fitted, fitToDestination, type Layers } from '../destination-fit.ts'
import { fault, type GivenValue } from '../given.ts'
import type { OptionKey, OptionValues } from '../options/options.ts'
import type { Place } from '../property-fit.ts'
import { resolveOptions } from '../resolve.ts'
import type { Route, Settings } from '../settings.ts'
import { toSettings } from '../to-settings.ts'
import { entrySections, type GivenEntry } from './config-entries.ts'

/** Where a route sends files. What the command line and the environment say of it is about the run's own destination. */
const placeKeys: ReadonlySet<OptionKey> = new Set(['to', ...Object.values(entrySections.routes.s3)])

/** Routes whose values are chosen, and what is wrong with them. */
export interface FittedRoutes {
  readonly fitted: readonly FittedRoute[]
  readonly faults: readonly string[]
  /** What was given in general and has no effect at a route's destination, a line each. */
  readonly ignored: readonly string[]
}

export interface FittedRoute {
  readonly entry: GivenEntry
  readonly values: OptionValues
}

/** Options of a route, or of what stands in its stead. */
type Giving = Pick<GivenEntry, 'given'>

/** Some options, where they stand, and what was chosen with them. */
interface SettledPlace {
  readonly entry: Pick<GivenEntry, 'name' | 'skip' | 'given'>
  readonly values: OptionValues
}

/**
 * Chooses the values of each route: its place is its own; for all else a flag or a variable is stronger, and the rest of
 * the config weaker.
 *
 * @param layers - With the {@link defaultPlace} behind the environment.
 * @param run - What was chosen for the run itself.
 */
export function fitRoutes(entries: readonly GivenEntry[], layers: Layers, run: OptionValues): FittedRoutes {
  const fitted = entries.map((entry): Fitted & FittedRoute => {
    if (entry.skip) return { entry, values: run, faults: [], ignored: [] }
    // What the command line says was not said for a place that the route names.
    const own: Layers = [[], [], entry.given, ...layers]
    return { entry, ...fitToDestination(resolveOptions(byStrength(entry, layers)), own, originOf(entry)) }
  })
  return {
    fitted,
    faults: [...fitted.flatMap(({ faults }) => faults), ...sharedPlaces(run, fitted)],
    ignored: fitted.flatMap(({ entry, ignored }) => ignored.map((line) => `${line} (${entry.name})`)),
  }
}

/** All that is given where a route holds, the strongest first; for one that gives nothing that is what the run has. */
export function byStrength(entry: Giving, layers: Layers): readonly GivenValue[] {
  const [commandLine, environment, usual = [], ...weaker] = layers
  const own = placeOf(entry)
  const place = originOf(entry) === undefined ? [...own, ...usual] : own
  const rest = entry.given.filter((one) => !own.includes(one))
  return [...place, ...commandLine, ...environment, ...rest, ...weaker.flat()]
}

/** @param run - The run's settings, its destination known. */
export function toRoutes(fitted: readonly FittedRoute[], run: Settings): Route[] {
  return fitted.map(({ entry: { name, when, skip }, values }) => {
    // A route without a destination has the run's.
    const settings = toSettings({ ...values, to: values.to as string }, run.sources, run.configFile)
    return { name, when, skip, settings: { ...settings, rules: run.rules, routes: [] } }
  })
}

/** Where files go that meet no route, if nobody says: to where the first route sends them that is about all files. */
export function defaultPlace(entries: readonly GivenEntry[]): readonly GivenValue[] {
  const last = entries.find(
    ({ when: { match, type, minSize, maxSize }, given }) =>
      match.length + type.length === 0 &&
      minSize === undefined &&
      maxSize === undefined &&
      given.some(({ key }) => key === 'to'),
  )
  return last === undefined ? [] : placeOf(last)
}

/**
 * Where routes send files, as they say it; what they leave open is as for the run.
 *
 * @param run - What was chosen for the run itself.
 */
export function placesOf(
  entries: readonly Giving[],
  { to, endpointUrl }: Pick<OptionValues, 'to' | 'endpointUrl'>,
): Place[] {
  return entries.flatMap((entry) => {
    const own = new Map(placeOf(entry).map(({ key, value }) => [key, String(value)]))
    const url = own.get('to') ?? to
    return own.size === 0 || url === undefined ? [] : [{ to: url, endpointUrl: own.get('endpointUrl') ?? endpointUrl }]
  })
}

/** What is given of a place. */
export function placeOf({ given }: Giving): readonly GivenValue[] {
  return given.filter(({ key }) => placeKeys.has(key))
}

/** Where a destination is given, for messages. */
export function originOf({ given }: Giving): string | undefined {
  return given.find(({ key }) => key === 'to')?.from
}

/** Faults for destinations of one name in two places: an object's URL in a report would mean either. */
export function sharedPlaces(run: OptionValues, fitted: readonly SettledPlace[]): string[] {
  const known = new Map<string, { readonly values: OptionValues; readonly name: string }>()
  if (run.to !== undefined) known.set(run.to, { values: run, name: 'the run itself' })
  const faults: string[] = []
  for (const { entry, values } of fitted) {
    const { to } = values
    const [own] = placeOf(entry)
    if (entry.skip || to === undefined || own === undefined) continue
    const before = known.get(to)
    if (before === undefined) known.set(to, { values, name: entry.name })
    else if (to.startsWith('s3://') && !isSamePlace(before.values, values)) {
      const why = 'with another endpoint or profile, so that a report could not tell their objects apart'
      faults.push(fault(own.from, `${to} is where ${before.name} sends files, but ${why}; give one another prefix`))
    }
  }
  return faults
}

function isSamePlace(one: OptionValues, other: OptionValues): boolean {
  return one.endpointUrl === other.endpointUrl && one.profile === other.profile
}
