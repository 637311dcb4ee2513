import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import type { S3Settings, TlsSettings } from '../../config/settings.ts'
import { UsageError } from '../../errors.ts'
import { proxyFor } from '../../http/agent.ts'
import { regionOf } from './region.ts'
import { createRequestHandler, type Patience } from './request-handler.ts'

/** A client and where it speaks to. */
export interface S3Connection {
  readonly client: S3Client
  /** Host (and port) for messages. */
  host(): string
  /** The proxy on the way there, for messages. */
  proxy(): string | undefined
}

/**
 * The vendor's client with this program's connections.
 *
 * @throws UsageError where the endpoint, a proxy or a bundle of certificates cannot be used.
 */
export function connectS3(settings: S3Settings, tls: TlsSettings, patience?: Patience): S3Connection {
  const endpoint = endpointOf(settings)
  const isAws = endpoint === undefined || /\.amazonaws\.com(\.cn)?$/.test(endpoint.hostname)
  const region = regionOf(settings)
  const config: S3ClientConfig = {
    region: region.provider,
    // The transfer alone decides what is tried again, and when.
    maxAttempts: 1,
    forcePathStyle: settings.pathStyle === 'on' || (settings.pathStyle === 'auto' && endpoint !== undefined),
    requestHandler: createRequestHandler(tls, patience),
    customUserAgent: [['bulk-upload']],
    // A round trip before each body, which some servers answer late and some proxies not at all.
    expectContinueHeader: false,
    logger: silent,
  }
  if (endpoint !== undefined) config.endpoint = endpoint.href
  if (settings.profile !== undefined) config.profile = settings.profile
  if (!isAws) {
    // R2, OVH and older servers refuse, or store as content, the checksums the SDK adds by itself.
    config.requestChecksumCalculation = 'WHEN_REQUIRED'
    config.responseChecksumValidation = 'WHEN_REQUIRED'
  }
  if (!settings.signRequest) {
    config.credentials = { accessKeyId: 'unsigned', secretAccessKey: 'unsigned' }
    config.signer = { sign: async (request) => request }
  }
  const client = new S3Client(config)
  region.follow(client)
  const host = () => endpoint?.host ?? `s3.${region.current() ?? 'us-east-1'}.amazonaws.com`
  const proxy = () => proxyFor(`${endpoint?.protocol ?? 'https:'}//${host()}`)?.host
  // A proxy that cannot be used is a fault of the configuration: found now, not at the first request.
  proxy()
  return { client, host, proxy }
}

/** The endpoint the user named, if any. */
function endpointOf(settings: S3Settings): URL | undefined {
  const text = settings.endpointUrl ?? (process.env.AWS_ENDPOINT_URL_S3 || process.env.AWS_ENDPOINT_URL || undefined)
  if (text === undefined) return undefined
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new UsageError('the endpoint is no http:// or https:// URL; check --endpoint-url or AWS_ENDPOINT_URL')
}

/** What the SDK would say on the console, the transfer says in its own words. */
const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }
