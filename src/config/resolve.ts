import type { z } from 'zod'
import { fault, type GivenValue, shown } from './given.ts'
import { flagOf } from './options/option-spec.ts'
import { type OptionKey, type OptionValues, optionKeys, options } from './options/options.ts'

export interface Resolved {
  readonly values: OptionValues
  /** What was chosen of the given values; an option that nobody gave has none. */
  readonly chosen: ReadonlyMap<OptionKey, GivenValue>
  readonly faults: readonly string[]
}

/**
 * Chooses, for each option, the first of the given values, else its default. Every value is checked, those that are
 * not chosen too: a fault that waits until a flag is left away is found at a worse time.
 *
 * @param given - The strongest first.
 */
export function resolveOptions(given: readonly GivenValue[]): Resolved {
  const values: Record<string, unknown> = Object.fromEntries(optionKeys.map((key) => [key, options[key].default]))
  const chosen = new Map<OptionKey, GivenValue>()
  const faults: string[] = []
  for (const one of given) {
    const isFirst = !chosen.has(one.key)
    if (isFirst) chosen.set(one.key, one)
    if (one.refused) continue
    const checked = check(one)
    faults.push(...checked.faults)
    if (isFirst && checked.faults.length === 0) values[one.key] = checked.value
  }
  // Each entry is its default or came out of its own schema, which is what OptionValues says.
  return { values: values as unknown as OptionValues, chosen, faults }
}

function check({ key, value, from }: GivenValue): Checked {
  const spec = options[key]
  if (!spec.available) return { faults: [fault(from, `${flagOf(key)} is not yet available`)] }
  return checkValue(spec.schema, value, from)
}

/** What a value comes to, or what is wrong with it. */
export interface Checked<Value = unknown> {
  /** Undefined where there are faults. */
  readonly value?: Value
  readonly faults: readonly string[]
}

/**
 * Checks a value somebody gave.
 *
 * @param from - Where it stands, for messages.
 */
export function checkValue<Value>(schema: z.ZodType<Value>, value: unknown, from: string): Checked<Value> {
  const result = schema.safeParse(value)
  if (result.success) return { value: result.data, faults: [] }
  const faults = result.error.issues.map(({ path, message }) => {
    if (message.endsWith('not yet available')) return fault(from, message)
    return fault(from, `found ${shown(itemAt(value, path[0]))}, ${message}`)
  })
  return { faults }
}

/** The item of a list, or the named value of an object, that a fault is about; the value itself where it is neither. */
function itemAt(value: unknown, position: PropertyKey | undefined): unknown {
  if (position === undefined || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value[Number(position)]
  return `${String(position)}=${(value as Readonly<Record<PropertyKey, unknown>>)[position]}`
}
