import type { ClientRequest, Agent as HttpAgent, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { silent } from './time-errors.ts'

/** How long no byte may go either way, in milliseconds. */
export interface SilenceLimits {
  /** While a request is on its way. */
  readonly sending: number
  /** Once the kernel has all of it: a server may well think for longer than a line may be dead. */
  readonly answering: number
}

/** What agents have, beside what their type tells. */
interface Requests {
  addRequest(request: ClientRequest, ...rest: readonly unknown[]): void
}

/**
 * The same agent, whose requests end where there is silence. The SDK's handler knows only one limit, which would count
 * for the wait for an answer too.
 */
export function endingSilence(agent: HttpAgent, limits: SilenceLimits): HttpAgent {
  const addRequest: Requests['addRequest'] = (request, ...rest) => {
    watchSilence(request, limits)
    const requests = agent as HttpAgent & Requests
    requests.addRequest(request, ...rest)
  }
  return Object.create(agent, { addRequest: { value: addRequest } }) as HttpAgent
}

function watchSilence(request: ClientRequest, { sending, answering }: SilenceLimits): void {
  let limitMs = sending
  let response: IncomingMessage | undefined
  const watch = (socket: Socket): void => {
    const onTimeout = (): void => {
      const [readBefore, limitBefore] = [socket.bytesRead, limitMs]
      // Where this program was held up, what has come meanwhile is still to be read.
      setImmediate(() => {
        if (request.destroyed || socket.bytesRead !== readBefore || limitMs !== limitBefore) return
        const error = silent(limitMs)
        // Whoever reads the answer is told by it.
        if (response === undefined) request.destroy(error)
        else response.destroy(error)
      })
    }
    const begin = (): void => void socket.setTimeout(limitMs)
    socket.on('timeout', onTimeout)
    request.once('close', () => {
      socket.off('timeout', onTimeout)
      socket.off('connect', begin)
    })
    if (socket.connecting) socket.once('connect', begin)
    else begin()
  }
  request.once('socket', watch)
  request.once('response', (answer) => {
    response = answer
  })
  request.once('finish', () => {
    limitMs = answering
    request.socket?.setTimeout(answering)
  })
}
