import { namesAlike, type PlanSides } from '../file-sides.ts'
import type { PlanLane } from '../plan-file.ts'
import type { OnBaseline, PlannedFile } from '../planned-file.ts'

/** An object that a file may become, and no other file. */
export interface Spot {
  /** What tells it from all others: its key, and the bucket it is in where there are several. */
  readonly spot: string
  readonly key: string
}

/** The objects that files may become. */
export interface FileSpots {
  /** Where a file goes. */
  first(file: PlannedFile): string
  /** Where a file of the candidate's goes that takes the baseline after all; undefined where that is the same object. */
  spare(file: PlannedFile): string | undefined
  /** Both. */
  all(file: PlannedFile): readonly [Spot, ...Spot[]]
}

type SpotOf = (way: Pick<OnBaseline, 'key' | 'lane'>) => string

export function createFileSpots(lanes: readonly PlanLane[]): FileSpots {
  const spotOf = createSpotOf(lanes)
  const spareOf = ({ onBaseline }: PlannedFile, first: string): string | undefined => {
    const spare = onBaseline && spotOf(onBaseline)
    return spare === first ? undefined : spare
  }
  return {
    first: spotOf,
    spare: (file) => (file.onBaseline === undefined ? undefined : spareOf(file, spotOf(file))),
    all(file) {
      const { key, onBaseline } = file
      const first = { spot: spotOf(file), key }
      const spare = spareOf(file, first.spot)
      return onBaseline === undefined || spare === undefined ? [first] : [first, { spot: spare, key: onBaseline.key }]
    },
  }
}

/** What to look at to find keys that two files share. */
export interface CollisionSpots extends FileSpots {
  /** All names become keys in one and the same way. */
  readonly isOneNamespace: boolean
}

/**
 * Where nothing else leads to where a candidate's files go, two of them have one key there only if they have one on the
 * baseline: then it is enough to look at the latter, and a rollout costs nothing.
 */
export function createCollisionSpots(
  lanes: readonly PlanLane[],
  candidateOf: PlanSides['candidateOf'] = [],
): CollisionSpots {
  const baselines = lanes.filter((_, lane) => !candidateOf.includes(lane))
  const isMirror = (candidate: number | undefined, baseline: number): boolean => {
    const both = lanes.filter((_, lane) => lane === candidate || lane === baseline)
    const others = lanes.filter((_, lane) => lane !== candidate)
    return namesAlike(both) || others.every((other) => isApart(other, lanes[candidate as number] as PlanLane))
  }
  if (!candidateOf.every(isMirror)) return { ...createFileSpots(lanes), isOneNamespace: namesAlike(lanes) }
  const spotOf = createSpotOf(baselines)
  const first = (file: PlannedFile): string => spotOf(file.onBaseline ?? file)
  return {
    isOneNamespace: namesAlike(baselines),
    first,
    spare: () => undefined,
    all: (file) => [{ spot: first(file), key: (file.onBaseline ?? file).key }],
  }
}

/** Buckets have nothing in common; a directory may lie in another. */
function isApart({ place: one }: PlanLane, { place: other }: PlanLane): boolean {
  return !one.startsWith(other) && !other.startsWith(one)
}

function createSpotOf(lanes: readonly PlanLane[]): SpotOf {
  const [{ place } = { place: '' }] = lanes
  if (lanes.every((lane) => lane.place === place)) return ({ key }) => key
  return ({ key, lane }) => `${lanes[lane]?.place}${key}`
}
