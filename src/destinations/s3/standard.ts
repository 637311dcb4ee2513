import { setMaxListeners } from 'node:events'
import { Readable } from 'node:stream'
import type { S3Client } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { checksummerOf, type RunningChecksum } from '../../checksums/checksummer.ts'
import type { Settings } from '../../config/settings.ts'
import { UploadError } from '../../errors.ts'
import { cancelled, unlessAborted } from '../../http/abort.ts'
import type { Call, Checksum, ObjectInfo, ObjectToPut, PartBody } from '../destination.ts'
import { createByteBudget } from './byte-budget.ts'
import { type ChecksumAnswer, checksumNames, fullObjectChecksum } from './checksum.ts'
import type { S3Engine, S3Surroundings } from './engine.ts'
import { conditionFields, propertyFields } from './object-fields.ts'
import { planUpload } from './upload-plan.ts'
import { watchClient } from './watched-client.ts'

/** All part buffers of all uploads together, in bytes. */
const memoryBudget = 256 * 2 ** 20

/** The engine of the vendor's own library; it has no multipart uploads that could be called part by part. */
export function openStandardEngine({ settings, bucket, connection, mapped }: S3Surroundings): S3Engine {
  const { multipartThreshold: threshold, checksum } = settings
  const put = createStandardPut({ client: connection.client, bucket, threshold, checksum })
  return {
    engine: 'standard',
    putObject: (object, body, call) => mapped('s3:PutObject', put(object, body, call)),
    close() {},
  }
}

interface StandardPutOptions {
  readonly client: S3Client
  readonly bucket: string
  /** Bytes; an object no larger goes as one PutObject. */
  readonly threshold: number
  readonly checksum: Settings['checksum']
}

/**
 * The conservative way to store an object: the vendor's `Upload` over a Node stream, as it is, for any size. It makes
 * and ends the multipart upload by itself, so there is nothing to resume; where it fails, nothing is left behind.
 */
function createStandardPut({ client, bucket, threshold, checksum }: StandardPutOptions) {
  const budget = createByteBudget(memoryBudget)
  // Left to the library where nobody chose: it knows what its own endpoints take, and sends no other any.
  const chosen = checksum === 'auto' || checksum === 'none' ? undefined : checksum
  const algorithm = checksum === 'none' ? undefined : (chosen ?? 'crc32')

  return async function putObject(object: ObjectToPut, body: PartBody, call: Call): Promise<ObjectInfo> {
    const plan = planUpload(body.size, { partSize: object.partSize, threshold, requests: call.requests }, memoryBudget)
    const release = await budget.acquire(plan.memory, call.signal)
    const running = algorithm && checksummerOf(algorithm).begin()
    const upload = begin(body, running)
    const stopped = () => upload.stop(cancelled())
    call.signal.addEventListener('abort', stopped, { once: true })
    try {
      const vendor = new Upload({
        client: watchClient(client, {
          size: body.size,
          signal: upload.signal,
          timeouts: call.timeouts,
          onFailure: upload.stop,
        }),
        // The length is stated because lib-storage would look at the stream's path, which may be a link.
        params: {
          Bucket: bucket,
          Key: object.key,
          Body: upload.stream,
          ContentLength: body.size,
          ContentType: object.contentType,
          ...propertyFields(object),
          ...conditionFields(object.ifAbsent),
          ...(chosen === undefined ? {} : { ChecksumAlgorithm: checksumNames[chosen].algorithm }),
        },
        partSize: plan.partSize,
        queueSize: plan.queueSize,
      })
      vendor.on('httpUploadProgress', ({ loaded }) => call.onBytes?.(loaded ?? 0))
      const answer = await vendor.done()
      call.onBytes?.(body.size)
      const read = algorithm && running && { algorithm, value: await running.result() }
      return {
        key: object.key,
        size: body.size,
        etag: answer.ETag,
        versionId: answer.VersionId,
        checksum: comparedChecksum(answer, read),
      }
    } catch (error) {
      throw upload.failure() ?? error
    } finally {
      call.signal.removeEventListener('abort', stopped)
      upload.stream.destroy()
      release()
    }
  }
}

/**
 * The checksum of the bytes that were read, which the server's must be where it says one of the same kind.
 *
 * @throws UploadError CHECKSUM_MISMATCH
 */
function comparedChecksum(answer: ChecksumAnswer, read: Checksum | undefined): Checksum | undefined {
  const told = fullObjectChecksum(answer)
  if (told === undefined || read?.algorithm !== told.algorithm || read.value === told.value) return read ?? told
  throw new UploadError('CHECKSUM_MISMATCH', 'the server stored other bytes than were sent')
}

/** One upload's stream, and how it ends early: the first failure stops all that is under way, and is the one told. */
function begin(
  body: PartBody,
  checksum: RunningChecksum | undefined,
): {
  readonly stream: Readable
  readonly signal: AbortSignal
  readonly stop: (reason: unknown) => void
  readonly failure: () => unknown
} {
  const controller = new AbortController()
  // One listener for each part under way.
  setMaxListeners(0, controller.signal)
  const stream = interruptible(body.stream(), controller.signal, checksum)
  let failure: unknown
  const stop = (reason: unknown) => {
    failure ??= reason
    controller.abort()
    stream.destroy()
  }
  stream.on('error', stop)
  return { stream, signal: controller.signal, stop, failure: () => failure }
}

/**
 * A stream whose reader gets on when `signal` is aborted, even in the middle of a read that never ends: destroying a
 * stream waits for the read that is under way.
 *
 * @param checksum is told what passes
 */
function interruptible(stream: Readable, signal: AbortSignal, checksum: RunningChecksum | undefined): Readable {
  return Object.defineProperty(stream, Symbol.asyncIterator, {
    value(): AsyncIterator<unknown> {
      const chunks = Readable.prototype[Symbol.asyncIterator].call(stream)
      return {
        async next() {
          const next = await unlessAborted(chunks.next(), signal)
          if (!next.done) checksum?.update(next.value)
          return next
        },
        async return() {
          chunks.return?.().catch(() => {})
          return { done: true, value: undefined }
        },
      }
    },
  })
}
