import { type CommandSettings, commandOptionKeys, loadCommandSettings } from '../config/command-settings.ts'
import { newCommand, parseArgs } from './command.ts'
import type { Host } from './host.ts'
import { addOptions, readFlags } from './options.ts'

/** How a command looks from the outside. */
export interface CommandForm {
  readonly name: string
  /** What stands behind the options, as the usage line has it: `<report>`. */
  readonly argument: string
  readonly argumentHelp: string
  /** What it does and examples, before the usage. */
  readonly before: string
  /** Exit codes and the like, after the options. */
  readonly after: string
  /** Options of its own: flags (`--older-than <TIME>`) and what they do. */
  readonly options?: readonly (readonly [flags: string, help: string])[]
}

/** A command line of one of them, read and checked. */
export interface CommandLine extends CommandSettings {
  /** What stands behind the options: as many as {@link CommandForm.argument} says. */
  readonly args: readonly string[]
  /** What {@link CommandForm.options} were given, by their camelCase names: text, or `true`. */
  readonly own: Readonly<Record<string, unknown>>
}

/** The option of commands that ask before they act. */
export const yesOption = ['-y, --yes', 'do it without asking'] as const

/**
 * Reads the command line of one of the commands beside the main job. All of them share the options that say how a destination is
 * reached and what is shown.
 *
 * @returns undefined where it asked for help, which is printed then
 * @throws UsageError where it cannot be read, or with every fault in flags, environment and config.
 */
export async function readCommandLine(
  form: CommandForm,
  args: readonly string[],
  host: Host,
): Promise<CommandLine | undefined> {
  const command = newCommand(`upload ${form.name}`, host)
    .usage(`[options] ${form.argument}`)
    .argument(form.argument, form.argumentHelp)
    .addHelpText('before', `${form.before}\n`)
    .addHelpText('after', `\n${form.after}`)
  for (const [flags, help] of form.options ?? []) command.option(flags, help)
  addOptions(command, commandOptionKeys)
  command.optionsGroup('About:').helpOption('-h, --help', 'print this help')
  if (!parseArgs(command, args, host)) return undefined
  const flags = readFlags(command, commandOptionKeys)
  const { settings, byFlag } = await loadCommandSettings({ ...host, flags })
  return { settings, byFlag, args: command.args, own: command.opts() }
}
