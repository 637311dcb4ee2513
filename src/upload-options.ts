/**
 * What a program can ask of `upload()`: the main job's options by their camelCase names, as in `.uploadrc.json`. Written
 * out, so that the types a user of the library sees need nothing but this page. Sizes are bytes or texts such as
 * `'16MiB'`, durations texts such as `'500ms'`, `'30s'`.
 */
export interface UploadOptions {
  /** `s3://bucket/prefix/`, `supabase://bucket/prefix/`, `file:./dir/`. */
  readonly to: string
  /** Files, directories, globs, `!patterns`, or `-` for standard input. */
  readonly sources?: readonly string[]
  /** Stops the run: requests are cut, what had not ended is `cancelled`, reports are written. */
  readonly signal?: AbortSignal

  /** A file that lists more sources, one a line; `-` for standard input; `.jsonl`: with keys and properties. */
  readonly filesFrom?: string
  /** `filesFrom` is separated by NUL. */
  readonly null?: boolean
  /** gitignore patterns; where there are any, a file has to match one. */
  readonly include?: readonly string[]
  /** gitignore patterns. */
  readonly exclude?: readonly string[]
  /** Files of gitignore patterns. */
  readonly excludeFrom?: readonly string[]
  /** Only files modified since: how long ago (`'24h'`), or a date (`'2026-11-22'`). */
  readonly newerThan?: string
  /** Only files not modified since. */
  readonly olderThan?: string
  /** Enter directories that are symbolic links. */
  readonly follow?: boolean
  /** No file at all is no error. */
  readonly allowEmpty?: boolean

  /** Directory every key is relative to. */
  readonly base?: string
  /** Keys are base names only. */
  readonly flatten?: boolean
  /** Template of what follows the prefix: `{path} {dir} {name} {ext} {uuid} {sha256} {index} {size} {mtime} {now} {run}`. */
  readonly key?: string
  /** Change keys that the destination cannot hold; no two become one. */
  readonly keyFix?: boolean

  /** Larger files fail. */
  readonly maxSize?: number | string
  /** Smaller files fail. */
  readonly minSize?: number | string
  /** Files with another ending fail: `'.wav'`. */
  readonly allowExt?: string | readonly string[]
  /** Files with this ending fail. */
  readonly denyExt?: string | readonly string[]
  /** Files of another type, by their bytes, fail: `'audio/*'`. */
  readonly allowType?: string | readonly string[]
  /** Nothing is sent where there are more files. */
  readonly maxFiles?: number
  /** Nothing is sent where all files together are larger. */
  readonly maxTotalSize?: number | string

  /** Media type of every object; default: by the file's name. */
  readonly contentType?: string
  /** Such as `'max-age=3600'`. */
  readonly cacheControl?: string
  /** The user's own, for every object; in ASCII. */
  readonly metadata?: Readonly<Record<string, string>>
  /** How the files are encoded already, such as `'gzip'`. */
  readonly contentEncoding?: string
  /** Such as `'attachment'`. */
  readonly contentDisposition?: string
  /** Tags of every object (S3). */
  readonly tag?: Readonly<Record<string, string>>
  /** Such as `'STANDARD_IA'` (S3). */
  readonly storageClass?: string
  /** A canned access control list (S3). */
  readonly acl?: string
  /** Server-side encryption (S3). */
  readonly sse?: 'AES256' | 'aws:kms' | 'aws:kms:dsse'
  /** Id or ARN of a KMS key (S3). */
  readonly sseKmsKeyId?: string
  /** Keep each file's modification time with its object, as rclone does. */
  readonly preserve?: 'mtime'

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

  /** What becomes of a file whose object is there already. */
  readonly ifExists?: 'overwrite' | 'skip' | 'fail' | 'newer' | 'changed'
  /** Continue the newest unfinished run with these sources and this destination. */
  readonly resume?: boolean
  /** Continue the run of this journal; `server`: go by what the destination holds. */
  readonly resumeFrom?: string
  /** auto: crc32, and none where the endpoint refuses it. */
  readonly checksum?: 'auto' | 'crc32' | 'crc32c' | 'crc64nvme' | 'sha256' | 'none'
  /** Ask the destination for each object after it was sent: size and checksum. */
  readonly verify?: boolean
  /** What becomes of a file that changes while it is read. */
  readonly onChange?: 'fail' | 'retry'
  /** One request, from its first byte to its answer; auto: predicted from size and throughput. */
  readonly timeout?: string
  /** A request without a byte in either direction. */
  readonly stallTimeout?: string
  /** Halt at so many failed files. */
  readonly maxFailures?: number
  /** Halt where more of the files than this failed, such as `'5%'`. */
  readonly maxErrorRate?: string
  /** Stop in good order at this local time (`'06:00'`), or after so long (`'2h'`). */
  readonly deadline?: string
  /** Take back what the run created if it does not end with 0. */
  readonly undoOnFailure?: boolean

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
  /** Supabase project; its key comes from `SUPABASE_SERVICE_ROLE_KEY`. Default: `SUPABASE_URL`. */
  readonly supabaseUrl?: string
  /** A PEM file of certificate authorities to trust beside Node's own. */
  readonly caBundle?: string
  readonly noVerifySsl?: boolean
}
