import type { RequestTimeouts } from '../destinations/destination.ts'
import type { OpenSocket } from './open-socket.ts'
import { createResponseParser, type ParsedAnswer, type WireAnswer } from './response-parser.ts'
import { createStopwatch } from './stopwatch.ts'
import { silent } from './time-errors.ts'

/** A body that is sent piece by piece; a piece's memory is the reader's only until it asks for the next. */
export type Pieces = AsyncIterable<Uint8Array>

/** What a request's time is measured by. */
export interface RequestLimits {
  /** Bytes of the body. */
  readonly size?: number | undefined
  readonly timeouts?: RequestTimeouts | undefined
}

/** One connection, for one request at a time. */
export interface Connection {
  /** Whether an answer has come on it before. */
  readonly isUsed: boolean
  /** Whether anything of an answer to the request under way has come. */
  readonly isAnswering: boolean
  /** Whether it can carry another request. */
  readonly isOpen: boolean
  /**
   * Sends a request and reads its answer. Once that has ended, however, nothing reads from the body any more.
   *
   * @param head request line and headers, with the empty line after them
   * @param about how long it may take, where {@link watch} is called meanwhile (undefined: as long as bytes flow), and
   * its method, where that is `HEAD`
   * @throws the error of the network as Node reports it; what the body throws; `HPE_…` where the answer is none.
   */
  exchange(
    head: string,
    body: Uint8Array | Pieces,
    about?: RequestLimits & { readonly method?: string },
  ): Promise<WireAnswer>
  /**
   * Ends a request that took too long. To be called a few times a second.
   *
   * @param excusedMs milliseconds since the last call that do not count, because this program was held up
   * @returns whether a request with limits is under way
   */
  watch(excusedMs: number): boolean
  /** Closes it at once; what is under way fails with `cause`. */
  destroy(cause?: Error): void
}

/**
 * Bytes written at a time. Over TLS, Node does not see how much of a write has left: a larger one on a slow connection
 * would count as silence.
 */
const largestWrite = 256 * 1024

/**
 * Takes over a socket that can be written to, with the limit it has for silence. Nobody else may read from it.
 *
 * @param now milliseconds on a clock that never goes back
 */
export function connectionOn({ socket, onBytes }: OpenSocket, now: () => number = () => performance.now()): Connection {
  const parser = createResponseParser()
  const stopwatch = createStopwatch(now)
  let isUsed = false
  let isOpen = !socket.destroyed
  let isClosed = false
  let isHandedOver = true
  let isAwaitingPiece = false
  /** An answer for which it is not yet known whether the whole request had left before it. */
  let held: ParsedAnswer | undefined
  let resolve: ((answer: WireAnswer) => void) | undefined
  let reject: ((error: unknown) => void) | undefined

  /** Until a socket is closed, the kernel may still be taking bytes from what was written to it. */
  const onceClosed = (tell: () => void): void => {
    if (isClosed) tell()
    else socket.once('close', tell)
  }
  const fail = (error: unknown): void => {
    isOpen = false
    held = undefined
    const told = reject
    resolve = undefined
    reject = undefined
    stopwatch.stop(false)
    socket.destroy()
    if (told !== undefined) onceClosed(() => told(error))
  }
  const isSent = (): boolean => isHandedOver && socket.writableLength === 0
  const isRefusal = ({ status }: WireAnswer): boolean => status >= 300
  const answered = (answer: ParsedAnswer): void => {
    if (isSent() || isRefusal(answer)) {
      deliver(answer)
      return
    }
    // Over TLS, Node tells a turn of its loop later that bytes were written: their answer may be there before.
    held = answer
    setImmediate(settle)
  }
  const settle = (): void => {
    const answer = held
    held = undefined
    if (answer === undefined) return
    if (isSent()) deliver(answer)
    else fail(outOfTurn())
  }
  const deliver = (answer: ParsedAnswer): void => {
    const told = resolve
    isUsed = true
    resolve = undefined
    reject = undefined
    stopwatch.stop(!isRefusal(answer))
    // A server that refuses a body may have left the rest of it unread.
    if (isRefusal(answer) || !answer.keepsAlive) {
      isOpen = false
      socket.destroy()
    }
    if (isSent()) told?.(answer)
    else onceClosed(() => told?.(answer))
  }
  const receive = (bytes: Buffer): void => {
    if (held !== undefined) {
      held = { ...held, keepsAlive: false }
      return
    }
    if (resolve === undefined) {
      fail(outOfTurn())
      return
    }
    try {
      const answer = parser.receive(bytes)
      if (answer !== undefined) answered(answer)
    } catch (error) {
      fail(error)
    }
  }

  onBytes(receive)
  socket.on('end', () => {
    const answer = parser.end()
    if (answer !== undefined) answered(answer)
    else if (held !== undefined) held = { ...held, keepsAlive: false }
    else fail(closed())
  })
  socket.on('error', fail)
  const isTooSilent = (): boolean => {
    // A body that is slow to come (a disk, a limit of the user's) is not the server's silence.
    if (resolve === undefined || isAwaitingPiece) return false
    // A server that has all of it may think for longer: there is a limit of its own for that.
    return !(stopwatch.isRunning && isSent() && !parser.hasBegun)
  }
  socket.on('timeout', () => {
    const told = resolve
    const before = socket.bytesRead
    const unsent = socket.writableLength
    // Where this program was held up, what has come meanwhile is still to be read.
    setImmediate(() => {
      const hasMoved = socket.bytesRead !== before || socket.writableLength !== unsent
      if (resolve === told && !hasMoved && isTooSilent()) fail(silent(socket.timeout ?? 0))
    })
  })
  socket.on('close', () => {
    isClosed = true
    settle()
    fail(closed())
  })

  const write = (piece: Uint8Array): Promise<void> =>
    new Promise((done, failed) => {
      // Told once the kernel has all of it: until then its memory must stay as it is.
      socket.write(piece, (error) => (error ? failed(error) : done()))
    })

  const awaitPiece = (): void => {
    isAwaitingPiece = true
    stopwatch.pause()
  }
  const havePiece = (): void => {
    isAwaitingPiece = false
    stopwatch.resume()
  }

  const sendPieces = async (head: string, pieces: Pieces | readonly Uint8Array[]): Promise<void> => {
    let unsent: string | undefined = head
    awaitPiece()
    for await (const piece of pieces) {
      havePiece()
      if (!isOpen) return
      socket.cork()
      if (unsent !== undefined) socket.write(unsent)
      unsent = undefined
      const written = write(piece.subarray(0, largestWrite))
      socket.uncork()
      await written
      for (let at = largestWrite; at < piece.length; at += largestWrite) {
        await write(piece.subarray(at, at + largestWrite))
      }
      awaitPiece()
    }
    havePiece()
    // There was not a single piece.
    if (unsent !== undefined && isOpen) socket.write(unsent)
    isHandedOver = true
  }

  return {
    get isUsed() {
      return isUsed
    },
    get isAnswering() {
      return parser.hasBegun
    },
    get isOpen() {
      return isOpen
    },
    exchange(head, body, about) {
      return new Promise((answer, failure) => {
        if (!isOpen) {
          failure(closed())
          return
        }
        if (about?.method === 'HEAD') parser.expectNoBody()
        stopwatch.start(about?.size ?? 0, about?.timeouts)
        resolve = answer
        reject = failure
        if (body instanceof Uint8Array && body.length <= largestWrite) {
          socket.cork()
          socket.write(head)
          if (body.length > 0) socket.write(body)
          socket.uncork()
          return
        }
        isHandedOver = false
        sendPieces(head, body instanceof Uint8Array ? [body] : body).catch(fail)
      })
    },
    watch(excusedMs) {
      stopwatch.excuse(excusedMs)
      const tooLate = stopwatch.verdict(isSent(), parser.hasBegun)
      if (tooLate !== undefined) fail(tooLate)
      return stopwatch.isRunning
    },
    destroy: (cause = closed()) => fail(cause),
  }
}

/** What is said of a connection that is no more. */
export function closed(): Error {
  return Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' })
}

/** What is said of an answer that belongs to no request, or to one that had not all been sent. */
export function outOfTurn(): Error {
  return Object.assign(new Error('the server answered before it had the whole body'), { code: 'HPE_OUT_OF_TURN' })
}
