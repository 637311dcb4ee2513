import type { ChecksumAlgorithm, EngineName, ObjectProperties } from '../destinations/destination.ts'
import type { RolloutSettings } from '../rollout/rollout-settings.ts'
import type { Deadline } from './halting-values.ts'
import type { Moment } from './values.ts'

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
  /** Change keys that the destination cannot hold. */
  readonly keyFix: boolean
  /** Patterns in gitignore syntax. */
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  readonly excludeFrom: readonly string[]
  /** Only files modified then or later. */
  readonly newerThan: Moment | undefined
  /** Only files modified before. */
  readonly olderThan: Moment | undefined
  /** Enter directories that are symbolic links. */
  readonly follow: boolean
  readonly allowEmpty: boolean
  readonly limits: LimitSettings

  /** `s3://bucket/prefix/`, `supabase://bucket/prefix/`, `file:./dir/`. */
  readonly to: string
  readonly s3: S3Settings
  readonly supabase: SupabaseSettings
  readonly tls: TlsSettings

  /** Of every object; undefined: by the file's name. */
  readonly contentType: string | undefined
  /** Of every object. */
  readonly properties: ObjectProperties
  /** Keep each file's modification time with its object. */
  readonly preserve: 'mtime' | undefined
  /** The first that a file meets gives it other properties, or leaves it out. */
  readonly rules: readonly Rule[]
  /** The first that a file meets decides where and how it is sent; a file that meets none goes by these settings. */
  readonly routes: readonly Route[]
  /** Undefined where nothing is rolled out. */
  readonly rollout: RolloutSettings | undefined
  /** What becomes of a file whose object is there already. */
  readonly ifExists: 'overwrite' | 'skip' | 'fail' | 'newer' | 'changed'

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
  readonly timeouts: TimeoutSettings

  /** Continue the newest unfinished run that fits. */
  readonly resume: boolean
  /** Continue the run of this journal; `server`: go by what the destination holds. */
  readonly resumeFrom: string | undefined
  /** auto: crc32, and none where the endpoint refuses it. */
  readonly checksum: ChecksumAlgorithm | 'auto' | 'none'
  /** Ask the destination for each object after it was sent. */
  readonly verify: boolean
  /** What becomes of a file that changes while it is read. */
  readonly onChange: 'fail' | 'retry'
  readonly halt: HaltSettings
  /** Take back what the run created where it does not end with 0. */
  readonly undoOnFailure: boolean

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
  /** Somebody named it, rather than it being found. */
  readonly isConfigNamed: boolean
  /** Which of its `presets` was asked for. */
  readonly preset: string | undefined
  /** What was given for destinations in general and has no effect at this one: a line each, for `-v`. */
  readonly ignored: readonly string[]
  /** What may well not be meant: a line each, for everybody to see before the run begins. */
  readonly warnings: readonly string[]
}

/** What may be uploaded; undefined, or empty, where there is no limit. Sizes in bytes. */
export interface LimitSettings {
  readonly maxSize: number | undefined
  readonly minSize: number | undefined
  /** Of all files together. */
  readonly maxFiles: number | undefined
  readonly maxTotalSize: number | undefined
  /** `.wav`, in lower case. */
  readonly allowExt: readonly string[]
  readonly denyExt: readonly string[]
  /** By the files' bytes: `audio/wav`, `audio/*`. */
  readonly allowType: readonly string[]
}

/** Which files a rule or a route is about: those that meet all of it. What is empty or undefined holds for all. */
export interface Condition {
  /** gitignore patterns, one of which the source name matches. */
  readonly match: readonly string[]
  /** Media types, `audio/wav` or `audio/*`, one of which is the file's: by its name, or as a rule says. */
  readonly type: readonly string[]
  /** Bytes; a file whose size is not known has none of a certain size. */
  readonly minSize: number | undefined
  readonly maxSize: number | undefined
}

/** An entry of `rules`. What the command line or the environment say of a property is stronger, and left out here. */
export interface Rule {
  /** Where it stands, for messages: `rules[0]`. */
  readonly name: string
  readonly when: Condition
  /** The file is not sent. */
  readonly skip: boolean
  readonly contentType: string | undefined
  readonly properties: ObjectProperties
}

/** An entry of `routes`. */
export interface Route {
  /** Where it stands, for messages: `routes[0]`. */
  readonly name: string
  readonly when: Condition
  /** The file is not sent. */
  readonly skip: boolean
  /** All of the run's, with what the route says of them; its own `routes` are empty. */
  readonly settings: Settings
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

export interface SupabaseSettings {
  /** The project's; its key is in no settings. */
  readonly url: string | undefined
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

export interface TimeoutSettings {
  /** One request, from its first byte to its answer, in milliseconds; auto: predicted from size and throughput. */
  readonly requestMs: number | 'auto'
  /** A request without a byte in either direction, in milliseconds. */
  readonly stallMs: number
}

/** Rules that end a run (exit 4); undefined where there is none. */
export interface HaltSettings {
  /** At how many failed files. */
  readonly maxFailures: number | undefined
  /** Share of the files, from 0 to 1, that may fail; looked at after 20 of them. */
  readonly maxErrorRate: number | undefined
  readonly deadline: Deadline | undefined
}
