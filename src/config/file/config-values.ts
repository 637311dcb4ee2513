import { fault, type GivenValue } from '../given.ts'
import { optionKeys } from '../options/options.ts'
import { resolveOptions } from '../resolve.ts'
import { type GivenEntry, readEntries } from './config-entries.ts'
import {
  type ConfigReading,
  isObject,
  placeIn,
  readConfig,
  readObject,
  type Sections,
  s3Section,
} from './config-object.ts'
import { type ReadRollout, readRollout } from './rollout.ts'

/** What the top level of a config gives, or one of its presets. */
export interface ConfigLevel {
  readonly given: readonly GivenValue[]
  /** Undefined where there are none, which is not the same as an empty list. */
  readonly rules: readonly GivenEntry[] | undefined
  readonly routes: readonly GivenEntry[] | undefined
}

/** What a config file gives, and what is wrong with it. */
export interface ConfigValues extends ConfigLevel {
  readonly presets: ReadonlyMap<string, ConfigLevel>
  /** Undefined where there is none. */
  readonly rollout: ReadRollout | undefined
  /** About the file as such: secrets, and keys that have no place where they stand. */
  readonly faults: readonly string[]
  /** About values in rules, routes, presets and the rollout, those that are not used included. */
  readonly entryFaults: readonly string[]
}

/** Options of one provider under its name; each is a key of its own, too. */
export const topSections = {
  s3: s3Section,
  supabase: { url: 'supabaseUrl' },
} as const satisfies Sections

/** Keys that hold for the config as a whole, so that no preset has them. */
const ofTheWhole: readonly string[] = ['$schema', 'presets', 'rollout']

const otherwise = 'keys are the options of upload --help, --part-size as partSize'

/**
 * Reads the options out of a config's JSON.
 *
 * @param file - The config's path, for messages.
 * @param named - Whether somebody named the file, rather than it being found.
 */
export function givenByConfig(json: unknown, file: string, named: boolean): ConfigValues {
  const presets = new Map<string, ConfigLevel>()
  if (!isObject(json)) {
    const faults = [fault(file, 'expected an object: { "to": "s3://bucket/prefix/" }')]
    return { given: [], rules: undefined, routes: undefined, presets, rollout: undefined, faults, entryFaults: [] }
  }
  const reading = readConfig(json, file, named)
  const entryFaults: string[] = []
  let rollout: ReadRollout | undefined
  const level = readLevel(json, '', reading, entryFaults, {
    $schema: () => undefined,
    presets: (value, path) => readPresets(value, path),
    rollout(value, path) {
      rollout = readRollout(value, path, reading)
      entryFaults.push(...rollout.faults)
    },
  })
  return { ...level, presets, rollout, faults: reading.faults, entryFaults }

  function readPresets(values: unknown, at: string): void {
    if (!isObject(values)) {
      reading.refuse(at, 'expected an object: { "nightly": { "concurrency": 8 } }')
      return
    }
    for (const [name, preset] of Object.entries(values)) {
      const path = placeIn(at, name)
      if (!isObject(preset)) {
        reading.refuse(path, 'expected an object of options, as at the top of the config')
        presets.set(name, { given: [], rules: undefined, routes: undefined })
        continue
      }
      const found = readLevel(preset, path, reading, entryFaults, {})
      entryFaults.push(...resolveOptions(found.given).faults)
      presets.set(name, found)
    }
  }
}

/** Options, rules and routes, as they stand at the top and in each preset. */
function readLevel(
  values: object,
  at: string,
  reading: ConfigReading,
  entryFaults: string[],
  more: Readonly<Record<string, (value: unknown, path: string) => void>>,
): ConfigLevel {
  const lists: Partial<Record<'rules' | 'routes', readonly GivenEntry[]>> = {}
  const take = (kind: 'rules' | 'routes') => (value: unknown, path: string) => {
    const { entries, faults } = readEntries(kind, value, path, reading)
    lists[kind] = entries
    entryFaults.push(...faults)
  }
  const others = { rules: take('rules'), routes: take('routes'), ...more }
  const form = {
    options: optionKeys,
    sections: topSections,
    others,
    misplaced: (key: string) => (ofTheWhole.includes(key) ? 'belongs at the top of the config' : undefined),
    otherwise,
  }
  const given = readObject(values, at, form, reading)
  return { given, rules: lists.rules, routes: lists.routes }
}
