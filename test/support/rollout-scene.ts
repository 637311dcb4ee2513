import { createHash } from 'node:crypto'
import type { FileRecord } from '../../src/observe/records.ts'
import type { RolloutStatus } from '../../src/rollout/status.ts'
import { expectCode } from './command.ts'
import { readJournal } from './journal.ts'
import { s3Environment, s3Fake } from './s3-environment.ts'
import type { S3Fake } from './s3-fake.ts'
import { type Workspace, workspace } from './workspace.ts'

/** Files, a config that rolls one bucket out against another, and a server for both. */
export interface RolloutScene {
  readonly ws: Workspace
  readonly s3: S3Fake
  readonly env: Record<string, string>
  /** Source names of the files in `in/`. */
  readonly sources: readonly string[]
  readonly status: () => Promise<RolloutStatus>
  /** The `file` lines of all runs, in the order of their journals. */
  readonly lines: () => Promise<readonly FileRecord[]>
}

export const rolloutName = 'nightly import'

/** A stage that a few files are enough for, once it has lasted a day. */
export function stageOf(percentage: number): object {
  if (percentage === 0) return { percentage, duration: '24h' }
  return { percentage, duration: '24h', minSuccess: '99%', minFiles: 20 }
}

/** @param rollout - What is to be said of it beside its name, its candidate and its state. */
export async function rolloutScene(files: number, rollout: object, config: object = {}): Promise<RolloutScene> {
  const ws = await workspace()
  const s3 = await s3Fake({ buckets: ['base', 'cand'] })
  const sources = Array.from({ length: files }, (_, at) => `${at % 7}/file ${at}.txt`)
  await ws.writeAll(...sources.map((source) => `in/${source}`))
  const whole = { name: rolloutName, candidate: { to: 's3://cand/' }, state: 'state.json', ...rollout }
  await ws.write('.uploadrc.json', JSON.stringify({ to: 's3://base/', ...config, rollout: whole }))
  const env = s3Environment(s3)
  return {
    ws,
    s3,
    env,
    sources,
    async status() {
      const result = await ws.run('upload rollout status --json', { env })
      expectCode(result, 0)
      return JSON.parse(result.stdout)
    },
    async lines() {
      const journals = await Promise.all((await ws.journals()).map((path) => readJournal(path)))
      return journals.flatMap((journal) => journal.files)
    },
  }
}

/** Whether a file is the candidate's by the words of the contract, worked out anew. */
export function isOfCandidate(source: string, percentage: number, name = rolloutName): boolean {
  const hash = createHash('sha256').update(`${name}:${source}`).digest()
  return hash.readBigUInt64BE(0) % 10_000n < BigInt(Math.round(percentage * 100))
}
