import { realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { type DestinationUrl, parseDestinationUrl, prefixOf } from './config/destination-url.ts'
import { unkeptAt } from './config/property-fit.ts'
import type { Settings } from './config/settings.ts'
import type { Destination } from './destinations/destination.ts'
import { openDestination } from './destinations/registry.ts'
import { bufferBudget, leastBufferSize } from './http/buffers.ts'
import { keyFixOf } from './plan/keys/key-fix.ts'
import type { PlanLane } from './plan/plan-file.ts'

/** Buffers that a destination has at the least, however many there are. */
const fewBuffers = 16

/** One of the ways that a run's files take: where to, and with which settings. */
export interface RunLane {
  readonly settings: Settings
  readonly url: DestinationUrl
  /** One and the same object for all lanes that are reached alike. */
  readonly destination: Destination
}

/** The ways of a run, each with its destination open. */
export interface OpenedLanes {
  /** The run's own, then one for each route. */
  readonly lanes: readonly RunLane[]
  /** The same, as far as names are concerned. */
  readonly planLanes: readonly PlanLane[]
  /** Each once, the run's own first. */
  readonly destinations: readonly Destination[]
  close(): Promise<void>
}

/**
 * Opens the destinations of a run and its routes. No request is made, so one that no file goes to is never asked for
 * anything. Routes that agree in all that a destination goes by share one, with its connections.
 *
 * @param warn for what the user has to know of them later, each thing once
 * @throws UsageError as `openDestination` does.
 */
export async function openRunLanes(
  settings: Settings,
  cwd: string,
  warn: (message: string) => void,
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
  const all = [settings, ...settings.routes.filter(({ skip }) => !skip).map((route) => route.settings)]
  const bufferBudget = sharedBudget(new Set(all.map(reachedBy)).size)
  const open = async (settings: Settings): Promise<RunLane> => {
    const id = reachedBy(settings)
    const destination = opened.get(id) ?? (await openDestination({ ...settings, bufferBudget }, warnOnce))
    opened.set(id, destination)
    return { settings, url: parseDestinationUrl(settings.to), destination }
  }
  try {
    const own = await open(settings)
    const lanes = [own]
    // What a route leaves out goes nowhere.
    for (const route of settings.routes) lanes.push(route.skip ? own : await open(route.settings))
    const planLanes = await Promise.all(lanes.map((lane) => planLane(lane, cwd)))
    return { lanes, planLanes, destinations: [...opened.values()], close }
  } catch (error) {
    await close()
    throw error
  }
}

/** What the run's and its routes' settings pass over, each thing once. */
export function ignoredIn({ ignored, routes }: Settings): ReadonlySet<string> {
  return new Set([...ignored, ...routes.flatMap(({ settings }) => settings.ignored)])
}

/** All that a destination goes by and that may differ between routes. */
function reachedBy({ to, engine, s3, supabase, tls, checksum, multipartThreshold }: Settings): string {
  // The vendors' libraries cut the parts themselves.
  const threshold = engine === 'standard' ? multipartThreshold : undefined
  return JSON.stringify([parseDestinationUrl(to).url, engine, s3, supabase, tls, checksum, threshold])
}

/** What is spent on buffers does not grow with the destinations, as long as each has a few. */
function sharedBudget(destinations: number): number | undefined {
  return destinations === 1
    ? undefined
    : Math.max(fewBuffers * leastBufferSize, Math.floor(bufferBudget / destinations))
}

async function planLane({ settings, url, destination }: RunLane, cwd: string): Promise<PlanLane> {
  const { limits, endpoint } = destination
  return {
    place: url.scheme === 'file' ? await placeOfDirectory(resolve(cwd, url.directory)) : placeOfBucket(url, endpoint),
    prefix: prefixOf(url),
    keyProblem: limits.keyProblem,
    fixName: settings.keyFix ? keyFixOf(limits) : undefined,
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
