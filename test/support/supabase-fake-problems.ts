import type { ServerResponse } from 'node:http'

/**
 * What the stand-in refuses a request with. Each protocol tells it in a way of its own: REST in JSON under HTTP 400,
 * the resumable protocol in plain text under the true status, S3 as a document.
 */
export interface Problem {
  /** The true one. */
  readonly status: number
  readonly error: string
  readonly code: string
  readonly message: string
}

export const alreadyExists: Problem = {
  status: 409,
  error: 'Duplicate',
  code: 'KeyAlreadyExists',
  message: 'The resource already exists',
}
export const tooLarge: Problem = {
  status: 413,
  error: 'Payload too large',
  code: 'EntityTooLarge',
  message: 'The object exceeded the maximum allowed size',
}
export const bucketMissing: Problem = {
  status: 404,
  error: 'Bucket not found',
  code: 'NoSuchBucket',
  message: 'Bucket not found',
}
export const bucketNotEmpty: Problem = {
  status: 409,
  error: 'InvalidRequest',
  code: 'InvalidRequest',
  message: 'The bucket you tried to delete is not empty',
}
export const objectMissing: Problem = {
  status: 404,
  error: 'not_found',
  code: 'NoSuchKey',
  message: 'Object not found',
}
export const violatesRowLevelSecurity = unauthorized('new row violates row-level security policy')
export const locked: Problem = {
  status: 423,
  error: 'resource_locked',
  code: 'ResourceLocked',
  message: 'The resource is locked',
}

export function unauthorized(message: string): Problem {
  return { status: 403, error: 'Unauthorized', code: 'AccessDenied', message }
}

export function invalidKey(key: string): Problem {
  return { status: 400, error: 'InvalidKey', code: 'InvalidKey', message: `Invalid key: ${key}` }
}

export function typeNotAllowed(type: string): Problem {
  const message = `mime type ${type} is not supported`
  return { status: 415, error: 'invalid_mime_type', code: 'InvalidMimeType', message }
}

/** A request without an Authorization header. */
export const authorizationMissing = {
  statusCode: '400',
  error: 'Error',
  message: "headers must have required property 'authorization'",
} as const

/** In REST's way: only internal errors have the true status. */
export function answerProblem(res: ServerResponse, problem: Problem): void {
  const { status, error, code, message } = problem
  const body = { statusCode: String(status), error, message, code }
  answerJson(res, status >= 500 ? status : 400, body)
}

export function answerJson(res: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body)
  res.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(text)),
  })
  res.end(text)
}
