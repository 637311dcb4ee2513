import type { Call, Destination, ObjectInfo } from '../destinations/destination.ts'
import { UploadError } from '../errors.ts'
import { compareObject, type Difference } from './compare-object.ts'
import { type RetryOptions, retrying } from './trouble/retry.ts'

/**
 * Asks the destination for an object that was just sent.
 *
 * @throws UploadError BAD_RESPONSE where it is not there, CHECKSUM_MISMATCH where it is not what was sent: both may be
 * mended by sending it again. What the request throws.
 */
export async function verifyUpload(destination: Destination, sent: ObjectInfo, call: Call): Promise<void> {
  refuseDifference(sent, await destination.headObject(sent.key, call, { checksum: true }))
}

/**
 * Sends an object and asks for it, and sends it again where it is not what was sent. A question that fails is asked
 * again by itself: for that the object need not be sent anew.
 *
 * @param send with retries of its own, as it is told
 * @throws UploadError of the last attempt; what `send` throws.
 */
export async function sendVerified(
  destination: Destination,
  retry: RetryOptions,
  send: (retry: RetryOptions) => Promise<ObjectInfo>,
): Promise<ObjectInfo> {
  const call: Call = { signal: retry.signal, requests: 1 }
  const again: RetryOptions = { ...retry, failedBefore: undefined }
  // What is sent and asked passes the gate by itself: to pass it here would tell it of successes that were none.
  const comparing: RetryOptions = { ...again, gate: undefined }
  let sending = retry
  const outcome = await retrying(async (): Promise<{ readonly sent: ObjectInfo } | { readonly failure: unknown }> => {
    let sent: ObjectInfo
    let found: ObjectInfo | undefined
    try {
      sent = await send(sending)
      found = await retrying(() => destination.headObject(sent.key, call, { checksum: true }), again)
    } catch (failure) {
      // It has had its retries: only a difference is tried again from here.
      return { failure }
    }
    sending = again
    refuseDifference(sent, found)
    return { sent }
  }, comparing)
  if ('failure' in outcome) throw outcome.failure
  return outcome.sent
}

function refuseDifference(sent: ObjectInfo, found: ObjectInfo | undefined): void {
  const { difference } = compareObject(sent, found)
  if (difference !== undefined) throw problemOf(difference)
}

function problemOf({ what, expected, found }: Difference): UploadError {
  if (what === 'missing') {
    return new UploadError('BAD_RESPONSE', 'the destination said that it stored the object, but does not have it')
  }
  const message = `the object at the destination is not what was sent: its ${what} is ${found}, expected ${expected}`
  return new UploadError('CHECKSUM_MISMATCH', message)
}
