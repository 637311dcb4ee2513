import { givenByEnvironment } from '../config/environment.ts'
import { nearest } from '../config/file/config-object.ts'
import { fault, shown } from '../config/given.ts'
import { givenByFlags } from '../config/load.ts'
import type { OptionKey, OptionValues } from '../config/options/options.ts'
import { resolveOptions } from '../config/resolve.ts'
import { UsageError } from '../errors.ts'
import type { Wish } from '../rollout/decisions.ts'
import { newCommand, parseArgs } from './command.ts'
import type { Host } from './host.ts'
import { addOptions, readFlags } from './options.ts'

const actions = ['status', 'promote', 'rollback', 'reset', 'complete'] as const

type Action = (typeof actions)[number]

const before = `Look after a staged rollout: how far the candidate has come, and what comes next.

  status      where it stands, in figures, and what to do next
  promote     go on to the next stage; refused while a criterion is not met
  rollback    the candidate gets nothing any more; runs that are going follow within 5 s
  reset       begin anew at the first stage; the history is kept
  complete    close it, and print the config with the candidate as the new baseline

Examples:
  upload rollout status                                 of the rollout in the nearest .uploadrc.json
  upload rollout promote --force --why "slower at night, as it was before"
  upload rollout complete > new.json
`

const after = `
--json prints the status as it is afterwards; complete prints the config in any case.
For the runs that see them: ASYNC_UPLOAD_ENABLED (true or false), ASYNC_UPLOAD_ROLLOUT (0 to 100, whatever the stage) and
ASYNC_UPLOAD_FALLBACK (true or false): see docs/rollout.md.
Exit codes: 0 done, 2 wrong usage, 3 the state cannot be read or written, 5 refused.`

const optionKeysHere: readonly OptionKey[] = ['json', 'quiet', 'verbose', 'noColor', 'config']

const longestWhy = 200

/** A command line of it, read and checked. */
export interface RolloutLine extends Wish, Pick<OptionValues, 'json' | 'quiet' | 'noColor'> {
  readonly action: Action
  readonly flags: Partial<Record<OptionKey, unknown>>
}

/**
 * Reads the command line of `upload rollout …`.
 *
 * @returns undefined where it asked for help, which is printed then
 * @throws UsageError with all that is wrong with it.
 */
export function readRolloutLine(args: readonly string[], host: Host): RolloutLine | undefined {
  const command = newCommand('upload rollout', host)
    .usage(`[options] <${actions.join('|')}>`)
    .argument(`<${actions.join('|')}>`, 'what to do')
    .addHelpText('before', before)
    .addHelpText('after', after)
    .option('--force', 'promote, complete: although criteria are not met; needs --why')
    .option('--why <TEXT>', 'what the history is to say of it')
  addOptions(command, optionKeysHere)
  command.optionsGroup('About:').helpOption('-h, --help', 'print this help')
  if (!parseArgs(command, args, host)) return undefined
  const flags = readFlags(command, optionKeysHere)
  const { force = false, why } = command.opts<{ force?: boolean; why?: string }>()
  const [given = ''] = command.args
  const action = actions.find((one) => one === given)
  // What a config says of these is meant for runs.
  const { values, faults } = resolveOptions(
    [...givenByFlags(flags), ...givenByEnvironment(host.env)].filter(({ key }) => optionKeysHere.includes(key)),
  )
  const all = [...actionFaults(given, action, force, why), ...faults]
  if (all.length > 0 || action === undefined) throw new UsageError(all)
  return { action, flags, force, why: why?.trim(), json: values.json, quiet: values.quiet, noColor: values.noColor }
}

function actionFaults(given: string, action: Action | undefined, force: boolean, why: string | undefined): string[] {
  if (action === undefined) {
    const near = nearest(given, actions)
    const remedy = near === undefined ? `expected ${actions.join(', ')}` : `did you mean ${near}?`
    return [fault('upload rollout', `found ${shown(given)}, ${remedy}`)]
  }
  const faults: string[] = []
  const isForced = action === 'promote' || action === 'complete'
  if (force && !isForced) faults.push(fault('--force', `has no meaning for ${action}; leave it out`))
  if (force && isForced && why === undefined) faults.push(fault('--force', 'needs --why TEXT, which the history keeps'))
  if (why === undefined) return faults
  if (action === 'status') faults.push(fault('--why', 'has no meaning for status; leave it out'))
  if (!/^\P{C}+$/u.test(why.trim()) || why.trim().length > longestWhy) {
    faults.push(fault('--why', `expected one line of text, of at most ${longestWhy} characters`))
  }
  return faults
}
