import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { redactText } from '../../config/redact.ts'
import type { S3Settings, Settings, TlsSettings } from '../../config/settings.ts'
import { isSupabaseS3 } from '../../config/supabase-rules.ts'
import { UsageError } from '../../errors.ts'
import { proxyFor } from '../../http/agent.ts'
import type { Patience } from '../../http/patience.ts'
import { createRequestHandler } from '../../http/request-handler.ts'
import { configuredEndpoint, type NamedEndpoint } from './profile.ts'
import { regionOf } from './region.ts'
import { type Renewal, renewExpired } from './renewal.ts'
import { followServerClock } from './server-clock.ts'

/** A client and where it speaks to. */
export interface S3Connection {
  readonly client: S3Client
  /** Whether it speaks to Amazon's own servers. */
  readonly isAws: boolean
  /** Whether it speaks to Supabase Storage, which has rules of its own. */
  readonly isSupabase: boolean
  /** The endpoint the user named, for messages; without secrets. */
  readonly endpoint: string | undefined
  /** Host (and port) for messages. */
  host(): string
  /** The proxy on the way there, for messages. */
  proxy(): string | undefined
  /** The bucket's region, as far as it is known: changes once where the bucket turns out to be elsewhere. */
  region(): string | undefined
  readonly renewal: Renewal
}

/**
 * The vendor's client with this program's connections.
 *
 * @throws UsageError where the profile, the endpoint, a proxy or a bundle of certificates cannot be used.
 */
export async function connectS3(
  settings: S3Settings,
  tls: TlsSettings,
  patience: Patience,
  checksum: Settings['checksum'] = 'auto',
): Promise<S3Connection> {
  const named = await configuredEndpoint(settings)
  const endpoint = named && toUrl(named)
  const isAws = endpoint === undefined || /\.amazonaws\.com(\.cn)?$/.test(endpoint.hostname)
  const isSupabase = isSupabaseS3(endpoint?.pathname ?? '')
  const region = regionOf(settings)
  const config: S3ClientConfig = {
    region: region.provider,
    // The transfer alone decides what is tried again, and when.
    maxAttempts: 1,
    forcePathStyle: settings.pathStyle === 'on' || (settings.pathStyle === 'auto' && endpoint !== undefined),
    // The endpoint found here stands, none included; the SDK would look into another profile than the one asked for.
    ignoreConfiguredEndpointUrls: true,
    requestHandler: createRequestHandler(tls, patience),
    customUserAgent: [['bulk-upload']],
    // A round trip before each body, which some servers answer late and some proxies not at all.
    expectContinueHeader: false,
    logger: silent,
  }
  if (endpoint !== undefined) config.endpoint = endpoint.href
  if (settings.profile !== undefined) config.profile = settings.profile
  if (!isAws || checksum !== 'auto') {
    // R2, OVH and older servers refuse, or store as content, the checksums the SDK adds by itself; and a choice that
    // was made by name is not added to.
    config.requestChecksumCalculation = 'WHEN_REQUIRED'
    config.responseChecksumValidation = 'WHEN_REQUIRED'
  }
  if (!settings.signRequest) {
    config.credentials = { accessKeyId: 'unsigned', secretAccessKey: 'unsigned' }
    config.signer = { sign: async (request) => request }
  }
  const client = new S3Client(config)
  region.follow(client)
  followServerClock(client)
  const renewal = renewExpired(client)
  const host = () => endpoint?.host ?? `s3.${region.current() ?? 'us-east-1'}.amazonaws.com`
  const proxy = () => proxyFor(`${endpoint?.protocol ?? 'https:'}//${host()}`)?.host
  // A proxy that cannot be used is a fault of the configuration: found now, not at the first request.
  proxy()
  return {
    client,
    isAws,
    isSupabase,
    endpoint: named && redactText(named.text),
    host,
    proxy,
    region: region.current,
    renewal,
  }
}

function toUrl({ text, source }: NamedEndpoint): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new UsageError(`the endpoint is no http:// or https:// URL; check ${source}`)
}

/** What the SDK would say on the console, the transfer says in its own words. */
const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }
