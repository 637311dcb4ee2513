import { later } from './option-spec.ts'

/**
 * What a later version brings: known, so that a script written for it is told so rather than given something else, and
 * left out of the help.
 */
export const laterOptions = {
  follow: later('nothing', 'Sources'),
  newerThan: later('one', 'Sources'),
  shard: later('one', 'Sources'),

  maxSize: later('one', 'Transfer'),
  minSize: later('one', 'Transfer'),
  allowExt: later('many', 'Transfer'),
  denyExt: later('many', 'Transfer'),
  allowType: later('many', 'Transfer'),
  maxFiles: later('one', 'Transfer'),
  maxTotalSize: later('one', 'Transfer'),

  contentEncoding: later('one', 'Properties'),
  contentDisposition: later('one', 'Properties'),
  tag: later('many', 'Properties'),
  storageClass: later('one', 'Providers and network'),
  acl: later('one', 'Providers and network'),
  sse: later('one', 'Providers and network'),
  sseKmsKeyId: later('one', 'Providers and network'),

  dashboard: later('nothing', 'Output'),
  dashboardPort: later('one', 'Output'),
  metricsFile: later('one', 'Output'),
  preset: later('one', 'Configuration'),
} as const

/** Config keys of a later version that are no options. */
export const laterConfigKeys: readonly string[] = ['routes', 'rules', 'presets', 'rollout']

/** Commands of a later version. */
export const laterCommands: readonly string[] = ['report', 'rollout', 'check', 'init', 'completion']
