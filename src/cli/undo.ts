import { resolve } from 'node:path'
import type { Settings } from '../config/settings.ts'
import { UsageError } from '../errors.ts'
import { formatCount, oneLine } from '../observe/format.ts'
import { systemPlaces } from '../observe/state-directory.ts'
import { systemClock } from '../transfer/clock.ts'
import type { UndoOutcome } from '../undo/carry-out.ts'
import { readRun } from '../undo/read-run.ts'
import { type Undone, type UndoOptions, undoRun } from '../undo/undo.ts'
import { type CommandForm, readCommandLine, yesOption } from './command-line.ts'
import { confirm } from './confirm.ts'
import { explain } from './explain.ts'
import type { Host } from './host.ts'
import { reportedSettings } from './reported-settings.ts'
import { stoppable } from './stops.ts'
import { namesIn, undoPlanRecords, undoPlanText } from './undo-plan.ts'

const form: CommandForm = {
  name: 'undo',
  argument: '<report>',
  argumentHelp: "the journal of a run, or its .jsonl report; a run's last lines name them",
  before: `Take back what a run created: delete new objects, restore replaced ones where the bucket keeps versions.
Objects that somebody changed since are left and named. Where an object could not be restored, nothing is touched.

Examples:
  upload undo run.jsonl                                 show what would be done, ask, do it
  upload undo ~/.local/state/upload/runs/20261122T073812Z-7f3a.jsonl --yes`,
  after: `Without versions, only runs with --if-exists other than overwrite, or with --undo-on-failure, can be undone, and
only where they replaced nothing: others do not know what they replaced.
Exit codes: 0 undone, 1 some could not be, 2 not confirmed, 3 could not go on, 5 some were left, or refused.`,
  options: [yesOption],
}

const found = 5

/**
 * `upload undo <report>`.
 *
 * @returns the exit code
 * @throws UsageError where the command line or the report cannot be read, or nobody is there to confirm the plan.
 */
export async function runUndo(args: readonly string[], host: Host): Promise<number> {
  const line = await readCommandLine(form, args, host)
  if (line === undefined) return 0
  const [path = ''] = line.args
  const report = resolve(host.cwd, path)
  const recorded = await readRun(report)
  const settingsOf: UndoOptions['settingsOf'] = (runs) => reportedSettings(runs, line)
  const { settings } = line
  return stoppable(host, (signal) =>
    undo({ recorded, report, settingsOf }, settings, line.own.yes === true, host, signal),
  )
}

async function undo(
  { recorded, report, settingsOf }: Pick<UndoOptions, 'recorded' | 'report' | 'settingsOf'>,
  { json, quiet, verbose }: Settings,
  yes: boolean,
  host: Host,
  signal: AbortSignal,
): Promise<number> {
  const say = (message: string): void => void host.stderr.write(`upload: ${oneLine(message)}\n`)
  const print = (record: object): void => void host.stdout.write(`${JSON.stringify(record)}\n`)
  const show = ({ plan }: Pick<Undone, 'plan'>): void => {
    if (json) for (const record of undoPlanRecords(plan)) print(record)
    else if (!quiet || !yes) host.stdout.write(undoPlanText(plan, recorded.run, verbose))
  }
  let asked = false
  const { plan, outcome } = await undoRun({
    recorded,
    report,
    settingsOf,
    places: systemPlaces(host.env),
    clock: systemClock,
    signal,
    warn: say,
    async approve(plan) {
      asked = true
      show({ plan })
      const count = plan.remove.length + plan.uploads.length
      const isYes =
        yes || (await confirm(`Take back ${count === 1 ? 'this' : `these ${formatCount(count)}`}?`, host, signal))
      signal.throwIfAborted()
      return isYes
    },
    onUndone: ({ key, destination }, restored) => {
      if (json) print({ type: 'undone', key, destination, restored })
    },
  })
  if (outcome === undefined) {
    if (!asked) show({ plan })
    if (asked) for (const text of explain(new UsageError('nothing was undone'), false)) host.stderr.write(`${text}\n`)
    else say(plan.refuse.length > 0 ? refusal(plan.refuse[0]?.why, plan.refuse.length) : 'there is nothing to undo')
    if (asked) return 2
    return plan.refuse.length + plan.leave.length > 0 ? found : 0
  }
  const left = [...plan.leave, ...outcome.left]
  const nameOf = namesIn(plan)
  for (const object of outcome.left) say(`${nameOf(object)} was left: ${object.why}`)
  for (const object of outcome.failed) say(`${nameOf(object)} was not undone: ${object.why}`)
  if (json) print({ type: 'undo-summary', ...countsOf(outcome), left: left.length })
  signal.throwIfAborted()
  if (outcome.stopped !== undefined) say(`stopped: ${outcome.stopped.message}; undo it again to go on`)
  if (!quiet) say(conclusion(outcome, left.length))
  if (outcome.stopped !== undefined) return 3
  if (outcome.failed.length > 0) return 1
  return left.length > 0 ? found : 0
}

function refusal(why: string | undefined, count: number): string {
  return `nothing was undone, since ${formatCount(count)} ${count === 1 ? 'object' : 'objects'} cannot be: ${why ?? ''}`
}

function countsOf({ undone, restored, aborted, failed }: UndoOutcome): object {
  return { undone, restored, aborted, failed: failed.length }
}

function conclusion({ undone, restored, aborted, failed }: UndoOutcome, left: number): string {
  const parts = [
    `${formatCount(undone)} undone`,
    ...(restored > 0 ? [`${formatCount(restored)} of them restored`] : []),
    ...(aborted > 0 ? [`${formatCount(aborted)} half-sent aborted`] : []),
    ...(left > 0 ? [`${formatCount(left)} left`] : []),
    ...(failed.length > 0 ? [`${formatCount(failed.length)} not`] : []),
  ]
  return parts.join(', ')
}
