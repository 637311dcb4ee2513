import type { Agent as HttpsAgent } from 'node:https'
import { HttpRequest } from '@smithy/core/protocols'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import type { TlsSettings } from '../config/settings.ts'
import { openConnections, type Route } from './agent.ts'
import { answeredWithin } from './answered-within.ts'
import type { Patience } from './patience.ts'
import { endingSilence, type SilenceLimits } from './silence.ts'
import { inSmallWrites } from './small-writes.ts'

/** The part of the SDK's own handler that its client calls. */
export type RequestHandler = Pick<
  NodeHttpHandler,
  'destroy' | 'metadata' | 'updateHttpClientConfig' | 'httpHandlerConfigs'
> & {
  handle(request: HttpRequest, options?: HandleOptions): ReturnType<NodeHttpHandler['handle']>
}

type HandleOptions = NonNullable<Parameters<NodeHttpHandler['handle']>[1]> & {
  /** The server puts an object together before it answers, and may be silent for as long as that takes. */
  readonly isCompleting?: boolean
}

/**
 * The SDK's HTTP handler over this program's connections: the way (direct, or which proxy) is chosen by each request's
 * host, since a bucket or a region may have a host of its own. Redirects are never followed, so that credentials stay
 * with the host they were meant for. A request that states no limit of its own (`requestTimeout`, milliseconds) has one
 * too.
 *
 * @throws UsageError where the bundle of certificates cannot be read.
 */
export function createRequestHandler(tls: TlsSettings, patience: Patience): RequestHandler {
  const connections = openConnections(tls, patience.connect)
  const handlers = new Map<Route, { readonly usual: NodeHttpHandler; readonly completing: NodeHttpHandler }>()

  function handlersFor(route: Route) {
    const known = handlers.get(route)
    if (known !== undefined) return known
    const handlerWith = (limits: SilenceLimits): NodeHttpHandler => {
      const agent = endingSilence(route.agent, limits)
      return new NodeHttpHandler({
        // One agent serves one protocol; the handler takes the field that fits, and it never asks for more than a `Agent`.
        httpAgent: agent,
        httpsAgent: agent as HttpsAgent,
        // A direct connection has its limit from the agent.
        connectionTimeout: route.proxy === undefined ? 0 : patience.connectThroughProxy,
        socketTimeout: 0,
      })
    }
    const made = {
      usual: handlerWith({ sending: patience.idle, answering: patience.idleWhileAnswering }),
      completing: handlerWith({ sending: patience.idle, answering: patience.idleWhileCompleting }),
    }
    handlers.set(route, made)
    return made
  }

  return {
    metadata: { handlerProtocol: 'http/1.1' },
    async handle(request, { abortSignal, requestTimeout, isCompleting } = {}) {
      const port = request.port === undefined ? '' : `:${request.port}`
      const route = await connections.routeTo(`${request.protocol}//${request.hostname}${port}`)
      const { usual, completing } = handlersFor(route)
      const isComplete = isCompleting ?? (request.method === 'POST' && request.query.uploadId !== undefined)
      const limitMs = requestTimeout ?? (isComplete ? patience.completing : patience.request)
      const written = Object.assign(HttpRequest.clone(request), { body: inSmallWrites(request.body) })
      const send = (signal: AbortSignal) => (isComplete ? completing : usual).handle(written, { abortSignal: signal })
      return answeredWithin(send, abortSignal as AbortSignal | undefined, limitMs)
    },
    destroy: () => connections.close(),
    // The client may adjust handlers it made itself; this one is complete.
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
  }
}
