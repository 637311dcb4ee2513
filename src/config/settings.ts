import type { EngineName } from '../destinations/destination.ts'

/** A run's settings after flags, environment, config file and defaults have been merged and checked. */
export interface Settings {
  /** As given: files, directories, globs, `!patterns`, `-`. */
  readonly sources: readonly string[]
  /** A file that lists more sources, one a line; `-` for standard input. */
  readonly filesFrom: string | undefined
  /** `filesFrom` is separated by NUL instead of newline. */
  readonly null: boolean
  /** Directory every key is relative to. */
  readonly base: string | undefined
  readonly flatten: boolean
  /** Template of what follows the prefix. */
  readonly key: string | undefined
  /** Patterns in gitignore syntax. */
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  readonly excludeFrom: readonly string[]
  readonly allowEmpty: boolean

  /** `s3://bucket/prefix/`, `file:./dir/`. */
  readonly to: string
  readonly s3: S3Settings
  readonly tls: TlsSettings

  readonly concurrency: number | 'auto'
  /** Bytes. */
  readonly partSize: number
  /** Bytes; a file larger than this is sent in parts. */
  readonly multipartThreshold: number
  /** Undefined: as many as slots are free. */
  readonly partConcurrency: number | undefined
  /** Bytes. */
  readonly bufferSize: number
  /** Bytes a second for the whole run; undefined: no limit. */
  readonly limitRate: number | undefined
  /** In which order files are sent, within a window of 10,000. */
  readonly order: 'scan' | 'size' | 'mixed'
  readonly engine: EngineName
  readonly retry: RetrySettings

  readonly dryRun: boolean
  readonly runId: string | undefined
  /** Files to write when the run ends; their ending tells the format. */
  readonly report: readonly string[]
  readonly progress: 'auto' | 'bars' | 'plain' | 'none'
  readonly quiet: boolean
  readonly verbose: boolean
  readonly noColor: boolean
  readonly json: boolean
  /** The config file that was read. */
  readonly configFile: string | undefined
}

export interface S3Settings {
  readonly endpointUrl: string | undefined
  readonly region: string | undefined
  readonly profile: string | undefined
  /** auto: on for a custom endpoint. */
  readonly pathStyle: 'auto' | 'on' | 'off'
  /** False: requests go unsigned, for public buckets. */
  readonly signRequest: boolean
}

export interface TlsSettings {
  /** A PEM file of certificate authorities to trust beside Node's own. */
  readonly caBundle: string | undefined
  readonly verify: boolean
}

export interface RetrySettings {
  /** Attempts after the first. */
  readonly retries: number
  readonly retryDelayMs: number
  readonly retryMaxDelayMs: number
  readonly retryMaxTimeMs: number
  /** Passes over failed, retryable files at the end of the run. */
  readonly retryFailed: number
}
