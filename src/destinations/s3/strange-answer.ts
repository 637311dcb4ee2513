import { UploadError } from '../../errors.ts'

/** What a web page with status 200 is, from a proxy or a wrong endpoint. */
export function strangeAnswer(): UploadError {
  const message = 'the answer is not one of an S3 server; check --endpoint-url and the proxy'
  return new UploadError('BAD_RESPONSE', message, { retryable: false })
}
