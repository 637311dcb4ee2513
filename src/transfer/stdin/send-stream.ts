import type { MultipartUpload, Part, PartBody } from '../../destinations/destination.ts'
import { toUploadError } from '../../errors.ts'
import { fileBody } from '../reading/file-body.ts'
import { type SendPartsOptions, sendPart, untilCut } from '../send-parts.ts'
import type { RetryOptions } from '../trouble/retry.ts'
import type { HeldPart } from './held-parts.ts'

export interface SendStreamOptions
  extends Pick<
    SendPartsOptions,
    'partConcurrency' | 'scheduler' | 'meter' | 'pacer' | 'timeouts' | 'retry' | 'onPart'
  > {
  /** Bytes. */
  readonly bufferSize: number
}

/**
 * Sends parts as they are read, in the caller's own slot and in such as are free for the moment. Each is held until it is
 * stored. A failure, of a part or of reading, ends all.
 *
 * @param read reads the parts, in order of their number, until the signal is aborted
 * @returns all parts, in order of their number
 * @throws UploadError of what failed first
 */
export function sendStream(
  upload: MultipartUpload,
  read: (signal: AbortSignal) => AsyncIterable<HeldPart>,
  options: SendStreamOptions,
): Promise<readonly Part[]> {
  return untilCut(options.retry.signal, (cut) => sendWhileRead(upload, read(cut.signal), options, cut))
}

async function sendWhileRead(
  upload: MultipartUpload,
  held: AsyncIterable<HeldPart>,
  options: SendStreamOptions,
  cut: AbortController,
): Promise<readonly Part[]> {
  const { scheduler } = options
  const most = Math.min(options.partConcurrency, upload.maxConcurrentParts)
  const retry: RetryOptions = { ...options.retry, signal: cut.signal, progress: () => parts.length }
  const parts: Part[] = []
  const sending = new Set<Promise<void>>()
  let isOwnFree = true
  let failure: unknown

  const failed = (error: unknown): void => {
    // The first failure is the cause; those that follow from cutting the rest are not.
    failure ??= error
    cut.abort()
  }
  const send = async (part: HeldPart): Promise<void> => {
    try {
      parts.push(await sendPart(upload, part.partNumber, bodyOf(part, options), { ...options, retry }))
      options.onPart(parts.length)
      part.release()
    } catch (error) {
      failed(error)
    }
  }
  const sendInOwn = async (part: HeldPart): Promise<void> => {
    isOwnFree = false
    await send(part)
    isOwnFree = true
  }
  const begin = (part: HeldPart): Promise<void> | undefined => {
    if (sending.size >= most) return undefined
    return isOwnFree ? sendInOwn(part) : scheduler.spare(() => send(part))
  }

  try {
    for await (const part of held) {
      let begun = begin(part)
      while (begun === undefined) {
        await Promise.race(sending)
        begun = begin(part)
      }
      const ending = begun.then(() => void sending.delete(ending))
      sending.add(ending)
      if (failure !== undefined) break
    }
  } catch (error) {
    failed(error)
  }
  await Promise.all(sending)
  if (failure !== undefined) throw toUploadError(failure)
  return parts.sort((a, b) => a.partNumber - b.partNumber)
}

function bodyOf({ facts, range, start }: HeldPart, { bufferSize, pacer }: SendStreamOptions): PartBody {
  return { ...fileBody(facts, range, bufferSize, pacer), start }
}
