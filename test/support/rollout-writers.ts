import { type ChildProcess, spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { begun } from '../../src/rollout/changes.ts'
import { defaultStages } from '../../src/rollout/stages.ts'
import type { RolloutState } from '../../src/rollout/state.ts'
import { readState, updateState } from '../../src/rollout/state-file.ts'
import { tempDir } from './temp-dir.ts'

/** The writers count in the first of them. */
const stagesFrom50 = defaultStages.filter(({ percentage }) => percentage >= 50)

export interface WritersOptions {
  readonly processes: number
  /** Updates of each, and outcomes in each of these. */
  readonly updates: number
  readonly outcomes: number
  /** How many of the processes are killed half-way, between two updates, and with the lock in their hands. */
  readonly killedBetween: number
  readonly killedWithin: number
}

export interface Counted {
  readonly files: number
  readonly failures: number
  readonly bytes: number
}

export interface WritersResult {
  /** By all processes together, as each said once it was in the file. */
  readonly told: Counted
  readonly inFile: Counted
  /** How many durations are in the histograms. */
  readonly durations: number
  readonly windowLength: number
  /** Files of the candidate's in the file. */
  readonly candidates: number
  /** Of the file, which begins with 1. */
  readonly revision: number
  /** Reads of the file that went on meanwhile, each of which understood it. */
  readonly reads: number
  /** Processes that ended otherwise than they were to, with what they said. */
  readonly faults: readonly string[]
  /** What lies beside the file in the end. */
  readonly beside: readonly string[]
}

/** Lets processes of their own, all at once, count in one state that is read all the time. */
export async function runWriters(options: WritersOptions): Promise<WritersResult> {
  const folder = await tempDir()
  const script = join(folder, 'writer.mjs')
  await bundleWriter(script)
  const path = join(folder, 'state', 'many.json')
  await updateState(path, () => begun('many', stagesFrom50, Date.UTC(2026, 10, 22)), { waitMs: 0 })

  let reads = 0
  const over = new AbortController()
  const reading = (async () => {
    while (!over.signal.aborted) {
      if ((await readState(path, { name: 'many' })) === undefined) throw new Error('the state was gone for a moment')
      reads += 1
    }
  })()
  const numbers = Array.from({ length: options.processes }, (_, number) => number)
  const children: ChildProcess[] = []
  const end = (): void => children.forEach((child) => void child.kill('SIGKILL'))
  process.once('exit', end)
  const writers = Promise.all(numbers.map((number) => writer(children, script, path, number, options)))
  const ended = await Promise.race([writers, reading.then(() => writers)]).finally(() => {
    over.abort()
    end()
    process.off('exit', end)
  })
  await reading

  const state = await readState(path, { name: 'many' })
  if (state === undefined) throw new Error('the state is gone')
  const names = await readdir(dirname(path))
  return {
    told: sum(ended.map(({ told }) => told)),
    inFile: sum(state.figures.flatMap(({ candidate, baseline }) => [candidate, baseline])),
    durations: durationsIn(state),
    windowLength: state.window.length,
    candidates: state.figures.reduce((so, { candidate }) => so + candidate.files, 0),
    revision: state.revision,
    reads,
    faults: ended.flatMap(({ fault }) => fault ?? []),
    beside: names.filter((name) => name !== 'many.json'),
  }
}

async function bundleWriter(outfile: string): Promise<void> {
  await build({
    entryPoints: [fileURLToPath(new URL('rollout-writer.ts', import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.18',
    banner: {
      js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  })
}

interface Ended {
  readonly told: Counted
  readonly fault?: string
}

function writer(
  children: ChildProcess[],
  script: string,
  path: string,
  number: number,
  options: WritersOptions,
): Promise<Ended> {
  const { updates, outcomes, killedBetween, killedWithin } = options
  const fate =
    number < killedBetween ? 'killed-between' : number < killedBetween + killedWithin ? 'killed-within' : 'survives'
  const args = [script, path, number, updates, outcomes, fate].map(String)
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text
    })
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      const last = said.stdout.trimEnd().split('\n').at(-1)
      const told: Counted = last ? JSON.parse(last) : { files: 0, failures: 0, bytes: 0 }
      const isAsMeant = fate === 'survives' ? code === 0 : signal === 'SIGKILL'
      resolve(isAsMeant ? { told } : { told, fault: `${fate}: ${code ?? signal} ${said.stderr}` })
    })
  })
}

function sum(all: readonly Counted[]): Counted {
  return all.reduce(
    (so, { files, failures, bytes }) => ({
      files: so.files + files,
      failures: so.failures + failures,
      bytes: so.bytes + bytes,
    }),
    { files: 0, failures: 0, bytes: 0 },
  )
}

function durationsIn({ figures }: RolloutState): number {
  return figures
    .flatMap(({ candidate, baseline }) => [candidate, baseline])
    .flatMap(({ latency }) => Object.values(latency).flat())
    .reduce((so, [, count]) => so + count, 0)
}
