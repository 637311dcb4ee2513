import type { Layers } from '../destination-fit.ts'
import { resolveOptions } from '../resolve.ts'
import type { Rule } from '../settings.ts'
import { propertiesOf } from '../to-settings.ts'
import type { GivenEntry } from './config-entries.ts'

/**
 * The run's rules. What the command line or the environment say of a property holds for every file: rules have no say
 * in it.
 */
export function toRules(entries: readonly GivenEntry[], [commandLine, environment]: Layers): Rule[] {
  const settled = new Set([...commandLine, ...environment].map(({ key }) => key))
  return entries.map(({ name, when, skip, given }) => {
    const { values } = resolveOptions(given.filter(({ key }) => !settled.has(key)))
    return { name, when, skip, contentType: values.contentType, properties: propertiesOf(values) }
  })
}
