import { z } from 'zod'
import { defaultStages, type Stage } from '../../rollout/stages.ts'
import { type OptionKey, optionKeys, options } from '../options/options.ts'
import { conditions, skip } from './conditions.ts'
import { entryOptions, entrySections } from './config-entries.ts'
import type { Sections } from './config-object.ts'
import { topSections } from './config-values.ts'
import type { KeyTable } from './keyed-values.ts'
import { mostStages } from './rollout-criteria.ts'
import { candidateOptions, candidateSections, rolloutKeys, stageKeys, triggerKeys } from './rollout-keys.ts'

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
      rollout: rollout(),
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
  return {
    type: 'array',
    description,
    items: {
      ...object({
        ...keysOf(about),
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

function rollout(): JsonSchema {
  const candidate = { ...propertiesOf(candidateOptions, false), ...sections(candidateSections) }
  return {
    description:
      'One way to upload (the candidate) takes over from another (the baseline), over many runs: docs/rollout.md.',
    ...object({
      ...keysOf(rolloutKeys),
      candidate: {
        description: 'What the candidate does otherwise: it wins over flags and variables, too.',
        ...object(candidate),
      },
      stages: {
        type: 'array',
        description:
          'By rising percentage: how many files the candidate gets, and what has to hold before the next stage.',
        minItems: 1,
        maxItems: mostStages,
        items: { ...object(keysOf(stageKeys)), required: ['percentage'] },
        default: defaultStages.map(written),
      },
      triggers: {
        description: 'What rolls the candidate back, or has a person look at it.',
        ...object(keysOf(triggerKeys)),
      },
    }),
    required: ['name', 'candidate'],
  }
}

/** A stage as somebody would write it. */
function written({ percentage, durationMs, minSuccess, minFiles }: Stage): JsonSchema {
  const duration = `${durationMs / 3_600_000}h`
  return percentage === 0
    ? { percentage, duration }
    : { percentage, duration, minSuccess: `${minSuccess * 100}%`, minFiles }
}

function keysOf(keys: KeyTable): Properties {
  return Object.fromEntries(
    Object.entries(keys).map(([key, { schema, help, default: value }]) => {
      const byDefault = value === undefined ? {} : { default: value }
      return [key, { ...inJson(schema), description: help, ...byDefault }]
    }),
  )
}

function object(properties: Properties): JsonSchema {
  return { type: 'object', properties, additionalProperties: false }
}

function inJson(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' })
  return rest
}
