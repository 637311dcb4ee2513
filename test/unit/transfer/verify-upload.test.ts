import { describe, expect, it, vi } from 'vitest'
import type { Destination, ObjectInfo } from '../../../src/destinations/destination.ts'
import { UploadError } from '../../../src/errors.ts'
import type { RetryOptions } from '../../../src/transfer/trouble/retry.ts'
import { sendVerified, verifyUpload } from '../../../src/transfer/verify-upload.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { createFakeDestination } from '../../support/fake-destination.ts'
import { defaultSettings } from '../../support/settings.ts'

const sent: ObjectInfo = { key: 'k', size: 3, etag: '"a"' }
const call = { signal: new AbortController().signal, requests: 1 }

/** A destination that gives one answer after the other, the last for ever. */
function answering(...answers: readonly (ObjectInfo | Error | undefined)[]) {
  const left = [...answers]
  const headObject = vi.fn<Destination['headObject']>(async () => {
    const answer = left.length > 1 ? left.shift() : left[0]
    if (answer instanceof Error) throw answer
    return answer
  })
  return { destination: { ...createFakeDestination(), headObject }, headObject }
}

function retrySettings(more: Partial<RetryOptions> = {}): RetryOptions & { readonly told: string[] } {
  const told: string[] = []
  return {
    policy: { ...defaultSettings.retry, retries: 2 },
    clock: createFakeClock(),
    signal: call.signal,
    onRetry: ({ code }) => void told.push(code),
    told,
    ...more,
  }
}

describe('an object that was sent', () => {
  it('is asked for with its checksum', async () => {
    const { destination, headObject } = answering(sent)
    await verifyUpload(destination, sent, call)
    expect(headObject).toHaveBeenCalledWith('k', call, { checksum: true })
  })

  it.each([
    ['not there', undefined, 'BAD_RESPONSE', /does not have it/],
    ['of another size', { ...sent, size: 2 }, 'CHECKSUM_MISMATCH', /size is 2 bytes, expected 3 bytes/],
    ['of another ETag', { ...sent, etag: '"b"' }, 'CHECKSUM_MISMATCH', /etag is b, expected a/],
  ])('is sent again where it is %s', async (_, found, code, message) => {
    await expect(verifyUpload(answering(found).destination, sent, call)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
      retryable: true,
    })
  })
})

describe('sending with a look afterwards', () => {
  it('sends once where all is well', async () => {
    const { destination, headObject } = answering(sent)
    const send = vi.fn(async () => sent)
    const retry = retrySettings()
    expect(await sendVerified(destination, retry, send)).toBe(sent)
    expect(send).toHaveBeenCalledTimes(1)
    expect(headObject).toHaveBeenCalledTimes(1)
    expect(retry.told).toEqual([])
  })

  it('sends again what is not what was sent, and only the first time counts an attempt made before', async () => {
    const { destination } = answering(undefined, { ...sent, size: 2 }, sent)
    const failedBefore = { error: new UploadError('CONNECTION', 'cut'), beganMs: 0 }
    const retry = retrySettings({ failedBefore })
    const given: unknown[] = []
    await sendVerified(destination, retry, async (sending) => {
      given.push(sending.failedBefore)
      return sent
    })
    expect(given).toEqual([failedBefore, undefined, undefined])
    expect(retry.told).toEqual(['BAD_RESPONSE', 'CHECKSUM_MISMATCH'])
  })

  it('does not tell the gate of a success where sending failed, nor pass it twice', async () => {
    const gate = {
      turn: vi.fn(() => undefined),
      succeeded: vi.fn(),
      excuse: () => undefined,
      failed: vi.fn(),
      isSilent: () => false,
    }
    const { destination } = answering(sent)
    const failure = new UploadError('ACCESS_DENIED', 'refused')
    await expect(sendVerified(destination, retrySettings({ gate }), () => Promise.reject(failure))).rejects.toBe(
      failure,
    )
    expect(gate.succeeded).not.toHaveBeenCalled()

    await sendVerified(destination, retrySettings({ gate }), async () => sent)
    expect(gate.turn).toHaveBeenCalledTimes(1)
  })

  it('gives up after the last attempt', async () => {
    const { destination } = answering(undefined)
    const send = vi.fn(async () => sent)
    await expect(sendVerified(destination, retrySettings(), send)).rejects.toMatchObject({ code: 'BAD_RESPONSE' })
    expect(send).toHaveBeenCalledTimes(3)
  })

  it('asks again, and does not send again, where only the question failed', async () => {
    const { destination, headObject } = answering(new UploadError('SERVER_ERROR', 'broken'), sent)
    const send = vi.fn(async () => sent)
    await sendVerified(destination, retrySettings(), send)
    expect(send).toHaveBeenCalledTimes(1)
    expect(headObject).toHaveBeenCalledTimes(2)
  })

  it('passes a failure on that has had its retries', async () => {
    const { destination, headObject } = answering(sent)
    const failure = new UploadError('SERVER_ERROR', 'broken')
    const send = vi.fn(async () => Promise.reject(failure))
    await expect(sendVerified(destination, retrySettings(), send)).rejects.toBe(failure)
    expect(send).toHaveBeenCalledTimes(1)
    expect(headObject).not.toHaveBeenCalled()
  })
})
