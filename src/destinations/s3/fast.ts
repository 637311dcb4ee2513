import { automaticConcurrency } from '../../config/automatic-concurrency.ts'
import { bufferBudget, createBufferPool } from '../../http/buffers.ts'
import { createWire } from '../../http/send.ts'
import type { ObjectInfo } from '../destination.ts'
import { createChecksumUse } from './checksum-use.ts'
import type { S3Engine, S3Surroundings } from './engine.ts'
import { createFastUpload, type Stored } from './fast-upload.ts'
import { createS3Multipart } from './multipart.ts'

/** Bytes that are read at a time for a checksum, and how many such reads there may be at once. */
const checksumReads = { size: 2 ** 20, atOnce: 4 }

/**
 * The engine of this program's own wire, for whole objects and for parts.
 *
 * @throws UsageError where the bundle of certificates cannot be read.
 */
export function openFastEngine({
  settings,
  bucket,
  connection,
  patience,
  warn,
  mapped,
  explain,
}: S3Surroundings): S3Engine {
  const { client, region } = connection
  const requests = settings.concurrency === 'auto' ? automaticConcurrency.most : settings.concurrency
  const wire = createWire(settings.tls, patience)
  const { size, atOnce } = checksumReads
  const budget = settings.bufferBudget ?? bufferBudget
  const checksumBuffers = createBufferPool(size, atOnce, atOnce * size)
  const buffers = createBufferPool(settings.bufferSize, requests, Math.max(budget - atOnce * size, budget / 2))
  const checksum = createChecksumUse(settings.checksum, () => {
    const host = connection.host()
    if (settings.checksum === 'auto') warn(`${host} refuses CRC-32 checksums; objects go without from here on`)
    else warn(`${host} refuses ${settings.checksum} checksums; name another with --checksum, or none`)
  })
  const { upload, uploadSmall } = createFastUpload({
    client,
    bucket,
    wire,
    buffers,
    checksumBuffers,
    checksum,
    region,
    renewal: connection.renewal,
  })
  return {
    engine: 'fast',
    async putObject(object, body, call) {
      const stored = await mapped('s3:PutObject', upload(object, body, call))
      return objectInfo(object.key, body.size, stored)
    },
    small: {
      maxSize: buffers.size,
      async put(object, body, call) {
        try {
          const stored = await uploadSmall(object, body, call)
          return stored && objectInfo(object.key, body.size, stored)
        } catch (error) {
          throw explain('s3:PutObject', error)
        }
      },
    },
    multipart: createS3Multipart({ client, bucket, upload, checksum, mapped }),
    close: () => wire.close(),
  }
}

function objectInfo(key: string, size: number, { etag, versionId, checksum }: Stored): ObjectInfo {
  return { key, size, etag, versionId, checksum }
}
