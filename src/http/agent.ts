import { type AgentOptions, Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent, type AgentOptions as HttpsAgentOptions } from 'node:https'
import { Socket } from 'node:net'
import { getProxyForUrl } from 'proxy-from-env'
import type { TlsSettings } from '../config/settings.ts'
import { UsageError } from '../errors.ts'
import { trustedCertificates } from './certificates.ts'
import { proxyUnreachable, tunnelRefused } from './proxy-failure.ts'

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

/** How long one connection may take to be made, in milliseconds. */
const defaultConnectLimitMs = 3000

/**
 * Connections for one destination. The number of sockets is not limited here: the transfer bounds the requests, and a
 * request that waits for a socket would count as a connection that cannot be made.
 *
 * @throws UsageError where the bundle of certificates cannot be read.
 */
export function openConnections(tls: TlsSettings, connectLimitMs = defaultConnectLimitMs): Connections {
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
    const agent = isTls ? new HttpsAgent(secure) : new HttpAgent(shared)
    const connect = agent.createConnection
    agent.createConnection = (options, whenMade) => {
      const socket = connect.call(agent, options, whenMade)
      if (socket instanceof Socket) limitConnecting(socket, connectLimitMs)
      return socket
    }
    return agent
  }

  async function through(proxy: URL, isTls: boolean): Promise<HttpAgent> {
    // Stated, since the agents would otherwise look at the call stack, which is another when a connection comes back
    // from a request: kept-alive connections would then be filed under a name nobody asks for.
    const options = { ...secure, secureEndpoint: isTls }
    const scene = { proxy: proxy.host, variable: isTls ? 'HTTPS_PROXY' : 'HTTP_PROXY' }
    if (!isTls) {
      const { HttpProxyAgent } = await import('http-proxy-agent')
      const agent = new HttpProxyAgent(proxy, options)
      const connect = agent.connect.bind(agent)
      agent.connect = (request, wanted) =>
        connect(request, wanted).catch((error) => {
          throw proxyUnreachable(scene, error)
        })
      return agent
    }
    const { HttpsProxyAgent } = await import('https-proxy-agent')
    const agent = new HttpsProxyAgent(proxy, options)
    // What the constructor takes goes for the connection to the proxy; these go for the one inside the tunnel.
    Object.assign(agent.options, options)
    const connect = agent.connect.bind(agent)
    agent.connect = async (request, wanted) => {
      let status = 200
      request.once('proxyConnect', (answer: { readonly statusCode: number }) => {
        status = answer.statusCode
      })
      const socket = await connect(request, wanted).catch((error) => {
        throw proxyUnreachable(scene, error)
      })
      if (status === 200) return socket
      // The agent would hand the proxy's answer on as if it were the server's.
      socket.destroy()
      throw tunnelRefused(scene, status)
    }
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
 * Gives up a socket that is not connected in time. A timer alone would be unjust: where a thousand requests begin at
 * once it may well run before the connections that stand have been looked at.
 */
function limitConnecting(socket: Socket, limitMs: number): void {
  const giveUp = () => {
    if (!socket.connecting) return
    socket.destroy(Object.assign(new Error('the connection was not made in time'), { code: 'ETIMEDOUT' }))
  }
  const timer = setTimeout(() => setImmediate(giveUp), limitMs)
  socket.once('connect', () => clearTimeout(timer))
  socket.once('close', () => clearTimeout(timer))
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
