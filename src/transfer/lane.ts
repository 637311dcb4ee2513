import type { Destination } from '../destinations/destination.ts'
import type { KeyScope } from '../plan/keys/key-scope.ts'
import type { Side } from '../rollout/side.ts'
import { createLookAhead, type LookAhead } from './existing/if-exists.ts'
import type { KeepLine } from './part-journal.ts'
import type { SendFileOptions } from './send-file.ts'
import type { Target, TargetSettings } from './target.ts'
import { keepsExisting } from './upload-object.ts'

/** One of the ways that the files of a run take. Lanes with the same object as destination share what is known of it. */
export interface Lane {
  readonly destination: Destination
  readonly settings: SendFileOptions['settings'] & TargetSettings
  /** Of a rollout; undefined where there is none, as the baseline's. */
  readonly side?: Side | undefined
  /** What its uploads take the place of, where that is known beforehand: nothing. */
  readonly replaced?: null | undefined
  /** The keys of its files; undefined where objects that may be there are to be asked for one by one. */
  readonly scope?: KeyScope | undefined
}

/** A lane, with all that the sending of a file by it needs. */
export interface OpenLane extends SendFileOptions {
  readonly turn: Target['turn']
  readonly pool: Target['pool']
  /** Ends what goes to this destination. */
  readonly stop: Target['stop']
  readonly givenUp: Target['givenUp']
  /** Asks for what is under a file's key before it is sent. */
  readonly ahead: LookAhead
  /** A file whose object exists already is passed over. */
  readonly skipsExisting: boolean
  readonly replaced: null | undefined
}

/** What all lanes have in common. */
export interface Shared extends Omit<SendFileOptions, keyof Lane | keyof Target | 'keepsStdin'> {
  /** What fails on a rollout's candidate is sent again on the baseline. */
  readonly fallsBack: boolean
}

/**
 * @param lanes the run's own first
 * @param targetOf what is known of the lane's destination
 */
export function openLanes(
  lanes: readonly Lane[],
  targetOf: (destination: Destination) => Target,
  { fallsBack, ...shared }: Shared,
): readonly OpenLane[] {
  const [{ destination: own } = { destination: undefined }] = lanes
  return lanes.map(({ destination, settings, side, replaced, scope }): OpenLane => {
    const isElsewhere = destination.url !== own?.url
    const opened = {
      ...shared,
      ...targetOf(destination),
      settings,
      keepsStdin: fallsBack && side === 'candidate',
      keepLine: isElsewhere ? saying(destination.url, shared.keepLine) : shared.keepLine,
    }
    return {
      ...opened,
      ahead: createLookAhead(opened, scope),
      skipsExisting: settings.ifExists === 'skip',
      // What is sent only where there is nothing takes the place of nothing.
      replaced: keepsExisting(settings) ? null : replaced,
    }
  })
}

/** An upload's beginning says where it goes, unless that is the run's own destination. */
function saying(destination: string, keepLine: KeepLine): KeepLine {
  return (line, how) => keepLine(line.type === 'upload-started' ? { ...line, destination } : line, how)
}
