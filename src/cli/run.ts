import { type AskedRepeat, loadSettings } from '../config/load.ts'
import type { OptionKey } from '../config/options/options.ts'
import type { Settings } from '../config/settings.ts'
import type { StopReason } from '../exit-code.ts'
import type { RepeatedRun } from '../resume/repeat-run.ts'
import type { UploadRequest } from '../upload.ts'
import { planSummary, printPlan } from './dry-run.ts'
import { exitCodeOfError, exitCodeOfPlan } from './exit-codes.ts'
import { explain } from './explain.ts'
import type { Host } from './host.ts'
import { createObservers, type Observers } from './observers.ts'
import { listenForStops, type Stops } from './stops.ts'

/** A command line, read but not checked. */
export interface Invocation {
  /** As it was typed, for the journal. */
  readonly argv: readonly string[]
  readonly flags: Readonly<Partial<Record<OptionKey, unknown>>>
  readonly args: readonly string[]
  /** Reads the command line of an earlier run. */
  readonly readLine?: ((argv: readonly string[]) => Pick<Invocation, 'flags' | 'args'>) | undefined
}

/** What does the work; loaded once the settings stand. */
export type Engine = Pick<typeof import('../upload.ts'), 'runUpload' | 'planUpload'>

/**
 * The main job: from a command line to an exit code.
 *
 * @throws UsageError where it cannot be carried out.
 * @throws whatever nobody foresaw.
 */
export async function run(
  invocation: Invocation,
  host: Host,
  loadEngine: () => Promise<Engine> = () => import('../upload.ts'),
): Promise<number> {
  let observers: Observers | undefined
  const stops = listenForStops(host, (reason) => observers?.listener({ type: 'warning', message: stopping(reason) }))
  try {
    let repeated: RepeatedRun | undefined
    const repeat = async (asked: AskedRepeat): Promise<RepeatedRun> => {
      const { repeatAsked } = await import('../resume/repeat-run.ts')
      repeated = await repeatAsked(asked, invocation, host)
      return repeated
    }
    const settings = await loadSettings({ ...invocation, ...host, repeat })
    const isMuted = (): boolean => stops.reason() === 'EPIPE'
    observers = await createObservers(settings.dryRun ? { ...settings, progress: 'none' } : settings, host, isMuted)
    const { runUpload, planUpload } = await loadEngine()
    host.onLoaded?.()
    const request: UploadRequest = {
      settings,
      argv: invocation.argv,
      signal: stops.signal,
      listener: observers.listener,
      journal: repeated?.journal,
      surroundings: { cwd: repeated?.cwd ?? host.cwd, env: host.env },
    }
    if (settings.dryRun) return await dryRun(planUpload(request), settings, stops, host)
    return (await runUpload(request)).exitCode
  } catch (error) {
    observers?.close()
    const reason = stops.reason()
    if (reason === undefined) throw error
    if (reason !== 'EPIPE') for (const line of explain(error, false)) host.stderr.write(`${line}\n`)
    return exitCodeOfError(error, reason)
  } finally {
    observers?.close()
    stops.release()
  }
}

async function dryRun(
  plan: ReturnType<Engine['planUpload']>,
  settings: Settings,
  stops: Stops,
  { stdout, stderr }: Host,
): Promise<number> {
  const { to, quiet } = settings
  const totals = await printPlan(plan, { settings, stdout, signal: stops.signal })
  if (!quiet && stops.reason() === undefined) stderr.write(`${planSummary(totals, to)}\n`)
  return exitCodeOfPlan(totals.failing, stops.reason())
}

function stopping(reason: StopReason): string {
  return `stopping after ${reason}: what is in flight is cut and the report is written; once more stops at once`
}
