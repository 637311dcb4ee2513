import type { Destination } from '../destinations/destination.ts'
import { toUploadError, type UploadError } from '../errors.ts'
import { type Compared, compareObject, type Difference } from '../transfer/compare-object.ts'
import { createScheduler } from '../transfer/pace/scheduler.ts'
import type { Requests } from '../transfer/requests.ts'
import type { ExpectedObject } from './expected.ts'

/** What came of looking at one object. */
export type Verdict =
  | { readonly is: 'same'; readonly compared: Compared }
  | { readonly is: 'different'; readonly difference: Difference }
  /** The destination did not say, after all retries. */
  | { readonly is: 'unknown'; readonly error: UploadError }

/** A destination that is asked. */
export interface AskedDestination {
  readonly destination: Destination
  readonly requests: Requests
}

export interface VerifyOptions {
  /** By the URL that the objects name; there is one for each of them. */
  readonly destinations: ReadonlyMap<string, AskedDestination>
  readonly expected: AsyncIterable<ExpectedObject>
  /** Objects at a time. */
  readonly concurrency: number
  readonly signal: AbortSignal
  readonly onVerdict: (object: ExpectedObject, verdict: Verdict) => Promise<void> | void
}

/**
 * Asks the destinations for each object and compares it with what was sent. What is not known of one says nothing of the
 * others, unless the cause is everybody's at that destination.
 *
 * @returns that cause, by the destination's URL, where there was one
 */
export async function verifyObjects(options: VerifyOptions): Promise<ReadonlyMap<string, UploadError>> {
  const { destinations, signal, onVerdict } = options
  const scheduler = createScheduler(options.concurrency)
  const hopeless = new Map<string, UploadError>()

  const look = async (object: ExpectedObject, asked: AskedDestination): Promise<void> => {
    const { destination } = object
    if (signal.aborted || hopeless.has(destination)) return
    const verdict = await verdictOn(object, asked).catch((thrown): Verdict => {
      const error = toUploadError(thrown)
      if (asked.requests.isHopeless(error) && !hopeless.has(destination)) hopeless.set(destination, error)
      return { is: 'unknown', error }
    })
    // What was cut is not known to differ.
    if (!signal.aborted) await onVerdict(object, verdict)
  }

  for await (const object of options.expected) {
    if (signal.aborted || hopeless.size === destinations.size) break
    const asked = destinations.get(object.destination)
    if (asked !== undefined && !hopeless.has(object.destination)) await scheduler.start(() => look(object, asked))
  }
  await scheduler.idle()
  return hopeless
}

async function verdictOn(object: ExpectedObject, { destination, requests }: AskedDestination): Promise<Verdict> {
  const found = await requests.ask((call) => destination.headObject(object.key, call, { checksum: true }))
  const { compared, difference } = compareObject(object, found)
  return difference === undefined ? { is: 'same', compared } : { is: 'different', difference }
}
