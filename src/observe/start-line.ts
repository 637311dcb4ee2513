import { printable } from '../printable.ts'
import type { RunStarted } from './events.ts'
import { formatCount, formatFiles, formatShare, formatSize } from './format.ts'
import type { Progress } from './progress.ts'
import { recordedDestinations } from './recorded-destinations.ts'
import type { RunRollout } from './records.ts'

/** `214 files, 3.2 GB → s3://recordings/2026/`; with `~` while scanning goes on. */
export function startText({ run }: RunStarted, { files, bytes, complete }: Progress): string {
  const size = `${complete ? '' : '~'}${formatSize(bytes)}`
  const what = files === 0 && !complete ? 'files' : `${formatFiles(files, !complete)}, ${size}`
  return `${what} → ${placesText(run.to, recordedDestinations(run))}`
}

/**
 * `s3://recordings/2026/`, `s3://recordings/2026/ and 2 more`.
 *
 * @param own the run's own destination, the first to be named where it is one of them
 */
export function placesText(own: string, destinations: readonly string[]): string {
  const first = destinations.length === 0 || destinations.includes(own) ? own : destinations[0]
  const more = destinations.filter((destination) => destination !== first).length
  return `${printable(first ?? own)}${more === 0 ? '' : ` and ${formatCount(more)} more`}`
}

/**
 * What else the start line names, where there is any: `endpoint http://localhost:9000`, `config ./.uploadrc.json`,
 * `rollout nightly: 10 % by the candidate (stage 10 %)`.
 */
export function startDetails(started: RunStarted): readonly string[] {
  const { run, endpoint, otherEndpoints = [], configFile } = started
  const { runId, invocation, rollout } = run
  const endpoints = [...(endpoint === undefined ? [] : [endpoint]), ...otherEndpoints]
  return [
    ...(invocation > 1 ? [`continues run ${printable(runId)} (invocation ${invocation})`] : []),
    ...endpoints.map((each) => `endpoint ${printable(each)}`),
    ...(configFile === undefined ? [] : [`config ${printable(configFile)}`]),
    ...(rollout === undefined ? [] : [rolloutText(rollout)]),
  ]
}

function rolloutText({ name, percentage, stage }: RunRollout): string {
  return `rollout ${printable(name)}: ${formatShare(percentage)} by the candidate (stage ${formatShare(stage)})`
}
