import type { S3Client } from '@aws-sdk/client-s3'

/** Assumed where neither settings, environment nor profile name a region, as other S3 tools do. */
const defaultRegion = 'us-east-1'

export interface RegionInUse {
  /** Undefined before the first request. */
  current(): string | undefined
}

/**
 * Gives `client` a default region, and lets it follow a bucket to its own: a request signed for the wrong region is
 * signed anew, once, and all later ones go to the right region at once. The request stays with the same endpoint, or
 * with AWS where there is none of the user's.
 *
 * The SDK's `followRegionRedirects` does this for each request anew, and by exchanging the region of the whole client
 * for the time being, which goes wrong when several requests are under way.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html
 */
export function followBucketRegion(client: S3Client): RegionInUse {
  const configured = client.config.region
  let region: string | undefined
  client.config.region = async () => {
    if (region !== undefined) return region
    const found = await configured().catch(() => defaultRegion)
    region ??= found
    return region
  }
  client.middlewareStack.add(
    (next) => async (args) => {
      const signedFor = await client.config.region()
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
  return { current: () => region }
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
