import type { Notice, Warning } from '../observe/events.ts'
import { printable } from '../printable.ts'
import type { Change, RolloutState } from './state.ts'

/** That the candidate is given up, once and for all. */
export function rolledBackText(name: string, { by, cause }: Pick<Change, 'by' | 'cause'>): string {
  const how = by === 'person' ? 'was rolled back by hand' : 'was rolled back'
  return `rollout ${printable(name)} ${how}: ${printable(cause)}; what is left goes by the baseline (see upload rollout status)`
}

/**
 * What a run has to say where the state of its rollout is another than it was.
 *
 * @param percentage the share that the run has been giving to the candidate; undefined before its first file
 */
export function newsBetween(
  before: RolloutState,
  now: RolloutState,
  percentage?: number,
): readonly (Notice | Warning)[] {
  const rollout = `rollout ${printable(now.name)}`
  const last = now.history.at(-1)
  if (now.begunAt !== before.begunAt) {
    const message = `${rollout} was begun anew; what is left goes by the baseline, and is not counted`
    return [{ type: 'warning', message }]
  }
  const isNew = (status: RolloutState['status']): boolean => now.status === status && before.status !== status
  if (isNew('rolled-back')) {
    return [{ type: 'warning', message: rolledBackText(now.name, last ?? { by: 'automatic', cause: 'unknown' }) }]
  }
  const share = percentage === undefined ? '' : `; this run keeps its share of ${percentage} %`
  if (isNew('complete')) return [{ type: 'notice', message: `${rollout} is complete${share}` }]
  const news: (Notice | Warning)[] = []
  if (now.stage !== before.stage) {
    const message = `${rollout} was promoted from ${before.stage} % to ${now.stage} %${share}`
    news.push({ type: 'notice', message })
  }
  if (isNew('review')) {
    const message = `${rollout} is under review: ${printable(last?.cause ?? '')}; it is not promoted before somebody decides (see upload rollout status)`
    news.push({ type: 'warning', message })
  }
  return news
}
