import { HeadObjectCommand, type HeadObjectCommandOutput, type S3Client } from '@aws-sdk/client-s3'

export interface HeadOptions {
  readonly client: S3Client
  readonly bucket: string
  readonly signal: AbortSignal
  /** Whether the answer is to hold the object's checksum, where the server keeps one. */
  readonly checksum: boolean
}

/** Clients of endpoints that turned out not to know what a checksum mode is. */
const knowNoMode = new WeakSet<S3Client>()

/**
 * Asks for an object's properties.
 *
 * Of an object under a KMS key, only who may decrypt it is told the checksum, and anybody else nothing at all; and some
 * servers refuse the question. Then it is asked without.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html#API_HeadObject_RequestSyntax
 *
 * @throws what the SDK throws
 */
export async function head(key: string, { client, bucket, signal, checksum }: HeadOptions) {
  const ask = (fields: { readonly ChecksumMode?: 'ENABLED' }): Promise<HeadObjectCommandOutput> =>
    client.send(new HeadObjectCommand({ Bucket: bucket, Key: key, ...fields }), { abortSignal: signal })
  if (!checksum || knowNoMode.has(client)) return ask({})
  try {
    return await ask({ ChecksumMode: 'ENABLED' })
  } catch (error) {
    const status = statusOf(error)
    if (status !== 400 && status !== 403 && status !== 501) throw error
    const answer = await ask({})
    if (status !== 403) knowNoMode.add(client)
    return answer
  }
}

/** The HTTP status an error of the SDK came with. */
export function statusOf(error: unknown): number | undefined {
  return (error as { readonly $metadata?: { readonly httpStatusCode?: number } }).$metadata?.httpStatusCode
}
