import { z } from 'zod'
import { type OptionKey, optionKeys, options } from '../options/options.ts'
import { conditions, skip } from './conditions.ts'
import { entryOptions, entrySections } from './config-entries.ts'
import type { Sections } from './config-object.ts'
import { topSections } from './config-values.ts'

type JsonSchema = Readonly<Record<string, unknown>>
type Properties = Record<string, JsonSchema>

/**
 * The JSON Schema (draft 2020-12) of `.uploadrc.json`, for editors: made from the schemas that the program itself reads a
 * config by, with the help's texts. What it allows and the program refuses all the same (a template with an unknown token,
 * a key given twice) no schema can say.
 */
export function configSchema(): JsonSchema {
  const settings = {
    ...propertiesOf(optionKeys.filter((key) => options[key].inConfig !== 'none' && options[key].available)),
    ...sections(topSections),
    rules: entries('rules', 'The first that a file meets gives it other properties, or leaves it out.'),
    routes: entries('routes', 'The first that a file meets decides where it is sent, and how.'),
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Settings of upload (.uploadrc.json)',
    ...object({
      $schema: { type: 'string', description: 'where this schema is, for editors' },
      ...settings,
      presets: {
        type: 'object',
        description: 'Sets of options by name, for --preset NAME: they win over the options beside them.',
        additionalProperties: { $ref: '#/$defs/preset' },
      },
    }),
    $defs: { preset: object(settings) },
  }
}

function propertiesOf(keys: readonly OptionKey[], withDefaults = true): Properties {
  return Object.fromEntries(keys.map((key) => [key, { ...describe(key), ...(withDefaults ? defaultOf(key) : {}) }]))
}

function describe(key: OptionKey): JsonSchema {
  const { schema, help, inConfig } = options[key]
  const where = inConfig === 'named' ? ' (only in a config that --config names)' : ''
  return { ...inJson(schema), description: help + where }
}

/** As somebody would write it: `8MiB` rather than the bytes it comes to. */
function defaultOf(key: OptionKey): JsonSchema {
  const { schema, default: value, shownDefault } = options[key]
  const comesTo = (written: unknown): boolean => {
    const read = schema.safeParse(written)
    return read.success && JSON.stringify(read.data) === JSON.stringify(value)
  }
  const written = [shownDefault, value].find((one) => one !== undefined && comesTo(one))
  return written === undefined ? {} : { default: written }
}

function sections(known: Sections): Properties {
  return Object.fromEntries(
    Object.entries(known).map(([name, section]) => {
      const keys = Object.entries(section)
      return [name, object(Object.fromEntries(keys.map(([key, option]) => [key, describe(option)])))]
    }),
  )
}

function entries(kind: 'rules' | 'routes', description: string): JsonSchema {
  const about = { ...conditions, skip }
  const own = Object.entries(about).map(([key, { schema, help }]) => [key, { ...inJson(schema), description: help }])
  return {
    type: 'array',
    description,
    items: {
      ...object({
        ...Object.fromEntries(own),
        ...propertiesOf(entryOptions[kind], false),
        ...sections(entrySections[kind]),
      }),
      // What is left out has no use for anything else.
      if: { properties: { skip: { enum: [true, 'true', '1'] } }, required: ['skip'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { propertyNames: { enum: Object.keys(about) } },
    },
  }
}

function object(properties: Properties): JsonSchema {
  return { type: 'object', properties, additionalProperties: false }
}

function inJson(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' })
  return rest
}
