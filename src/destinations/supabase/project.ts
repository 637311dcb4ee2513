import packageJson from '../../../package.json' with { type: 'json' }
import type { Environment } from '../../config/environment.ts'
import type { SupabaseSettings } from '../../config/settings.ts'
import { hostedProject, noProject, projectUrl } from '../../config/supabase-rules.ts'
import { UploadError, UsageError } from '../../errors.ts'
import { proxyFor } from '../../http/agent.ts'

/** One Supabase project: where its storage is, and the key to it. */
export interface SupabaseProject {
  /** As the user named it, without a `/` at its end; for messages and reports. */
  readonly url: string
  /** Host (and port), for messages. */
  readonly host: string
  /** Where objects are put, asked for and deleted. */
  readonly rest: StorageAddress
  /** Where resumable uploads are begun. */
  readonly resumable: StorageAddress
  /**
   * The key to the project, which no message may hold.
   *
   * @throws UploadError CREDENTIALS_INVALID where the environment holds none, or none that a header can carry.
   */
  key(): string
  /**
   * The headers every request carries, names and values in turn.
   *
   * @throws UploadError as {@link key}
   */
  authorization(): readonly string[]
  /** A server's words, the keys of the environment taken out of them: some have no form by which they could be known. */
  withoutKey(text: string): string
  /** The proxy on the way to an origin, for messages. */
  proxy(origin: string): string | undefined
}

/** Where a protocol of the project's storage is spoken. */
export interface StorageAddress {
  /** `https://host:port` */
  readonly origin: string
  /** Encoded, without a `/` at its end: `/storage/v1`. */
  readonly path: string
}

/** The value of the header `host` for requests to this address. */
export function hostOf({ origin }: StorageAddress): string {
  return origin.slice(origin.indexOf('//') + 2)
}

/** Gateways that many projects stand behind refuse requests of programs that do not say what they are. */
export const userAgent = `bulk-upload/${packageJson.version}`

/** The variables that may hold the key, the strongest first. */
const keyVariables = ['SUPABASE_SERVICE_ROLE_KEY', 'SUPABASE_KEY'] as const

/**
 * @throws UsageError where no project is named, or a proxy cannot be used.
 */
export function supabaseProject({ url }: SupabaseSettings, env: Environment = process.env): SupabaseProject {
  if (url === undefined) throw new UsageError(noProject)
  const base = new URL(url)
  const path = `${base.pathname.replace(/\/+$/, '')}/storage/v1`
  let headers: readonly string[] | undefined
  const project: SupabaseProject = {
    url: projectUrl(url),
    host: base.host,
    rest: { origin: base.origin, path },
    resumable: { origin: resumableOrigin(base), path: `${path}/upload/resumable` },
    key: () => keyIn(env),
    authorization() {
      headers ??= authorizationWith(project.key())
      return headers
    },
    withoutKey: (text) => keysIn(env).reduce((left, key) => left.replaceAll(key, '***'), text),
    proxy: (origin) => proxyFor(origin)?.host,
  }
  // A proxy that cannot be used is a fault of the configuration: found now, not at the first request.
  project.proxy(project.rest.origin)
  return project
}

/**
 * Supabase's own projects take large uploads at a host of their own, past its gateway.
 * https://supabase.com/docs/guides/storage/uploads/resumable-uploads
 */
function resumableOrigin(base: URL): string {
  return hostedProject.test(base.hostname) ? base.origin.replace('.supabase.', '.storage.supabase.') : base.origin
}

function keysIn(env: Environment): string[] {
  return keyVariables.map((name) => env[name]?.trim() ?? '').filter((key) => key !== '')
}

function keyIn(env: Environment): string {
  const variable = keyVariables.find((name) => env[name]?.trim())
  const key = variable && env[variable]?.trim()
  if (key === undefined || key === '') {
    throw new UploadError(
      'CREDENTIALS_INVALID',
      "no key was found; set SUPABASE_SERVICE_ROLE_KEY (or SUPABASE_KEY) to the project's service role or secret key",
    )
  }
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new UploadError('CREDENTIALS_INVALID', `${variable} holds something that is no key; copy it once more`)
  }
  return key
}

/** https://supabase.com/docs/guides/api/api-keys */
function authorizationWith(key: string): readonly string[] {
  return ['authorization', `Bearer ${key}`, 'apikey', key, 'user-agent', userAgent]
}
