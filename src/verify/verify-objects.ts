import type { Destination } from '../destinations/destination.ts'
import { toUploadError, type UploadError } from '../errors.ts'
import { type Compared, compareObject, type Difference } from '../transfer/compare-object.ts'
import type { Requests } from '../transfer/requests.ts'
import { createScheduler } from '../transfer/scheduler.ts'
import type { ExpectedObject } from './expected.ts'

/** What came of looking at one object. */
export type Verdict =
  | { readonly is: 'same'; readonly compared: Compared }
  | { readonly is: 'different'; readonly difference: Difference }
  /** The destination did not say, after all retries. */
  | { readonly is: 'unknown'; readonly error: UploadError }

export interface VerifyOptions {
  readonly destination: Destination
  readonly expected: AsyncIterable<ExpectedObject>
  /** Objects at a time. */
  readonly concurrency: number
  readonly requests: Requests
  readonly signal: AbortSignal
  readonly onVerdict: (object: ExpectedObject, verdict: Verdict) => Promise<void> | void
}

/**
 * Asks the destination for each object and compares it with what was sent. What is not known of one says nothing of the
 * others, unless the cause is everybody's.
 *
 * @returns that cause, where there was one
 */
export async function verifyObjects(options: VerifyOptions): Promise<UploadError | undefined> {
  const { requests, signal, onVerdict } = options
  const scheduler = createScheduler(options.concurrency)
  let hopeless: UploadError | undefined

  const look = async (object: ExpectedObject): Promise<void> => {
    if (signal.aborted || hopeless !== undefined) return
    const verdict = await verdictOn(object, options).catch((thrown): Verdict => {
      const error = toUploadError(thrown)
      if (requests.isHopeless(error)) hopeless ??= error
      return { is: 'unknown', error }
    })
    // What was cut is not known to differ.
    if (!signal.aborted) await onVerdict(object, verdict)
  }

  for await (const object of options.expected) {
    if (signal.aborted || hopeless !== undefined) break
    await scheduler.start(() => look(object))
  }
  await scheduler.idle()
  return hopeless
}

async function verdictOn(object: ExpectedObject, { destination, requests }: VerifyOptions): Promise<Verdict> {
  const found = await requests.ask((call) => destination.headObject(object.key, call, { checksum: true }))
  const { compared, difference } = compareObject(object, found)
  return difference === undefined ? { is: 'same', compared } : { is: 'different', difference }
}
