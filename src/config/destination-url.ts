import { UsageError } from '../errors.ts'
import { supabaseNameProblem } from './supabase-names.ts'

/** A destination as the user wrote it, taken apart. */
export type DestinationUrl = S3Url | SupabaseUrl | FileUrl

export interface S3Url {
  readonly scheme: 's3'
  /** In one form, ending in `/`: `s3://bucket/prefix/`. */
  readonly url: string
  /** A bucket's name, or the ARN of an access point. */
  readonly bucket: string
  /** `''`, or ends in `/`. */
  readonly prefix: string
}

export interface SupabaseUrl {
  readonly scheme: 'supabase'
  /** In one form, ending in `/`: `supabase://bucket/prefix/`. */
  readonly url: string
  readonly bucket: string
  /** `''`, or ends in `/`. */
  readonly prefix: string
}

export interface FileUrl {
  readonly scheme: 'file'
  /** Ending in `/`: `file:./dir/`. */
  readonly url: string
  /** As given, relative to the working directory or absolute, ending in `/`; nothing in it is percent-encoded. */
  readonly directory: string
}

const schemes = ['s3://', 'supabase://', 'file:'] as const
const forms = 's3://bucket/prefix/, supabase://bucket/prefix/ or file:./dir/'

/** Whether an argument names a destination rather than a source. */
export function looksLikeDestination(argument: string): boolean {
  return schemes.some((scheme) => argument.startsWith(scheme))
}

/**
 * Takes a destination apart. `s3://b/audio` means `s3://b/audio/`.
 *
 * @throws UsageError that says what is wrong and what was expected, without repeating the URL: it may hold a secret.
 */
export function parseDestinationUrl(text: string, platform: NodeJS.Platform = process.platform): DestinationUrl {
  if (text.startsWith('s3://')) return parseS3(text.slice('s3://'.length))
  if (text.startsWith('file:')) return parseFile(text.slice('file:'.length), platform)
  if (text.startsWith('supabase://')) return parseSupabase(text.slice('supabase://'.length))
  throw new UsageError(`expected ${forms}`)
}

/** Whether a destination is a bucket of Supabase's, spoken to by its own protocols. */
export function isSupabaseUrl(to: string): boolean {
  return to.startsWith('supabase://')
}

/** What every key at a destination begins with: `''`, or ending in `/`. */
export function prefixOf(url: DestinationUrl): string {
  return url.scheme === 'file' ? '' : url.prefix
}

// As the AWS CLI has it: an access point's ARN stands where a bucket's name would, and holds a "/" itself.
const accessPoint = /^arn:aws[a-z-]*:s3:[a-z0-9-]*:\d{12}:accesspoint[:/][^/]+/
const bucketName = /^[A-Za-z0-9][A-Za-z0-9._-]*$/

function parseS3(rest: string): S3Url {
  const bucket = accessPoint.exec(rest)?.[0] ?? rest.replace(/\/.*$/s, '')
  const path = rest.slice(bucket.length + 1)
  if (bucket === '') throw new UsageError('but the bucket is missing; expected s3://bucket/prefix/')
  if (bucket.includes('@')) {
    throw new UsageError('expected s3://bucket/prefix/; credentials come from the environment or an AWS profile')
  }
  if (!bucketName.test(bucket) && !accessPoint.test(bucket)) {
    throw new UsageError('but a bucket has letters, digits, ".", "-" and "_" only; expected s3://bucket/prefix/')
  }
  const prefix = path === '' || path.endsWith('/') ? path : `${path}/`
  const problem = prefixProblem(prefix)
  if (problem !== undefined) throw new UsageError(`but ${problem}; expected s3://bucket/prefix/`)
  const normalized = prefix.normalize('NFC')
  return { scheme: 's3', url: `s3://${bucket}/${normalized}`, bucket, prefix: normalized }
}

function parseSupabase(rest: string): SupabaseUrl {
  const form = 'supabase://bucket/prefix/'
  const bucket = rest.replace(/\/.*$/s, '')
  const path = rest.slice(bucket.length + 1)
  if (bucket === '') throw new UsageError(`but the bucket is missing; expected ${form}`)
  if (bucket.includes('@')) {
    throw new UsageError(`expected ${form}; the key comes from SUPABASE_SERVICE_ROLE_KEY in the environment`)
  }
  const prefix = path === '' || path.endsWith('/') ? path : `${path}/`
  const problem = supabaseNameProblem(bucket) ?? prefixProblem(prefix) ?? supabaseNameProblem(prefix)
  if (problem !== undefined) throw new UsageError(`but ${problem}; expected ${form}`)
  return { scheme: 'supabase', url: `supabase://${bucket}/${prefix}`, bucket, prefix }
}

/** The rules every object key follows, for the part of it that the user fixes. */
function prefixProblem(prefix: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f]/.test(prefix)) return 'the prefix holds a control character'
  const segments = prefix.split('/').slice(0, -1)
  if (segments.includes('')) return 'the prefix has an empty segment ("//")'
  const dots = segments.find((segment) => segment === '.' || segment === '..')
  return dots === undefined ? undefined : `the prefix has a "${dots}" segment`
}

function parseFile(rest: string, platform: NodeJS.Platform): FileUrl {
  const path = localPath(rest, platform)
  if (path === '') throw new UsageError('but the directory is missing; expected file:./dir/ or file:/dir/')
  if (path.startsWith('~')) {
    throw new UsageError('but "~" is not expanded here; expected file:./dir/ or file:/dir/, such as "file:$HOME/dir/"')
  }
  if (path.includes('\0')) throw new UsageError('but a path cannot hold a NUL character; expected file:./dir/')
  const closed = path.endsWith('/') || (platform === 'win32' && path.endsWith('\\'))
  const directory = closed ? path : `${path}/`
  return { scheme: 'file', url: `file:${directory}`, directory }
}

/** The path in `file:` + `rest`, whether it is written as a path (`./dir`, `/dir`) or as a URL (`///dir`). */
function localPath(rest: string, platform: NodeJS.Platform): string {
  const path = /^\/\/(?:localhost)?(?=\/)(.*)$/s.exec(rest)?.[1] ?? rest
  if (path.startsWith('//')) {
    throw new UsageError('but "//" would begin with a host; expected file:./dir/, file:/dir/ or file:///dir/')
  }
  return platform === 'win32' && /^\/[A-Za-z]:/.test(path) ? path.slice(1) : path
}
