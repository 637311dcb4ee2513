import { finished, type Readable } from 'node:stream'
import { onAbort } from './abort.ts'
import { notDone } from './time-errors.ts'

/** What the SDK is given of an answer, whose body is still to come. */
interface Answered {
  readonly response: { readonly body?: Readable }
}

/**
 * An answer that has to be complete, its body read, within `limitMs` of now.
 *
 * @param send makes the request, and cuts it when the signal is aborted
 * @throws TimeError `not-done` where it takes longer; a body that is being read by then ends with it.
 */
export async function answeredWithin<Answer extends Answered>(
  send: (signal: AbortSignal) => Promise<Answer>,
  signal: AbortSignal | undefined,
  limitMs: number,
): Promise<Answer> {
  const cut = new AbortController()
  const stopWatching = signal === undefined ? () => {} : onAbort(signal, () => cut.abort())
  if (signal?.aborted) cut.abort()
  let body: Readable | undefined
  let tooLate: Error | undefined
  const giveUp = (): void => {
    tooLate = notDone(limitMs)
    body?.destroy(tooLate)
    cut.abort()
  }
  // An answer that came while this program was held up is looked at first.
  const timer = setTimeout(() => setImmediate(() => isOver || giveUp()), limitMs).unref()
  let isOver = false
  const end = (): void => {
    isOver = true
    clearTimeout(timer)
    stopWatching()
  }
  try {
    const answer = await send(cut.signal)
    body = answer.response.body
    if (body === undefined) end()
    else finished(body, end)
    return answer
  } catch (error) {
    end()
    throw tooLate ?? error
  }
}
