import type { GivenValue } from './given.ts'
import { variableOf } from './options/option-spec.ts'
import { optionKeys, options } from './options/options.ts'

/** Variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * What the environment gives. A variable that is set but empty counts as unset, as in most programs; of several that
 * mean the same option the strongest is taken. Repeatable options hold one value a line.
 */
export function givenByEnvironment(env: Environment): GivenValue[] {
  const given: GivenValue[] = []
  for (const key of optionKeys) {
    const { takes, alsoFrom } = options[key]
    const own = variableOf(key)
    const name = [own, ...alsoFrom].find((variable) => env[variable])
    if (name === undefined) continue
    const text = env[name] as string
    if (takes === 'many') given.push({ key, from: name, value: text.split(/\r?\n/).filter((line) => line !== '') })
    // Other programs' switches are on by being there: https://no-color.org
    else given.push({ key, from: name, value: takes === 'nothing' && name !== own ? true : text })
  }
  return given
}
