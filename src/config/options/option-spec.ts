import { z } from 'zod'

/** Everything there is to know about one option: its flag, variable and config key are made from its camelCase name. */
export interface OptionSpec<Schema extends z.ZodType = z.ZodType, Default = unknown> {
  /** Reads what a flag (text, `true`, or a list of texts), a variable (text) or a config file (JSON) holds. */
  readonly schema: Schema
  /** The value where nobody gives one. */
  readonly default: Default
  /** What stands behind the flag: nothing, one value, or one value each time it is repeated. */
  readonly takes: 'nothing' | 'one' | 'many'
  /** One letter. */
  readonly short?: string
  /** What the help shows for the value. */
  readonly value?: string
  readonly help: string
  /** The default as the help shows it. */
  readonly shownDefault?: string
  readonly group: HelpGroup
  /** Which config files may hold it: any, only one named by `--config` or `UPLOAD_CONFIG`, or none. */
  readonly inConfig: 'any' | 'named' | 'none'
  /** Variables of other programs that mean the same, the strongest first; all yield to the option's own. */
  readonly alsoFrom: readonly string[]
  /** False: known, and refused wherever it is given. */
  readonly available: boolean
}

/** Headings of the help, in the order they are shown. */
export const helpGroups = [
  'Sources',
  'Destination',
  'Keys',
  'Limits',
  'Properties',
  'Transfer',
  'Retries',
  'Safety',
  'Output',
  'Providers and network',
  'Configuration',
] as const

export type HelpGroup = (typeof helpGroups)[number]

type Optional = 'inConfig' | 'alsoFrom'
type Given<Schema extends z.ZodType, Default> = Omit<OptionSpec<Schema, Default>, 'available' | Optional> &
  Partial<Pick<OptionSpec, Optional>>

/** An option that can be used. */
export function option<Schema extends z.ZodType, const Default extends z.output<Schema> | undefined>(
  spec: Given<Schema, Default>,
): OptionSpec<Schema, Default> {
  return { inConfig: 'any', alsoFrom: [], ...spec, available: true }
}

/** An option of a later version. */
export function later(takes: OptionSpec['takes'], group: HelpGroup): OptionSpec<z.ZodType<undefined>, undefined> {
  const spec = { schema: z.undefined(), default: undefined, takes, group, help: 'not yet available' } as const
  return { ...spec, inConfig: 'any', alsoFrom: [], available: false }
}

/** `partSize` → `--part-size`. */
export function flagOf(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** `partSize` → `UPLOAD_PART_SIZE`. */
export function variableOf(key: string): string {
  return `UPLOAD_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}
