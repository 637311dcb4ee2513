import { createHmac, hash } from 'node:crypto'

/** Who signs. */
export interface SigningCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

/** What a signature holds for. */
export interface SigningScope {
  readonly region: string
  /** `s3` */
  readonly service: string
}

/** Signs requests of one scope, one after another. */
export interface Signer {
  /** `20261122T101500Z`, as `x-amz-date` has it. */
  date(nowMs: number): string
  /**
   * The value of `authorization` for a canonical request.
   *
   * @param signedHeaders names, sorted, joined with `;`
   * @param date as {@link date} gives it
   */
  authorization(canonicalRequest: string, signedHeaders: string, date: string, credentials: SigningCredentials): string
}

/**
 * Signature Version 4 by a key that is derived once a day:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 *
 * The SDK's signer derives nothing anew either, but makes objects for each request at several times the cost.
 */
export function createSigner({ region, service }: SigningScope): Signer {
  let second = Number.NaN
  let date = ''
  let day = ''
  let secret = ''
  let key: Buffer = Buffer.alloc(0)

  function signingKey(wantedDay: string, secretAccessKey: string): Buffer {
    if (wantedDay !== day || secretAccessKey !== secret) {
      day = wantedDay
      secret = secretAccessKey
      key = [day, region, service, 'aws4_request'].reduce<Buffer>(
        (key, step) => createHmac('sha256', key).update(step).digest(),
        Buffer.from(`AWS4${secretAccessKey}`),
      )
    }
    return key
  }

  return {
    date(nowMs) {
      const now = Math.floor(nowMs / 1000)
      if (now !== second) {
        second = now
        date = `${new Date(now * 1000).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
      }
      return date
    },
    authorization(canonicalRequest, signedHeaders, date, { accessKeyId, secretAccessKey }) {
      const day = date.slice(0, 8)
      const scope = `${day}/${region}/${service}/aws4_request`
      const text = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${hash('sha256', canonicalRequest, 'hex')}`
      const signature = createHmac('sha256', signingKey(day, secretAccessKey)).update(text).digest('hex')
      return `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`
    },
  }
}
