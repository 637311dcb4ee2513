import type { OpenSocket } from './open-socket.ts'
import { createResponseParser, type ParsedAnswer, type WireAnswer } from './response-parser.ts'

/** A body that is sent piece by piece; a piece's memory is the reader's only until it asks for the next. */
export type Pieces = AsyncIterable<Uint8Array>

/** One connection, for one request at a time. */
export interface Connection {
  /** Whether an answer has come on it before. */
  readonly isUsed: boolean
  /** Whether anything of an answer to the request under way has come. */
  readonly isAnswering: boolean
  /** Whether it can carry another request. */
  readonly isOpen: boolean
  /**
   * Sends a request and reads its answer.
   *
   * @param head request line and headers, with the empty line after them
   * @throws the error of the network as Node reports it; what the body throws; `HPE_…` where the answer is none.
   */
  exchange(head: string, body: Uint8Array | Pieces): Promise<WireAnswer>
  /** Closes it at once; what is under way fails with `cause`. */
  destroy(cause?: Error): void
}

/**
 * Bytes written at a time. Over TLS, Node does not see how much of a write has left: a larger one on a slow connection
 * would count as silence.
 */
const largestWrite = 256 * 1024

/** Takes over a socket that can be written to, with the limit it has for silence. Nobody else may read from it. */
export function connectionOn({ socket, onBytes }: OpenSocket): Connection {
  const parser = createResponseParser()
  let isUsed = false
  let isOpen = true
  let isHandedOver = true
  let isAwaitingPiece = false
  /** An answer for which it is not yet known whether the whole request had left before it. */
  let held: ParsedAnswer | undefined
  let resolve: ((answer: WireAnswer) => void) | undefined
  let reject: ((error: unknown) => void) | undefined

  const fail = (error: unknown): void => {
    isOpen = false
    held = undefined
    const told = reject
    resolve = undefined
    reject = undefined
    socket.destroy()
    told?.(error)
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
    // A server that refuses a body may have left the rest of it unread.
    if (isRefusal(answer) || !answer.keepsAlive) {
      isOpen = false
      socket.destroy()
    }
    told?.(answer)
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
  socket.on('timeout', () => {
    // A body that is slow to come (a disk, a limit of the user's) is not the server's silence.
    if (!isAwaitingPiece) fail(stalled())
  })
  socket.on('close', () => {
    settle()
    fail(closed())
  })

  const write = (piece: Uint8Array): Promise<void> =>
    new Promise((done, failed) => {
      // Told once the kernel has all of it: until then its memory must stay as it is.
      socket.write(piece, (error) => (error ? failed(error) : done()))
    })

  const sendPieces = async (head: string, pieces: Pieces | readonly Uint8Array[]): Promise<void> => {
    let unsent: string | undefined = head
    isAwaitingPiece = true
    for await (const piece of pieces) {
      isAwaitingPiece = false
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
      isAwaitingPiece = true
    }
    isAwaitingPiece = false
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
    exchange(head, body) {
      return new Promise((answer, failure) => {
        resolve = answer
        reject = failure
        if (!isOpen) {
          fail(closed())
          return
        }
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
    destroy: (cause = closed()) => fail(cause),
  }
}

/** What is said of a connection that is no more. */
export function closed(): Error {
  return Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' })
}

/** Named as the SDK's handler names it. */
function stalled(): Error {
  return Object.assign(new Error('no bytes went to or came from the server for too long'), { name: 'TimeoutError' })
}

function outOfTurn(): Error {
  return Object.assign(new Error('the server answered before it had the whole body'), { code: 'HPE_OUT_OF_TURN' })
}
