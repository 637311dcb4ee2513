import { printable } from '../printable.ts'
import type { RunStarted } from './events.ts'
import { formatFiles, formatSize } from './format.ts'
import type { Progress } from './progress.ts'

/** `214 files, 3.2 GB → s3://recordings/2026/`; with `~` while scanning goes on. */
export function startText({ run }: RunStarted, { files, bytes, complete }: Progress): string {
  const size = `${complete ? '' : '~'}${formatSize(bytes)}`
  const what = files === 0 && !complete ? 'files' : `${formatFiles(files, !complete)}, ${size}`
  return `${what} → ${printable(run.to)}`
}

/** What else the start line names, where there is any: `endpoint http://localhost:9000`, `config ./.uploadrc.json`. */
export function startDetails({ run, endpoint, configFile }: RunStarted): readonly string[] {
  const { runId, invocation } = run
  return [
    ...(invocation > 1 ? [`continues run ${printable(runId)} (invocation ${invocation})`] : []),
    ...(endpoint === undefined ? [] : [`endpoint ${printable(endpoint)}`]),
    ...(configFile === undefined ? [] : [`config ${printable(configFile)}`]),
  ]
}
