import { dirname, resolve } from 'node:path'
import type { RolloutSettings } from '../../rollout/rollout-settings.ts'
import { defaultStages } from '../../rollout/stages.ts'
import { defaultTriggers } from '../../rollout/triggers.ts'
import type { GivenValue } from '../given.ts'
import { optionKeys } from '../options/options.ts'
import { resolveOptions } from '../resolve.ts'
import { conditions } from './conditions.ts'
import { type ConfigReading, isObject, misplacedPlace, readObject } from './config-object.ts'
import { readKeys, type Telling } from './keyed-values.ts'
import { readStages, readTriggers } from './rollout-criteria.ts'
import { candidateOptions, candidateSections, rolloutKeys } from './rollout-keys.ts'

/** A rollout but for how this run takes part in it. */
export type RolloutPlan = Omit<RolloutSettings, 'isEnabled' | 'percentage' | 'candidates'>

/** The rollout that somebody gave. */
export interface GivenRollout {
  readonly plan: RolloutPlan
  /** The options of the candidate. */
  readonly candidate: readonly GivenValue[]
  /** The same as they were written. */
  readonly candidateJson: Readonly<Record<string, unknown>>
}

/** What a config's `rollout` says, with defaults for what is absent or wrong. */
export interface ReadRollout extends GivenRollout {
  /** Values that are not as expected. */
  readonly faults: readonly string[]
}

const wholeForm = '{ "name": "nightly-import", "candidate": { "engine": "fast" } }'

/** Reads the object that stands under `rollout`. */
export function readRollout(json: unknown, at: string, reading: ConfigReading): ReadRollout {
  const faults: string[] = []
  let candidate: readonly GivenValue[] = []
  let stages = defaultStages
  let triggers = defaultTriggers
  const values = isObject(json) ? json : {}
  if (values !== json) reading.refuse(at, `expected an object: ${wholeForm}`)
  const telling: Telling = { reading, faults }
  const own = readKeys(rolloutKeys, values, at, telling, 'a rollout', {
    candidate(value, path) {
      candidate = readCandidate(value, path, telling)
    },
    stages(value, path) {
      stages = readStages(value, path, telling)
    },
    triggers(value, path) {
      triggers = readTriggers(value, path, telling)
    },
  })
  if (values === json) {
    for (const key of ['name', 'candidate']) {
      if (!Object.hasOwn(values, key)) reading.refuse(at, `has no ${key}; such as ${wholeForm}`)
    }
  }
  const {
    name = '',
    fallback = rolloutKeys.fallback.default,
    auto = rolloutKeys.auto.default,
    only = [],
    never = [],
  } = own
  const state = own.state === undefined ? undefined : resolve(dirname(reading.file), own.state)
  // To begin anew would put the state in its place.
  if (state === resolve(reading.file)) reading.refuse(`${at}.state`, 'is this config itself; name another file')
  const candidateJson = isObject(values.candidate) ? values.candidate : {}
  return { plan: { name, fallback, auto, only, never, stages, triggers, state }, candidate, candidateJson, faults }
}

function readCandidate(json: unknown, at: string, { reading, faults }: Telling): readonly GivenValue[] {
  const mayHold = `a candidate may hold ${[...candidateOptions, ...Object.keys(candidateSections)].join(', ')}`
  if (!isObject(json)) {
    reading.refuse(at, `expected an object: ${mayHold}`)
    return []
  }
  const form = {
    options: candidateOptions,
    sections: candidateSections,
    others: {},
    misplaced: (key: string) => misplaced(key, mayHold),
    otherwise: mayHold,
  }
  const given = readObject(json, at, form, reading)
  faults.push(...resolveOptions(given).faults)
  return given
}

/** Why a key that is known elsewhere has no place in a candidate. */
function misplaced(key: string, mayHold: string): string | undefined {
  const place = misplacedPlace(key)
  if (place !== undefined) return place
  if (key === 'contentType' || key === 'rules' || key === 'routes') return `holds for both sides; ${mayHold}`
  if (optionKeys.some((option) => option === key)) return `holds for the whole run; ${mayHold}`
  return Object.hasOwn(conditions, key)
    ? 'which files it is about is a matter of "only" and "never" of the rollout'
    : undefined
}
