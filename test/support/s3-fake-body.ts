import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { s3Error, type WireAnswer } from './s3-fake-answers.ts'
import { type FakeChecksum, runningChecksum, sentChecksum } from './s3-fake-checksum.ts'
import type { FakeRequest } from './s3-fake-request.ts'

/** A request's body, read and digested. */
export interface FakeBody {
  readonly size: number
  /** Empty where bytes are not kept. */
  readonly bytes: Buffer
  readonly md5: Buffer
  readonly sha256: Buffer | undefined
  /** Of its headers' kind; without such a header, its CRC-32. */
  readonly checksum: FakeChecksum
}

interface ReadOptions {
  readonly keep: boolean
  readonly onBytes: (count: number) => void
  readonly resetAfter: number | undefined
  readonly hangAfter: number | undefined
}

/** Reads a body to its end; undefined where it never came to one (the client left, or a fault cut it). */
export async function readBody(req: IncomingMessage, options: ReadOptions): Promise<FakeBody | undefined> {
  const md5 = createHash('md5')
  const wantsSha256 = /^[0-9a-f]{64}$/.test(String(req.headers['x-amz-content-sha256']))
  const sha256 = wantsSha256 ? createHash('sha256') : undefined
  const pieces: Buffer[] = []
  let size = 0
  const algorithm = sentChecksum(req.headers)?.algorithm ?? 'CRC32'
  const checksum = runningChecksum(algorithm)
  try {
    for await (const piece of req as AsyncIterable<Buffer>) {
      options.onBytes(piece.length)
      size += piece.length
      if (options.resetAfter !== undefined && size >= options.resetAfter) {
        req.socket.resetAndDestroy()
        return undefined
      }
      if (options.hangAfter !== undefined && size >= options.hangAfter) {
        req.socket.pause()
        await new Promise((resolve) => req.socket.once('close', resolve))
        return undefined
      }
      md5.update(piece)
      sha256?.update(piece)
      checksum.update(piece)
      if (options.keep) pieces.push(piece)
    }
  } catch {
    return undefined
  }
  if (!req.complete) return undefined
  return {
    size,
    bytes: Buffer.concat(pieces),
    md5: md5.digest(),
    sha256: sha256?.digest(),
    checksum: { algorithm, value: await checksum.result(), type: 'FULL_OBJECT' },
  }
}

/** What is wrong with a body, going by its headers. */
export function bodyProblem({ headers, operation }: FakeRequest, body: FakeBody): WireAnswer | undefined {
  if (String(headers['content-encoding']).includes('aws-chunked') || 'x-amz-trailer' in headers) {
    return s3Error(501, 'NotImplemented', 'A header you provided implies functionality that is not implemented.')
  }
  // The end of a multipart upload names the object's checksum, not its document's.
  const sent = operation === 'CompleteMultipartUpload' ? undefined : sentChecksum(headers)
  if (sent !== undefined && sent.value !== body.checksum.value)
    return s3Error(400, 'BadDigest', `The ${sent.algorithm} you specified did not match`)
  const md5 = headers['content-md5']
  if (md5 !== undefined && md5 !== body.md5.toString('base64'))
    return s3Error(400, 'BadDigest', 'The Content-MD5 you specified did not match')
  if (body.sha256 !== undefined && body.sha256.toString('hex') !== headers['x-amz-content-sha256']) {
    return s3Error(400, 'XAmzContentSHA256Mismatch', "The provided 'x-amz-content-sha256' header does not match")
  }
  return undefined
}
