import { parseDestinationUrl, prefixOf } from '../config/destination-url.ts'
import type { Settings } from '../config/settings.ts'
import type { RunLane } from '../lanes.ts'
import type { PlannedFile } from '../plan/planned-file.ts'
import { placeOf } from './find-run.ts'

/** Where a file is if an earlier invocation gave it to the other side of a rollout. */
export interface OtherSide {
  /** As {@link placeOf} has it. */
  readonly place: string
  /** Its URL, as this run names it. */
  readonly destination: string
  /** The key it has there, unless that was changed because the destination cannot hold it. */
  readonly wished: string
}

/** Undefined where both sides make the same object of the file, or there is but one. */
export type OtherSideOf = (
  file: Pick<PlannedFile, 'key' | 'originalKey' | 'lane' | 'onBaseline'>,
) => OtherSide | undefined

export interface OtherSidesOptions {
  readonly settings: Pick<Settings, 'rollout'>
  /** Those that are open. */
  readonly lanes: readonly RunLane[]
  /** By lane, the number of its candidate's, which need not be among {@link lanes}. */
  readonly candidateOf: readonly (number | undefined)[]
  readonly cwd: string
}

interface SideLane extends Pick<OtherSide, 'place' | 'destination'> {
  readonly prefix: string
  readonly keyFix: boolean
}

/** Says where to look for what an earlier invocation has sent while the share was another, or before a rollback. */
export async function otherSides(options: OtherSidesOptions): Promise<OtherSideOf | undefined> {
  const { settings, lanes, candidateOf, cwd } = options
  if (candidateOf.every((candidate) => candidate === undefined)) return undefined
  const candidates = settings.rollout?.candidates ?? []
  const sides: (SideLane | undefined)[] = lanes.map(({ settings, destination: { url, endpoint } }) =>
    sideLane(settings, url, endpoint, cwd),
  )
  for (const [lane, candidate] of candidateOf.entries()) {
    const closed = candidates[lane]
    if (candidate === undefined || closed === undefined) continue
    sides[candidate] ??= sideLane(closed, parseDestinationUrl(closed.to).url, await endpointNow(closed), cwd)
  }
  return ({ key, originalKey = key, lane, onBaseline }) => {
    const own = sides[lane]
    const other = sides[onBaseline?.lane ?? candidateOf[lane] ?? -1]
    if (own === undefined || other === undefined) return undefined
    if (own.place === other.place && own.keyFix === other.keyFix) return undefined
    return { ...other, wished: other.prefix + originalKey.slice(own.prefix.length) }
  }
}

function sideLane({ to, keyFix }: Settings, url: string, endpoint: string | undefined, cwd: string): SideLane {
  return {
    place: placeOf({ to: url, endpoint }, cwd),
    destination: url,
    prefix: prefixOf(parseDestinationUrl(to)),
    keyFix,
  }
}

/** What a destination that is not open would be reached by. */
async function endpointNow({ to, s3, supabase }: Settings): Promise<string | undefined> {
  if (!to.startsWith('s3:')) return supabase.url
  const { configuredEndpoint } = await import('../destinations/s3/profile.ts')
  // A candidate that gets no files cannot stop a run: its profile may be gone with it.
  return configuredEndpoint(s3).then(
    (named) => named?.text,
    () => s3.endpointUrl,
  )
}
