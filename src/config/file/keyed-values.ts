import type { z } from 'zod'
import { checkValue } from '../resolve.ts'
import { type ConfigReading, type ObjectForm, readObject } from './config-object.ts'

/** Keys of an object in a config: how each is read, and what the schema for editors says of it. */
export type KeyTable = Readonly<
  Record<string, { readonly schema: z.ZodType; readonly help: string; readonly default?: unknown }>
>

/** Where faults go. */
export interface Telling {
  /** Is told of those about the file as such. */
  readonly reading: ConfigReading
  /** About values, which those who do not use the object may leave aside. */
  readonly faults: string[]
}

export type Values<Keys extends KeyTable> = { readonly [Key in keyof Keys]?: z.output<Keys[Key]['schema']> }

/** Reads an object of keys that are no options; what is absent or wrong is left out. */
export function readKeys<Keys extends KeyTable>(
  keys: Keys,
  values: object,
  at: string,
  { reading, faults }: Telling,
  what: string,
  more: ObjectForm['others'] = {},
): Values<Keys> {
  const read: Record<string, unknown> = {}
  const own = Object.entries(keys).map(([key, { schema }]) => {
    const take = (value: unknown, path: string): void => {
      const checked = checkValue(schema, value, `${reading.file}: ${path}`)
      faults.push(...checked.faults)
      if (checked.faults.length === 0) read[key] = checked.value
    }
    return [key, take] as const
  })
  const others = { ...Object.fromEntries(own), ...more }
  const otherwise = `${what} may hold ${Object.keys(others).join(', ')}`
  readObject(values, at, { options: [], sections: {}, others, otherwise }, reading)
  // Each came out of its own schema, which is what Values says.
  return read as Values<Keys>
}

/** The default of a key, as its schema reads it. */
export function written<Schema extends z.ZodType>(key: {
  readonly schema: Schema
  readonly default: unknown
}): z.output<Schema> {
  return key.schema.parse(key.default)
}
