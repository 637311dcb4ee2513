import { setMaxListeners } from 'node:events'
import type { Call, MultipartUpload, Pacer, Part, PartBody, RequestTimeouts } from '../destinations/destination.ts'
import { toUploadError } from '../errors.ts'
import { partCount, partRange } from '../plan/part-ranges.ts'
import type { ByteMeter } from './byte-meter.ts'
import type { Scheduler } from './pace/scheduler.ts'
import { type RetryOptions, retrying } from './trouble/retry.ts'

export interface SendPartsOptions {
  /** Bytes of the object. */
  readonly size: number
  readonly rangeBody: (start: number, size: number) => PartBody
  /** Parts at a time; the destination may want fewer. */
  readonly partConcurrency: number
  readonly scheduler: Scheduler
  readonly meter: ByteMeter
  /** Undefined where there is no limit to the rate. */
  readonly pacer: Pacer | undefined
  readonly timeouts?: RequestTimeouts | undefined
  readonly retry: RetryOptions
  readonly onPart: (done: number) => void
  /** Keeps that a part is at the destination; where it cannot, the upload ends. */
  readonly onStored: (part: Part) => Promise<void>
}

/**
 * Sends the parts that are not `there` yet. The caller's own slot always carries a part; further ones are sent in slots
 * that are free for the moment and are given back after each part, so that waiting files come first. A failure of one
 * part ends the others.
 *
 * @returns all parts, in order of their number
 * @throws UploadError of the part that failed first
 */
export function sendParts(
  upload: MultipartUpload,
  there: readonly Part[],
  options: SendPartsOptions,
): Promise<readonly Part[]> {
  return untilCut(options.retry.signal, (cut) => sendUntilCut(upload, there, options, cut))
}

/** Calls `send` with what cuts all parts of one upload: its own failure, or the run's end. */
export async function untilCut<Result>(
  signal: AbortSignal,
  send: (cut: AbortController) => Promise<Result>,
): Promise<Result> {
  const cut = new AbortController()
  // One listener for each part in flight.
  setMaxListeners(0, cut.signal)
  const cutAll = (): void => cut.abort()
  // Not AbortSignal.any: the run's signal would remember each file's to its end.
  signal.addEventListener('abort', cutAll)
  if (signal.aborted) cutAll()
  try {
    return await send(cut)
  } finally {
    signal.removeEventListener('abort', cutAll)
  }
}

async function sendUntilCut(
  upload: MultipartUpload,
  there: readonly Part[],
  options: SendPartsOptions,
  cut: AbortController,
): Promise<readonly Part[]> {
  const { scheduler, size } = options
  const total = partCount(size, upload.partSize)
  const most = Math.min(options.partConcurrency, upload.maxConcurrentParts, total)
  const retry: RetryOptions = { ...options.retry, signal: cut.signal, progress: () => parts.length }
  const parts: Part[] = [...there]
  const isThere = new Set(there.map((part) => part.partNumber))
  const extra = new Set<Promise<void>>()
  let failure: unknown
  let next = 0

  const moveOn = (): void => {
    next += 1
    while (isThere.has(next)) next += 1
  }
  const sendNext = async (): Promise<void> => {
    if (next > total) return
    const partNumber = next
    moveOn()
    try {
      const range = partRange(partNumber, size, upload.partSize)
      const body = options.rangeBody(range.start, range.size)
      const part = await sendPart(upload, partNumber, body, { ...options, retry })
      await options.onStored(part)
      parts.push(part)
      options.onPart(parts.length)
    } catch (error) {
      // The first failure is the cause; those that follow from cutting the rest are not.
      failure ??= error
      cut.abort()
    }
  }
  const fillSpareSlots = (): void => {
    while (next <= total && extra.size + 1 < most && failure === undefined) {
      const sending = scheduler.spare(sendNext)
      if (sending === undefined) return
      extra.add(sending)
      void sending.then(() => {
        extra.delete(sending)
        fillSpareSlots()
      })
    }
  }

  moveOn()
  while (next <= total && failure === undefined) {
    const own = sendNext()
    fillSpareSlots()
    await own
  }
  while (extra.size > 0) await Promise.all(extra)
  if (failure !== undefined) throw toUploadError(failure)
  return parts.sort((a, b) => a.partNumber - b.partNumber)
}

/**
 * Sends one part, with retries.
 *
 * @throws UploadError of the last attempt
 */
export async function sendPart(
  upload: MultipartUpload,
  partNumber: number,
  body: PartBody,
  options: Pick<SendPartsOptions, 'meter' | 'pacer' | 'timeouts' | 'retry'>,
): Promise<Part> {
  const { pacer, timeouts, retry } = options
  return retrying(async () => {
    const meter = options.meter.begin()
    try {
      const call: Call = { signal: retry.signal, requests: 1, onBytes: meter.onBytes, pacer, timeouts }
      return await upload.uploadPart(partNumber, body, call)
    } catch (error) {
      meter.discard()
      throw error
    }
  }, retry)
}
