import { type Command, Option } from 'commander'
import { flagOf, helpGroups, type OptionSpec } from '../config/options/option-spec.ts'
import { type OptionKey, optionKeys, options } from '../config/options/options.ts'

/** Adds options of the main job to a command, all unless `keys` are given; those of a later version are not shown. */
export function addOptions(command: Command, keys: readonly OptionKey[] = optionKeys): void {
  for (const group of helpGroups) {
    for (const key of keys) {
      if (options[key].group === group) command.addOption(toOption(key, options[key]))
    }
  }
}

/** The options a command line gave, as it has them. */
export function readFlags(
  command: Command,
  keys: readonly OptionKey[] = optionKeys,
): Partial<Record<OptionKey, unknown>> {
  const flags: Partial<Record<OptionKey, unknown>> = {}
  for (const key of keys) {
    // `--no-color` is not the negation of an option here but one of its own; commander keeps it as `color: false`.
    const name = new Option(flagOf(key)).attributeName()
    if (command.getOptionValueSource(name) !== 'cli') continue
    flags[key] = options[key].takes === 'nothing' ? true : command.getOptionValue(name)
  }
  return flags
}

function toOption(key: OptionKey, spec: OptionSpec): Option {
  const flags = `${spec.short === undefined ? '' : `-${spec.short}, `}${flagOf(key)}`
  const value = spec.takes === 'nothing' ? '' : ` <${spec.value ?? 'VALUE'}>`
  const shownDefault = spec.shownDefault === undefined ? '' : ` (default: ${spec.shownDefault})`
  const option = new Option(flags + value, spec.help + shownDefault).helpGroup(`${spec.group}:`)
  if (spec.takes === 'many') option.argParser((one: string, before: string[] = []) => [...before, one])
  return option.hideHelp(!spec.available)
}
