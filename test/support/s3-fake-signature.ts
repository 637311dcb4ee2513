import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { FakeRequest } from './s3-fake-request.ts'

export interface FakeCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** A request without exactly this token is refused. */
  readonly sessionToken?: string
}

interface Problem {
  readonly status: number
  readonly code: string
  readonly message: string
}

const authorizationPattern =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/

/**
 * What is wrong with a request's signature, if anything. Written from the specification, not with the SDK's own signer:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function signatureProblem(request: FakeRequest, credentials: FakeCredentials): Problem | undefined {
  const { headers } = request
  if (headers.authorization === undefined) return { status: 403, code: 'AccessDenied', message: 'Access Denied' }
  const found = authorizationPattern.exec(headers.authorization)
  if (found === null) {
    return { status: 400, code: 'AuthorizationHeaderMalformed', message: 'The authorization header is malformed.' }
  }
  const [, accessKeyId, date = '', region = '', signedHeaders = '', signature = ''] = found
  if (accessKeyId !== credentials.accessKeyId) {
    const message = 'The AWS Access Key Id you provided does not exist in our records.'
    return { status: 403, code: 'InvalidAccessKeyId', message }
  }
  if (headers['x-amz-security-token'] !== credentials.sessionToken) {
    return { status: 400, code: 'InvalidToken', message: 'The provided token is malformed or otherwise invalid.' }
  }
  const mark = request.target.indexOf('?')
  const canonicalRequest = [
    request.method,
    mark < 0 ? request.target : request.target.slice(0, mark),
    canonicalQuery(mark < 0 ? '' : request.target.slice(mark + 1)),
    ...signedHeaders.split(';').map((name) => `${name}:${String(headers[name]).trim().replace(/ +/g, ' ')}`),
    '',
    signedHeaders,
    String(headers['x-amz-content-sha256']),
  ].join('\n')
  const scope = `${date}/${region}/s3/aws4_request`
  const digest = createHash('sha256').update(canonicalRequest).digest('hex')
  const stringToSign = ['AWS4-HMAC-SHA256', String(headers['x-amz-date']), scope, digest].join('\n')
  const signingKey = [date, region, 's3', 'aws4_request'].reduce<string | Buffer>(
    (key, step) => createHmac('sha256', key).update(step).digest(),
    `AWS4${credentials.secretAccessKey}`,
  )
  const expected = createHmac('sha256', signingKey).update(stringToSign).digest()
  if (timingSafeEqual(expected, Buffer.from(signature, 'hex'))) return undefined
  const message =
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.'
  return { status: 403, code: 'SignatureDoesNotMatch', message }
}

function canonicalQuery(query: string): string {
  if (query === '') return ''
  return query
    .split('&')
    .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
    .sort()
    .join('&')
}
