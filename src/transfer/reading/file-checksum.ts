import { createHash } from 'node:crypto'
import { checksummerOf } from '../../checksums/checksummer.ts'
import type { Checksum, ChecksumAlgorithm, PartBody } from '../../destinations/destination.ts'
import { unlessAborted } from '../../http/abort.ts'

/** Bytes read at a time: each read takes a trip to the thread pool. */
const strideSize = 2 ** 20

/**
 * The checksum of a body's bytes, read once through one buffer.
 *
 * @throws UploadError SOURCE_*, SOURCE_CHANGED where it is no longer as it was; CANCELLED
 */
export async function checksumOf(
  body: Pick<PartBody, 'size' | 'openReader'>,
  algorithm: ChecksumAlgorithm,
  signal: AbortSignal,
): Promise<Checksum> {
  const running = checksummerOf(algorithm).begin()
  await readThrough(body, running, signal)
  return { algorithm, value: await running.result() }
}

/**
 * The MD5 sum of a body's bytes in hexadecimal, as the ETags of many objects and parts are. It is no protection against
 * malice, only a comparison with what a server has to offer.
 *
 * @throws UploadError as {@link checksumOf}
 */
export async function md5Of(body: Pick<PartBody, 'size' | 'openReader'>, signal: AbortSignal): Promise<string> {
  const hash = createHash('md5')
  await readThrough(body, hash, signal)
  return hash.digest('hex')
}

/**
 * The SHA-256 sum of a body's bytes in hexadecimal.
 *
 * @throws UploadError as {@link checksumOf}
 */
export async function sha256Of(body: Pick<PartBody, 'size' | 'openReader'>, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  await readThrough(body, hash, signal)
  return hash.digest('hex')
}

/** A stopped run does not wait for a read from a dead network drive: what is being read then is left to itself. */
async function readThrough(
  body: Pick<PartBody, 'size' | 'openReader'>,
  into: { update(bytes: Uint8Array): unknown },
  signal: AbortSignal,
): Promise<void> {
  const opening = body.openReader()
  const reader = await unlessAborted(opening, signal).catch((error) => {
    opening.then((late) => late.close()).catch(() => {})
    throw error
  })
  let reading: Promise<unknown> | undefined
  try {
    const buffer = Buffer.allocUnsafeSlow(Math.max(1, Math.min(strideSize, body.size)))
    for (let offset = 0; offset < body.size; ) {
      const read = reader.read(buffer, offset)
      reading = read
      const bytesRead = await unlessAborted(read, signal)
      into.update(buffer.subarray(0, bytesRead))
      offset += bytesRead
    }
    await unlessAborted(reader.compare(), signal)
  } finally {
    const close = () => reader.close()
    const closed = Promise.resolve(reading).then(close, close)
    if (signal.aborted) closed.catch(() => {})
    else await closed
  }
}
