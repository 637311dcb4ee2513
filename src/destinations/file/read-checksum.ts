import { open } from 'node:fs/promises'
import { checksummerOf } from '../../checksums/checksummer.ts'
import { unlessAborted } from '../../http/abort.ts'
import type { Checksum } from '../destination.ts'

/** Bytes read at a time: each read takes a trip to the thread pool. */
const strideSize = 2 ** 20

/**
 * The CRC-32 of a file, read through one buffer. A directory keeps no checksums.
 *
 * @throws UploadError CANCELLED; what `fs` throws, as it is
 */
export async function readChecksum(path: string, signal: AbortSignal): Promise<Checksum> {
  const file = await open(path, 'r')
  try {
    const running = checksummerOf('crc32').begin()
    const buffer = Buffer.allocUnsafeSlow(strideSize)
    for (let offset = 0; ; ) {
      const { bytesRead } = await unlessAborted(file.read(buffer, 0, strideSize, offset), signal)
      if (bytesRead === 0) return { algorithm: 'crc32', value: await running.result() }
      running.update(buffer.subarray(0, bytesRead))
      offset += bytesRead
    }
  } finally {
    const closed = file.close()
    // A stopped run does not wait for a read that never ends.
    if (signal.aborted) closed.catch(() => {})
    else await closed
  }
}
