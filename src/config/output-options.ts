import { option } from './option-spec.ts'
import { many, oneOf, onOff, reportFile, text, textLike } from './values.ts'

/** What the run shows, writes and is configured by. */
export const outputOptions = {
  progress: option({
    schema: oneOf('auto', 'bars', 'plain', 'none'),
    default: 'auto',
    takes: 'one',
    value: 'MODE',
    help: 'auto, bars, plain or none; auto: bars on a terminal',
    shownDefault: 'auto',
    group: 'Output',
  }),
  quiet: option({
    schema: onOff(),
    default: false,
    takes: 'nothing',
    short: 'q',
    help: 'errors and warnings only',
    group: 'Output',
  }),
  verbose: option({
    schema: onOff(),
    default: false,
    takes: 'nothing',
    short: 'v',
    help: 'a line for each file',
    group: 'Output',
  }),
  noColor: option({
    schema: onOff(),
    default: false,
    takes: 'nothing',
    help: 'no colours',
    group: 'Output',
    alsoFrom: ['NO_COLOR'],
  }),
  json: option({
    schema: onOff(),
    default: false,
    takes: 'nothing',
    help: 'NDJSON on standard output: a line for each file, progress each second',
    group: 'Output',
  }),
  report: option({
    schema: many(reportFile(), 'a file name that ends with .jsonl, .json or .csv'),
    default: [] as string[],
    takes: 'many',
    value: 'FILE',
    help: 'write a report (.jsonl, .json, .csv) when the run ends; repeatable',
    group: 'Output',
  }),
  config: option({
    schema: text('a file name'),
    default: undefined,
    takes: 'one',
    value: 'FILE',
    help: 'read this config file',
    shownDefault: 'nearest .uploadrc.json, from the working directory upwards',
    group: 'Configuration',
    inConfig: 'none',
  }),
  runId: option({
    schema: textLike(/^[A-Za-z0-9._-]{1,64}$/, 'up to 64 letters, digits, ".", "_" and "-"'),
    default: undefined,
    takes: 'one',
    value: 'ID',
    help: "the run's name in reports",
    shownDefault: 'time and a random suffix',
    group: 'Configuration',
  }),
} as const
