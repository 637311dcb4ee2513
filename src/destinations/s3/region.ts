import { S3Client } from '@aws-sdk/client-s3'
import type { S3Settings } from '../../config/settings.ts'

/** Assumed where neither settings, environment nor profile name a region, as other S3 tools do. */
const defaultRegion = 'us-east-1'

/** The region requests are signed for. */
export interface Region {
  /** For the client's configuration. */
  readonly provider: () => Promise<string>
  /** Undefined before the first request. */
  current(): string | undefined
  /**
   * Lets `client` follow the bucket to its own region: a request signed for the wrong one is signed anew, once, and
   * all later ones go to the right region at once. The request stays with the same endpoint, or with AWS where there
   * is none of the user's.
   *
   * The SDK's `followRegionRedirects` does this for each request anew, and by exchanging the region of the whole
   * client for the time being, which goes wrong when several requests are under way.
   *
   * https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html
   */
  follow(client: S3Client): void
}

/** Begins with the region that is configured. */
export function regionOf(settings: S3Settings): Region {
  let region: string | undefined

  async function provider(): Promise<string> {
    if (region !== undefined) return region
    const found = await configuredRegion(settings)
    region ??= found
    return region
  }

  return {
    provider,
    current: () => region,
    follow(client) {
      client.middlewareStack.add(
        (next) => async (args) => {
          const signedFor = await provider()
          try {
            return await next(args)
          } catch (error) {
            const actual = bucketRegion(error)
            if (actual === undefined || actual === signedFor) throw error
            region = actual
            return next(args)
          }
        },
        { step: 'initialize', name: 'followBucketRegion' },
      )
    },
  }
}

async function configuredRegion({ region, profile }: S3Settings): Promise<string> {
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env
  const stated = region || AWS_REGION || AWS_DEFAULT_REGION
  if (stated) return stated
  // A client of its own, for the SDK's way through the profiles: one that has no region throws when it is asked.
  const { config } = new S3Client(profile === undefined ? {} : { profile })
  return (await config.region().catch(() => undefined)) || defaultRegion
}

/** The region an answer says the bucket is in. It becomes part of a host name, so it has to look like a region. */
function bucketRegion(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { $response, Region } = error as Redirected
  const status = $response?.statusCode
  if (status !== 301 && status !== 307 && status !== 400) return undefined
  const named = $response?.headers?.['x-amz-bucket-region'] ?? Region
  return typeof named === 'string' && /^[a-z0-9-]{2,40}$/.test(named) ? named : undefined
}

interface Redirected extends Error {
  readonly $response?: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> }
  readonly Region?: unknown
}
