import { later } from './option-spec.ts'

/**
 * What a later version brings: known, so that a script written for it is told so rather than given something else, and
 * left out of the help.
 */
export const laterOptions = {
  shard: later('one', 'Sources'),

  dashboard: later('nothing', 'Output'),
  dashboardPort: later('one', 'Output'),
  metricsFile: later('one', 'Output'),
} as const

/** Commands of a later version. */
export const laterCommands: readonly string[] = ['report', 'check', 'completion']
