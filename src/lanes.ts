import { realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { type DestinationUrl, parseDestinationUrl, prefixOf } from './config/destination-url.ts'
import { unkeptAt } from './config/property-fit.ts'
import type { Settings } from './config/settings.ts'
import type { Destination, DestinationLimits } from './destinations/destination.ts'
import { openDestination } from './destinations/registry.ts'
import { bufferBudget, leastBufferSize } from './http/buffers.ts'
import { keyFixOf } from './plan/keys/key-fix.ts'
import type { PlanLane } from './plan/plan-file.ts'
import type { Side } from './rollout/side.ts'

/** Buffers that a destination has at the least, however many there are. */
const fewBuffers = 16

/** One of the ways that a run's files take: where to, and with which settings. */
export interface RunLane {
  readonly settings: Settings
  readonly url: DestinationUrl
  /** One and the same object for all lanes of a side that are reached alike; never that of a lane of the other side. */
  readonly destination: Destination
  /** `candidate`: a rollout's candidate for another lane; undefined: the run's own, or a route's. */
  readonly side?: Side | undefined
}

/** The ways of a run, each with its destination open. */
export interface OpenedLanes {
  /** The run's own, then one for each route, then those of the candidates, where these get any files. */
  readonly lanes: readonly RunLane[]
  /** The same, as far as names are concerned. */
  readonly planLanes: readonly PlanLane[]
  /**
   * The number of each lane's candidate; undefined where it has none. Where no file goes to the candidates they are not
   * open, and {@link lanes} ends before them: then it only tells which lanes' files are counted for the baseline.
   */
  readonly candidateOf: readonly (number | undefined)[]
  /** Where all of them lead, also the candidates that are not open: earlier runs may have sent files there. */
  readonly urls: readonly DestinationUrl[]
  /** Each once, the run's own first. */
  readonly destinations: readonly Destination[]
  close(): Promise<void>
}

/**
 * Opens the destinations of a run and its routes, and of a rollout's candidates. No request is made, so one that no file
 * goes to is never asked for anything. Routes that agree in all that a destination goes by share one, with its
 * connections; so do candidates, but never one with the other: what fails or slows down on one side must not be seen on
 * the other.
 *
 * @param warn for what the user has to know of them later, each thing once
 * @param percentage the share of the files that goes to the candidates, from 0 to 100; none of these is opened for 0
 * @throws UsageError as `openDestination` does.
 */
export async function openRunLanes(
  settings: Settings,
  cwd: string,
  warn: (message: string) => void,
  percentage = 0,
): Promise<OpenedLanes> {
  const opened = new Map<string, Destination>()
  const said = new Set<string>()
  const warnOnce = (message: string): void => {
    if (!said.has(message)) warn(message)
    said.add(message)
  }
  const close = async (): Promise<void> => {
    await Promise.allSettled([...opened.values()].map((destination) => destination.close()))
  }
  const candidates = candidatesIn(settings)
  const taken = percentage > 0 ? candidates : []
  const baselines = [settings, ...settings.routes.filter(({ skip }) => !skip).map((route) => route.settings)]
  const bufferBudget = sharedBudget(
    new Set([...baselines.map((each) => openedAs(each)), ...taken.map((each) => openedAs(each, 'candidate'))]).size,
  )
  const open = async (settings: Settings, side?: Side): Promise<RunLane> => {
    const id = openedAs(settings, side)
    const destination = opened.get(id) ?? (await openDestination({ ...settings, bufferBudget }, warnOnce))
    opened.set(id, destination)
    return { settings, url: parseDestinationUrl(settings.to), destination, side }
  }
  try {
    const own = await open(settings)
    const lanes = [own]
    // What a route leaves out goes nowhere.
    for (const route of settings.routes) lanes.push(route.skip ? own : await open(route.settings))
    for (const candidate of taken) lanes.push(await open(candidate, 'candidate'))
    const fixOf = sharedFixes()
    return {
      lanes,
      planLanes: await Promise.all(lanes.map((lane) => planLane(lane, cwd, fixOf))),
      candidateOf: candidateNumbers(settings),
      urls: [...lanes.map(({ url }) => url), ...candidates.map(({ to }) => parseDestinationUrl(to))],
      destinations: [...opened.values()],
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

function candidatesIn({ rollout }: Settings): readonly Settings[] {
  return (rollout?.candidates ?? []).filter((candidate) => candidate !== undefined)
}

/** Behind the run's own lane and those of its routes. */
function candidateNumbers({ routes, rollout }: Settings): readonly (number | undefined)[] {
  let next = 1 + routes.length
  return (rollout?.candidates ?? []).map((candidate) => {
    if (candidate === undefined) return undefined
    next += 1
    return next - 1
  })
}

/** What the settings of the run, its routes and a rollout's candidates pass over, each thing once. */
export function ignoredIn(settings: Settings): ReadonlySet<string> {
  const others = [...settings.routes.map((route) => route.settings), ...candidatesIn(settings)]
  return new Set([...settings.ignored, ...others.flatMap(({ ignored }) => ignored)])
}

/** All that a destination goes by and that may differ between lanes. */
function openedAs({ to, engine, s3, supabase, tls, checksum, multipartThreshold }: Settings, side?: Side): string {
  // The vendors' libraries cut the parts themselves.
  const threshold = engine === 'standard' ? multipartThreshold : undefined
  return JSON.stringify([parseDestinationUrl(to).url, engine, s3, supabase, tls, checksum, threshold, side])
}

/** What is spent on buffers does not grow with the destinations, as long as each has a few. */
function sharedBudget(destinations: number): number | undefined {
  return destinations === 1
    ? undefined
    : Math.max(fewBuffers * leastBufferSize, Math.floor(bufferBudget / destinations))
}

type KeyFix = ReturnType<typeof keyFixOf>

/** Destinations of one kind get one and the same function, by which it shows that they change keys alike. */
function sharedFixes(): (limits: DestinationLimits) => KeyFix {
  const fixes = new Map<DestinationLimits['fixName'], KeyFix>()
  return (limits) => {
    const fix = fixes.get(limits.fixName) ?? keyFixOf(limits)
    fixes.set(limits.fixName, fix)
    return fix
  }
}

async function planLane(
  { settings, url, destination }: RunLane,
  cwd: string,
  fixOf: (limits: DestinationLimits) => KeyFix,
): Promise<PlanLane> {
  const { limits, endpoint } = destination
  return {
    place: url.scheme === 'file' ? await placeOfDirectory(resolve(cwd, url.directory)) : placeOfBucket(url, endpoint),
    prefix: prefixOf(url),
    keyProblem: limits.keyProblem,
    fixName: settings.keyFix ? fixOf(limits) : undefined,
    unkept: unkeptAt({ to: settings.to, endpointUrl: settings.s3.endpointUrl }),
  }
}

/** Buckets of one name at two endpoints are two buckets. */
function placeOfBucket({ scheme, bucket }: Exclude<DestinationUrl, { scheme: 'file' }>, endpoint = ''): string {
  return `${scheme}://${bucket} at ${endpoint.replace(/\/+$/, '')}/`
}

/** One directory may lie in the other: there, what follows it tells whether two files are one. */
async function placeOfDirectory(path: string): Promise<string> {
  const inRealFolder = async (): Promise<string> => join(await realpath(dirname(path)), basename(path))
  const real = await realpath(path)
    .catch(inRealFolder)
    .catch(() => path)
  return `file:${real.replace(/[/\\]+$/, '')}/`
}
