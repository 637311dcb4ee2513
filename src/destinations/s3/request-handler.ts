import type { Agent as HttpsAgent } from 'node:https'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import type { TlsSettings } from '../../config/settings.ts'
import { openConnections, type Route } from '../../http/agent.ts'

/** How long to wait, in milliseconds. */
export interface Patience {
  /** For a connection. */
  readonly connect: number
  /** For a connection through a proxy, which first makes one of its own. */
  readonly connectThroughProxy: number
  /** Without a byte in either direction. */
  readonly idle: number
  /** The same for an object being put together from its parts: servers that copy them are silent for long. */
  readonly idleWhileCompleting: number
}

export const defaultPatience: Patience = {
  connect: 3000,
  connectThroughProxy: 10_000,
  idle: 30_000,
  idleWhileCompleting: 300_000,
}

/** The part of the SDK's own handler that its client calls. */
export type RequestHandler = Pick<
  NodeHttpHandler,
  'handle' | 'destroy' | 'metadata' | 'updateHttpClientConfig' | 'httpHandlerConfigs'
>

/**
 * The SDK's HTTP handler over this program's connections: the way (direct, or which proxy) is chosen by each request's
 * host, since a bucket or a region may have a host of its own. Redirects are never followed, so that credentials stay
 * with the host they were meant for.
 *
 * @throws UsageError where the bundle of certificates cannot be read.
 */
export function createRequestHandler(tls: TlsSettings, patience: Patience = defaultPatience): RequestHandler {
  const connections = openConnections(tls, patience.connect)
  const handlers = new Map<Route, { readonly usual: NodeHttpHandler; readonly completing: NodeHttpHandler }>()

  function handlersFor(route: Route) {
    const known = handlers.get(route)
    if (known !== undefined) return known
    // One agent serves one protocol; the handler takes the field that fits, and it never asks for more than a `Agent`.
    const options = {
      httpAgent: route.agent,
      httpsAgent: route.agent as HttpsAgent,
      // A direct connection has its limit from the agent.
      connectionTimeout: route.proxy === undefined ? 0 : patience.connectThroughProxy,
    }
    const made = {
      usual: new NodeHttpHandler({ ...options, socketTimeout: patience.idle }),
      completing: new NodeHttpHandler({ ...options, socketTimeout: patience.idleWhileCompleting }),
    }
    handlers.set(route, made)
    return made
  }

  return {
    metadata: { handlerProtocol: 'http/1.1' },
    async handle(request, options) {
      const port = request.port === undefined ? '' : `:${request.port}`
      const route = await connections.routeTo(`${request.protocol}//${request.hostname}${port}`)
      const { usual, completing } = handlersFor(route)
      const isComplete = request.method === 'POST' && request.query.uploadId !== undefined
      return (isComplete ? completing : usual).handle(request, options)
    },
    destroy: () => connections.close(),
    // The client may adjust handlers it made itself; this one is complete.
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
  }
}
