/**
 * What a program can ask of `upload()`: the main job's options by their camelCase names, as in `.uploadrc.json`. Written
 * out, so that the types a user of the library sees need nothing but this page. Sizes are bytes or texts such as
 * `'16MiB'`, durations texts such as `'500ms'`, `'30s'`.
 */
export interface UploadOptions {
  /** `s3://bucket/prefix/`, `file:./dir/`. */
  readonly to: string
  /** Files, directories, globs, `!patterns`, or `-` for standard input. */
  readonly sources?: readonly string[]
  /** Stops the run: requests are cut, what had not ended is `cancelled`, reports are written. */
  readonly signal?: AbortSignal

  /** A file that lists more sources, one a line; `-` for standard input. */
  readonly filesFrom?: string
  /** `filesFrom` is separated by NUL. */
  readonly null?: boolean
  /** gitignore patterns; where there are any, a file has to match one. */
  readonly include?: readonly string[]
  /** gitignore patterns. */
  readonly exclude?: readonly string[]
  /** Files of gitignore patterns. */
  readonly excludeFrom?: readonly string[]
  /** No file at all is no error. */
  readonly allowEmpty?: boolean

  /** Directory every key is relative to. */
  readonly base?: string
  /** Keys are base names only. */
  readonly flatten?: boolean
  /** Template of what follows the prefix: `{path} {dir} {name} {ext} {index}`. */
  readonly key?: string

  /** Requests in flight, whole files and parts together. */
  readonly concurrency?: number | 'auto'
  readonly partSize?: number | string
  /** A larger file goes in parts. */
  readonly multipartThreshold?: number | string
  /** Parts of one file at a time; default: as many as slots are free. */
  readonly partConcurrency?: number
  /** Bytes read at a time. */
  readonly bufferSize?: number | string
  /** Bytes a second for the whole run, such as `'10MiB'`; default: no limit. */
  readonly limitRate?: number | string
  /** In which order files are sent, within a window of 10,000: largest first, or large and small in turn. */
  readonly order?: 'scan' | 'size' | 'mixed'
  /** fast: this program's own streaming path; standard: the vendors' own libraries. */
  readonly engine?: 'fast' | 'standard'

  /** Attempts after the first. */
  readonly retries?: number
  readonly retryDelay?: string
  readonly retryMaxDelay?: string
  readonly retryMaxTime?: string
  /** Passes over failed files at the end of the run. */
  readonly retryFailed?: number

  /** Files to write when the run ends: `.jsonl`, `.json`, `.csv`. */
  readonly report?: string | readonly string[]
  readonly runId?: string

  readonly endpointUrl?: string
  readonly region?: string
  readonly profile?: string
  /** auto: on for a custom endpoint. */
  readonly pathStyle?: 'auto' | 'on' | 'off'
  /** Requests go unsigned, for public buckets. */
  readonly noSignRequest?: boolean
  /** A PEM file of certificate authorities to trust beside Node's own. */
  readonly caBundle?: string
  readonly noVerifySsl?: boolean
}
