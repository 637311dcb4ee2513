import { UploadError, UsageError } from '../errors.ts'
import { advanced } from './advance.ts'
import { type LiveRollout, type RolloutOptions, type RolloutShare, shareIn, takePart } from './live-rollout.ts'
import type { RolloutSettings } from './rollout-settings.ts'
import type { RolloutState } from './state.ts'
import { readState, removeLeftovers, rolloutStatePath, updateState } from './state-file.ts'
import { newsBetween } from './state-news.ts'

export type { LiveRollout, RolloutShare }

/**
 * So long, in milliseconds, other processes are waited for: longer than a killed one's lock keeps, since nothing can be
 * decided before.
 */
const waitMs = 30_000

/**
 * Takes part in a rollout: begins it where this is its first run, and takes the share from its state. Where the state
 * cannot be written, the run warns and takes no part: all its files go by the baseline.
 *
 * @throws UsageError where the state's file is damaged or another's.
 */
export async function openRollout(options: RolloutOptions): Promise<LiveRollout> {
  const { rollout, places, clock, emit, signal } = options
  if (!rollout.isEnabled) return noPart(rollout)
  try {
    const path = await rolloutStatePath(rollout, places)
    const { name } = rollout
    let before: RolloutState | undefined
    // A copy, even where nothing has changed: it shows that it can be written.
    const begin = (present: RolloutState | undefined): RolloutState => {
      before = present
      return { ...advanced(present, rollout, clock.now()) }
    }
    const state = await updateState(path, begin, { name, clock, signal, waitMs })
    for (const event of before === undefined ? [] : newsBetween(before, state)) emit(event)
    await removeLeftovers(path)
    return takePart(path, state, options)
  } catch (error) {
    if (signal.aborted) throw new UploadError('CANCELLED', 'stopped before anything was sent')
    if (error instanceof UsageError) throw error
    const why = (error as Error).message
    emit({
      type: 'warning',
      message: `rollout ${rollout.name} takes no part in this run, which goes by the baseline: ${why}`,
    })
    return noPart(rollout)
  }
}

/**
 * What a run would give to the candidate if it began now. Changes nothing.
 *
 * @throws UsageError as {@link openRollout}.
 */
export async function peekShare({
  rollout,
  places,
  clock,
}: Pick<RolloutOptions, 'rollout' | 'places' | 'clock'>): Promise<RolloutShare> {
  if (!rollout.isEnabled) return nothing
  try {
    const state = await readState(await rolloutStatePath(rollout, places), { name: rollout.name })
    return shareIn(advanced(state, rollout, clock.now()), rollout)
  } catch (error) {
    if (error instanceof UploadError) return nothing
    throw error
  }
}

const nothing: RolloutShare = { percentage: 0, sides: undefined }

function noPart({ fallback }: RolloutSettings): LiveRollout {
  return {
    ...nothing,
    run: undefined,
    isOn: false,
    fallback,
    stage: undefined,
    settled() {},
    async close() {},
  }
}
