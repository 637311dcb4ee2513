import type { Settings } from '../../src/config/settings.ts'
import type { EngineName } from '../../src/destinations/destination.ts'

const MiB = 2 ** 20

/** Both ways to send bytes to S3; what a user sees of them is the same. */
export const engines: readonly EngineName[] = ['fast', 'standard']

/** What a run has where nobody asks for anything else; sources and destination are made up, and nothing is shown. */
export const defaultSettings: Settings = {
  sources: ['in'],
  filesFrom: undefined,
  null: false,
  base: undefined,
  flatten: false,
  key: undefined,
  keyFix: false,
  include: [],
  exclude: [],
  excludeFrom: [],
  allowEmpty: false,
  to: 's3://bucket/',
  s3: { endpointUrl: undefined, region: undefined, profile: undefined, pathStyle: 'auto', signRequest: true },
  supabase: { url: undefined },
  tls: { caBundle: undefined, verify: true },
  contentType: undefined,
  properties: {},
  ifExists: 'overwrite',
  concurrency: 'auto',
  partSize: 8 * MiB,
  multipartThreshold: 16 * MiB,
  partConcurrency: undefined,
  bufferSize: 256 * 1024,
  limitRate: undefined,
  order: 'scan',
  engine: 'fast',
  retry: { retries: 8, retryDelayMs: 200, retryMaxDelayMs: 20_000, retryMaxTimeMs: 600_000, retryFailed: 1 },
  timeouts: { requestMs: 'auto', stallMs: 30_000 },
  resume: false,
  resumeFrom: undefined,
  checksum: 'auto',
  verify: false,
  onChange: 'fail',
  halt: { maxFailures: undefined, maxErrorRate: undefined, deadline: undefined },
  undoOnFailure: false,
  dryRun: false,
  runId: undefined,
  report: [],
  progress: 'none',
  quiet: false,
  verbose: false,
  noColor: false,
  json: false,
  configFile: undefined,
  ignored: [],
}
