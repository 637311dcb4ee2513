import { type AgentOptions, Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent, type AgentOptions as HttpsAgentOptions } from 'node:https'
import { getProxyForUrl } from 'proxy-from-env'
import type { TlsSettings } from '../config/settings.ts'
import { UsageError } from '../errors.ts'
import { trustedCertificates } from './certificates.ts'

/** The way to one origin. */
export interface Route {
  readonly agent: HttpAgent
  /** The proxy's host and port, for messages; undefined where the way is direct. Never holds its password. */
  readonly proxy: string | undefined
}

/** Kept-alive connections, directly or through the proxies the environment names. */
export interface Connections {
  routeTo(origin: string): Promise<Route>
  /** Closes idle connections and cuts busy ones. */
  close(): void
}

/**
 * Servers close idle connections after five seconds or so without a word (S3 after about six); a request sent into
 * such a close fails. Leaving first avoids that.
 */
const idleLimitMs = 4000

/**
 * Connections for one destination. The number of sockets is not limited here: the transfer bounds the requests, and a
 * request that waits for a socket would count as a connection that cannot be made.
 *
 * @throws UsageError where the bundle of certificates cannot be read.
 */
export function openConnections(tls: TlsSettings): Connections {
  const shared: AgentOptions = {
    keepAlive: true,
    maxSockets: Number.POSITIVE_INFINITY,
    maxFreeSockets: 4096,
    timeout: idleLimitMs,
  }
  const secure: HttpsAgentOptions = { ...shared, ...trustedCertificates(tls) }
  const routes = new Map<string, Promise<Route>>()
  const agents: HttpAgent[] = []

  async function open(origin: string): Promise<Route> {
    const isTls = origin.startsWith('https:')
    const proxy = proxyFor(origin)
    const agent = proxy === undefined ? direct(isTls) : await through(proxy, isTls)
    agents.push(agent)
    return { agent, proxy: proxy?.host }
  }

  function direct(isTls: boolean): HttpAgent {
    return isTls ? new HttpsAgent(secure) : new HttpAgent(shared)
  }

  async function through(proxy: URL, isTls: boolean): Promise<HttpAgent> {
    if (!isTls) {
      const { HttpProxyAgent } = await import('http-proxy-agent')
      return new HttpProxyAgent(proxy, secure)
    }
    const { HttpsProxyAgent } = await import('https-proxy-agent')
    const agent = new HttpsProxyAgent(proxy, secure)
    // What the constructor takes goes for the connection to the proxy; these go for the one inside the tunnel.
    Object.assign(agent.options, secure)
    return agent
  }

  return {
    routeTo(origin) {
      const known = routes.get(origin)
      if (known !== undefined) return known
      const route = open(origin)
      routes.set(origin, route)
      return route
    },
    close() {
      for (const agent of agents) agent.destroy()
    },
  }
}

/**
 * The proxy the environment names for requests to `origin`, or undefined.
 *
 * @throws UsageError where it is none this program can use. The value is not repeated: it may hold a password.
 */
export function proxyFor(origin: string): URL | undefined {
  const value = getProxyForUrl(origin)
  if (value === '') return undefined
  const variable = origin.startsWith('https:') ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  if (!URL.canParse(value)) throw new UsageError(`${variable} is no URL; expected http://host:port`)
  const proxy = new URL(value)
  if (proxy.protocol === 'http:' || proxy.protocol === 'https:') return proxy
  throw new UsageError(`${variable} names a ${proxy.protocol}// proxy; expected http://host:port or https://host:port`)
}
