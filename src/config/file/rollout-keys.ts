import { defaultTriggers } from '../../rollout/triggers.ts'
import { share } from '../halting-values.ts'
import type { OptionKey } from '../options/options.ts'
import { ratio, stagePercentage } from '../rollout/values.ts'
import { duration, onOff, textLike, wholeNumber } from '../values.ts'
import { conditions } from './conditions.ts'
import { s3Section } from './config-object.ts'
import type { KeyTable } from './keyed-values.ts'
import { propertyKeys } from './property-keys.ts'

const dayMs = 86_400_000
/** Its file has a line for each of them, so that they are bounded. */
const mostWindow = 5000
const mostFiles = 1_000_000_000

/** Keys of `rollout` beside `candidate`, `stages` and `triggers`. */
export const rolloutKeys = {
  name: {
    schema: textLike(/^\P{C}{1,100}$/u, 'a name of 1 to 100 characters such as nightly-import'),
    help: 'what it is called: files are given to the candidate by it, and its state is found by it',
  },
  fallback: { schema: onOff(), help: 'send a file that fails on the candidate again on the baseline', default: true },
  only: {
    schema: conditions.match.schema,
    help: 'files by gitignore patterns of their source names: all others take the baseline, and count for neither side',
  },
  never: {
    schema: conditions.match.schema,
    help: 'files by gitignore patterns of their source names: these take the baseline, and count for neither side',
  },
  state: {
    schema: textLike(
      /^(?!~)\P{Cc}*[^/\\\p{Cc}]$/u,
      'the path of a file, relative to this config ("~" is not expanded)',
    ),
    help: 'file in which its state is kept, relative to this config; else under the state directory',
  },
  auto: { schema: onOff(), help: 'go on to the next stage as soon as all criteria are met', default: false },
} as const satisfies KeyTable

/** Keys of an entry of `stages`. */
export const stageKeys = {
  percentage: { schema: stagePercentage(), help: 'share of the files that the candidate gets, from 0 to 100' },
  duration: { schema: duration(365 * dayMs), help: 'how long the stage lasts at the least', default: '24h' },
  minSuccess: { schema: share(), help: "share of the candidate's files that have to succeed", default: '99.5%' },
  minFiles: { schema: wholeNumber(0, mostFiles), help: 'files the candidate must have had', default: 200 },
} as const satisfies KeyTable

/** Keys of `triggers`. */
export const triggerKeys = {
  window: {
    schema: wholeNumber(1, mostWindow),
    help: "how many of the stage's last candidate files are looked at",
    default: defaultTriggers.window,
  },
  minFiles: {
    schema: wholeNumber(1, mostWindow),
    help: 'fewer of them say nothing yet',
    default: defaultTriggers.minFiles,
  },
  minFilesFailing: {
    schema: wholeNumber(1, mostWindow),
    help: 'the same where more than half of them failed',
    default: defaultTriggers.minFilesFailing,
  },
  minSuccess: { schema: share(), help: 'a smaller share of successes rolls back', default: '95%' },
  maxErrors: { schema: share(), help: 'a larger share of errors rolls back', default: '5%' },
  maxLatency: {
    schema: ratio(),
    help: "p95 latency in percent of the baseline's, above which a person has to look at it (review)",
    default: '120%',
  },
} as const satisfies KeyTable

/** The options that a candidate may hold. */
export const candidateOptions = [
  'to',
  'engine',
  'concurrency',
  'partSize',
  'multipartThreshold',
  'partConcurrency',
  'checksum',
  'verify',
  'ifExists',
  'keyFix',
  'retries',
  'retryDelay',
  'retryMaxDelay',
  'retryMaxTime',
  'timeout',
  'stallTimeout',
  ...propertyKeys,
] as const satisfies readonly OptionKey[]

/** Sections that a candidate may hold. */
export const candidateSections = { s3: s3Section } as const
