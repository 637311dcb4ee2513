import { type LoadedRollout, loadRollout } from '../config/rollout/load.ts'
import { UsageError } from '../errors.ts'
import { systemPlaces } from '../observe/state-directory.ts'
import { printable } from '../printable.ts'
import { completedConfig, strongerPlaces } from '../rollout/completed-config.ts'
import { type Decision, decide, type RolloutCommand } from '../rollout/decisions.ts'
import type { RolloutState } from '../rollout/state.ts'
import { readState, rolloutStatePath, updateState } from '../rollout/state-file.ts'
import { statusOf } from '../rollout/status.ts'
import { type Clock, systemClock } from '../transfer/clock.ts'
import type { Host } from './host.ts'
import { type RolloutLine, readRolloutLine } from './rollout-line.ts'
import { rolloutTable } from './rollout-table.ts'
import { stoppable } from './stops.ts'

/** So long, in milliseconds, is waited for runs that write the state. */
const waitMs = 30_000

/**
 * `upload rollout status|promote|rollback|reset|complete`.
 *
 * @returns the exit code
 * @throws UsageError where the command line, the config or the state cannot be read, or nothing is rolled out;
 * UploadError where the state cannot be read or written.
 */
export async function runRollout(
  args: readonly string[],
  host: Host,
  clock: Pick<Clock, 'now'> = systemClock,
): Promise<number> {
  const line = readRolloutLine(args, host)
  if (line === undefined) return 0
  const found = await findRollout(line, host)
  const { action } = line
  if (action !== 'status') return stoppable(host, (signal) => change(action, line, found, { host, clock, signal }))
  const state = found.state ?? (await readState(found.path, found.loaded.rollout))
  show(state, line, found, { host, clock })
  return 0
}

interface Found {
  readonly loaded: LoadedRollout
  readonly path: string
  /** Where it was read already. */
  readonly state?: RolloutState
}

/** The rollout that config or environment name, or else the environment's, where it has taken part in a run. */
async function findRollout({ flags }: RolloutLine, { env, cwd, home, uid }: Host): Promise<Found> {
  const input = { flags, env, cwd, home, uid }
  const places = systemPlaces(env)
  const loaded = await loadRollout(input)
  if (loaded !== undefined) return { loaded, path: await rolloutStatePath(loaded.rollout, places) }
  const variable = 'ASYNC_UPLOAD_ENABLED'
  const usual = await loadRollout({ ...input, env: { ...env, [variable]: 'true' } })
  if (usual !== undefined) {
    const path = await rolloutStatePath(usual.rollout, places)
    const state = await readState(path, usual.rollout)
    const rollout = { ...usual.rollout, isEnabled: !env[variable] }
    if (state !== undefined) return { loaded: { ...usual, rollout }, path, state }
  }
  throw new UsageError(
    `nothing is rolled out: give the config a "rollout": { "name": "…", "candidate": { … } }, or set ${variable}=true`,
  )
}

interface Surroundings {
  readonly host: Host
  readonly clock: Pick<Clock, 'now'>
}

async function change(
  action: RolloutCommand,
  line: RolloutLine,
  found: Found,
  { host, clock, signal }: Surroundings & { readonly signal: AbortSignal },
): Promise<number> {
  const { path, loaded } = found
  const { rollout } = loaded
  const isReset = action === 'reset'
  const decideOn = (state: RolloutState | undefined): Decision => decide(action, state, rollout, clock.now(), line)
  let decision: Decision | undefined
  // A refusal writes nothing, not even a first state. One that nobody can read is no reason not to begin anew.
  if (!isReset) decision = decideOn(await readState(path, rollout))
  if (decision?.is !== 'refused') {
    const { name } = rollout
    const update = (state: RolloutState | undefined): RolloutState => {
      decision = decideOn(state)
      return decision.state
    }
    await updateState(path, update, { name, waitMs, signal, replaceDamaged: isReset })
  }
  if (decision === undefined) throw new Error('a rollout was changed without a decision')
  return report(action, decision, line, found, { host, clock })
}

function report(
  action: RolloutLine['action'],
  decision: Decision,
  line: RolloutLine,
  found: Found,
  surroundings: Surroundings,
): number {
  const { host } = surroundings
  const say = (text: string): void => void host.stderr.write(`upload: ${printable(text)}\n`)
  const isRefused = decision.is === 'refused'
  if (isRefused || !line.quiet) say(`rollout ${found.loaded.rollout.name}: ${decision.said}`)
  if (isRefused) {
    for (const unmet of decision.unmet) say(`  ${unmet}`)
    say(decision.remedy)
  }
  if (action === 'complete' && !isRefused) printCompleted(found.loaded, line, say, host)
  else if (line.json) show(decision.state, line, found, surroundings)
  return isRefused ? 5 : 0
}

function show(
  state: RolloutState | undefined,
  { json, noColor }: RolloutLine,
  { loaded: { rollout } }: Found,
  { host: { stdout, env }, clock }: Surroundings,
): void {
  const status = statusOf(state, rollout, clock.now())
  const color = !noColor && stdout.isTTY === true && env.TERM !== 'dumb'
  stdout.write(json ? `${JSON.stringify(status)}\n` : rolloutTable(status, rollout, color))
}

/** The new config goes to standard output alone, so that it can be put into a file. */
function printCompleted(
  { configPath, configJson, candidateGiven }: LoadedRollout,
  { quiet }: RolloutLine,
  say: (text: string) => void,
  { stdout }: Host,
): void {
  const { json, leftOut } = completedConfig(configJson, candidateGiven)
  stdout.write(`${JSON.stringify(json, null, 2)}\n`)
  if (leftOut.length > 0) say(`${leftOut.join(', ')}: left out, without effect at the candidate's destination`)
  const stronger = strongerPlaces(configJson, candidateGiven)
  if (stronger.length > 0) say(`${stronger.join(', ')}: stronger than what the candidate had there; change it by hand`)
  if (quiet) return
  const place =
    configPath === undefined
      ? 'put what was printed into .uploadrc.json'
      : `put what was printed in place of ${configPath}`
  say(`${place}, and unset ASYNC_UPLOAD_ENABLED, ASYNC_UPLOAD_ROLLOUT and ASYNC_UPLOAD_FALLBACK`)
}
