import { defaultStages, type Stage } from '../../rollout/stages.ts'
import { defaultTriggers, type Triggers } from '../../rollout/triggers.ts'
import { shown } from '../given.ts'
import { isObject } from './config-object.ts'
import { readKeys, type Telling, written } from './keyed-values.ts'
import { stageKeys, triggerKeys } from './rollout-keys.ts'

/** Its state has figures for each. */
export const mostStages = 100

/** Reads the list that stands under `stages`. */
export function readStages(list: unknown, at: string, telling: Telling): readonly Stage[] {
  if (!Array.isArray(list) || list.length === 0 || list.length > mostStages) {
    telling.reading.refuse(
      at,
      `expected a list of 1 to ${mostStages} stages: [{ "percentage": 1, "duration": "24h" }, …]`,
    )
    return defaultStages
  }
  const stages: Stage[] = []
  for (const [position, entry] of list.entries()) {
    const place = `${at}[${position}]`
    const stage = readStage(entry, place, telling)
    const before = stages.at(-1)
    if (stage === undefined) continue
    if (before !== undefined && stage.percentage <= before.percentage) {
      const { percentage } = stage
      telling.reading.refuse(
        `${place}.percentage`,
        `found ${percentage}, expected more than the ${before.percentage} before it`,
      )
    }
    stages.push(stage)
  }
  return stages
}

/** Undefined where it cannot be known which it is. */
function readStage(json: unknown, at: string, telling: Telling): Stage | undefined {
  if (!isObject(json)) {
    telling.reading.refuse(at, `expected an object with ${Object.keys(stageKeys).join(', ')}`)
    return undefined
  }
  const { percentage, ...own } = readKeys(stageKeys, json, at, telling, 'a stage')
  if (percentage === undefined) {
    if (!Object.hasOwn(json, 'percentage'))
      telling.reading.refuse(at, 'has no percentage; such as { "percentage": 10 }')
    return undefined
  }
  const { duration = written(stageKeys.duration) } = own
  if (percentage > 0) {
    const { minSuccess = written(stageKeys.minSuccess), minFiles = written(stageKeys.minFiles) } = own
    return { percentage, durationMs: duration, minSuccess, minFiles }
  }
  for (const key of ['minSuccess', 'minFiles'] as const) {
    if (own[key])
      telling.reading.refuse(
        `${at}.${key}`,
        'at 0 % the candidate gets no files, so none can be asked of it; leave it out',
      )
  }
  return { percentage, durationMs: duration, minSuccess: 0, minFiles: 0 }
}

/** Reads the object that stands under `triggers`. */
export function readTriggers(json: unknown, at: string, telling: Telling): Triggers {
  if (!isObject(json)) {
    telling.reading.refuse(at, `expected an object with ${Object.keys(triggerKeys).join(', ')}`)
    return defaultTriggers
  }
  const { maxLatency, ...own } = readKeys(triggerKeys, json, at, telling, 'triggers')
  const { window = defaultTriggers.window } = own
  // Who asks for less in one place does not mean to have asked for too much in the others.
  const { minFiles = Math.min(defaultTriggers.minFiles, window) } = own
  const { minFilesFailing = Math.min(defaultTriggers.minFilesFailing, minFiles, window) } = own
  for (const [key, value] of Object.entries({ minFiles, minFilesFailing })) {
    if (value <= window) continue
    telling.reading.refuse(
      `${at}.${key}`,
      `found ${shown(value)}, but only the last ${window} files are looked at (window)`,
    )
  }
  const { maxLatencyRatio } = defaultTriggers
  return {
    ...defaultTriggers,
    ...own,
    window,
    minFiles,
    minFilesFailing,
    maxLatencyRatio: maxLatency ?? maxLatencyRatio,
  }
}
