import type { RolloutSettings } from '../../rollout/rollout-settings.ts'
import { type Fitted, fitToDestination, type Layers, ofS3 } from '../destination-fit.ts'
import type { GivenEntry } from '../file/config-entries.ts'
import { byStrength, type FittedRoutes, originOf, placeOf, placesOf, sharedPlaces } from '../file/routes.ts'
import { fault, type GivenValue, shown } from '../given.ts'
import type { OptionKey, OptionValues } from '../options/options.ts'
import type { Place } from '../property-fit.ts'
import { resolveOptions } from '../resolve.ts'
import type { Settings } from '../settings.ts'
import { toSettings } from '../to-settings.ts'
import type { ChosenRollout } from './choose.ts'

/** What a candidate makes of the settings of a run, and what is wrong with that. */
export interface FittedCandidates {
  /** Of those of the run itself, then of each route's; undefined for a route that leaves it nothing to change. */
  readonly fitted: readonly (OptionValues | undefined)[]
  readonly faults: readonly string[]
  /** What has no effect on the candidate's side alone, a line each. */
  readonly ignored: readonly string[]
  readonly warnings: readonly string[]
}

/** What was chosen for the baseline. */
export interface Baseline {
  readonly run: Pick<Fitted, 'values' | 'ignored'>
  readonly routes: Pick<FittedRoutes, 'fitted' | 'ignored'>
  readonly layers: Layers
}

const name = 'rollout.candidate'

/** Where a candidate itself says that its files go; what it leaves open is as for the run. */
export function candidatePlaces(
  rollout: ChosenRollout | undefined,
  run: Pick<OptionValues, 'to' | 'endpointUrl'>,
): Place[] {
  return rollout === undefined ? [] : placesOf([{ given: rollout.candidate }], run)
}

/**
 * Chooses the values of the candidate's side, for the run itself and for each of its routes. What a candidate says is
 * stronger than all that the run goes by, flags included: it varies them on purpose. What a route says itself stays.
 */
export function fitCandidates(rollout: ChosenRollout | undefined, baseline: Baseline): FittedCandidates {
  if (rollout === undefined) return { fitted: [], faults: [], ignored: [], warnings: [] }
  const { candidate, isEnabled, plan } = rollout
  const { run, routes, layers } = baseline
  const entries = routes.fitted.map(({ entry }) => entry)
  const others = placesOf(entries, run.values)
  const own = vary({ given: [] }, candidate, layers, others)
  const all = [...candidatePlaces(rollout, run.values), ...others]
  const varied = [own, ...entries.map((entry) => (entry.skip ? undefined : vary(entry, candidate, layers, all)))]
  const before = [run, ...routes.fitted].map(({ values }) => withEffect(values))
  const changes = varied.map((one, at) => one !== undefined && withEffect(one.values) !== before[at])
  const changesNothing = !changes.includes(true)
  const place = { entry: { name, skip: false, given: candidate }, values: own.values }
  const warning = fault(`rollout ${shown(plan.name)}`, 'the candidate changes nothing, so that both sides are the same')
  return {
    fitted: varied.map((one, at) => (at === 0 || changes[at] || changesNothing ? one?.values : undefined)),
    faults: [...varied.flatMap((one) => one?.faults ?? []), ...sharedPlaces(run.values, [...routes.fitted, place])],
    ignored: ignoredByCandidate(varied, baseline),
    warnings: changesNothing && isEnabled ? [warning] : [],
  }
}

/** The values that make a difference where they lead, as text: what is sent to a directory is sent by one engine alone. */
function withEffect(values: OptionValues): string {
  const { to = '' } = values
  const without: readonly OptionKey[] = to.startsWith('s3:') ? [] : to.startsWith('file:') ? [...ofS3, 'engine'] : ofS3
  return JSON.stringify(Object.entries(values).filter(([key]) => !without.some((one) => one === key)))
}

function vary(
  entry: Pick<GivenEntry, 'given'>,
  candidate: readonly GivenValue[],
  layers: Layers,
  others: readonly Place[],
): Fitted {
  const settled = new Set(entry.given.map(({ key }) => key))
  // A place is one thing: half of another's would lead nowhere.
  const place = new Set(placeOf(entry).length > 0 ? placeOf({ given: candidate }) : [])
  const given = candidate.filter((one) => !settled.has(one.key) && !place.has(one))
  const resolved = resolveOptions([...given, ...byStrength(entry, layers)])
  // What was not given for the place that is meant is a general wish there.
  const own = originOf({ given }) === undefined ? [entry.given, given] : [given, entry.given]
  return fitToDestination(resolved, [[], [], ...own, ...layers], originOf({ given }) ?? originOf(entry), others)
}

/** What is not passed over on the baseline's side, too. */
function ignoredByCandidate(varied: readonly (Fitted | undefined)[], { run, routes }: Baseline): string[] {
  const known = new Set([...run.ignored, ...routes.ignored])
  return varied.flatMap((one, at) => {
    const route = routes.fitted[at - 1]?.entry.name
    const lines = one?.ignored ?? []
    const isKnown = (line: string): boolean => known.has(route === undefined ? line : `${line} (${route})`)
    const where = route === undefined ? name : `${name}, ${route}`
    return lines.filter((line) => !isKnown(line)).map((line) => `${line} (${where})`)
  })
}

/**
 * @param run - The run's settings, its destination known and its rules and routes with them.
 */
export function toRollout(
  { plan, isEnabled, percentage }: ChosenRollout,
  fitted: FittedCandidates['fitted'],
  run: Settings,
): RolloutSettings {
  const candidates = fitted.map((values) => {
    if (values === undefined) return undefined
    // A candidate without a destination has the baseline's.
    return { ...toSettings({ ...values, to: values.to as string }, run.sources, run.configFile), rules: run.rules }
  })
  return { ...plan, isEnabled, percentage, candidates }
}
