import type { z } from 'zod'
import { connectionOptions } from './connection-options.ts'
import { laterOptions } from './later-options.ts'
import { limitOptions } from './limit-options.ts'
import type { OptionSpec } from './option-spec.ts'
import { outputOptions } from './output-options.ts'
import { propertyOptions } from './property-options.ts'
import { safetyOptions } from './safety-options.ts'
import { selectionOptions } from './selection-options.ts'
import { transferOptions } from './transfer-options.ts'

/**
 * The options of the main job, as one table. Flags, variables, config keys, the help and {@link OptionValues} all come
 * from it: a new option is an entry in the file of its group.
 */
const availableOptions = {
  ...selectionOptions,
  ...limitOptions,
  ...propertyOptions,
  ...transferOptions,
  ...safetyOptions,
  ...outputOptions,
  ...connectionOptions,
} as const

export type AvailableKey = keyof typeof availableOptions
export type OptionKey = AvailableKey | keyof typeof laterOptions

/** Every option of the main job, those of later versions included. */
export const options: Readonly<Record<OptionKey, OptionSpec>> = { ...availableOptions, ...laterOptions }

/** The names in {@link options}. */
export const optionKeys = Object.keys(options) as readonly OptionKey[]

/** What the options come to. */
export type OptionValues = {
  readonly [Key in AvailableKey]:
    | z.output<(typeof availableOptions)[Key]['schema']>
    | (typeof availableOptions)[Key]['default']
}
