import { type AgentOptions, Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent, type AgentOptions as HttpsAgentOptions } from 'node:https'
import { Socket } from 'node:net'
import type { HttpsProxyAgent } from 'https-proxy-agent'
import { getProxyForUrl } from 'proxy-from-env'
import type { TlsSettings } from '../config/settings.ts'
import { UsageError } from '../errors.ts'
import { trustedCertificates } from './certificates.ts'
import { type OpenSocket, openDirect, openTunnel } from './open-socket.ts'
import { type ProxyScene, proxyUnreachable, tunnelRefused } from './proxy-failure.ts'

/** The way to one origin. */
export interface Route {
  readonly agent: HttpAgent
  /** The proxy's host and port, for messages; undefined where the way is direct. Never holds its password. */
  readonly proxy: string | undefined
  /**
   * A connection of the caller's own along this way: it can be written to, its TLS handshake done.
   *
   * @param signal gives it up while it is being made
   */
  open(signal: AbortSignal): Promise<OpenSocket>
  /** What stands before the path in a request: the origin, where a proxy is asked rather than a tunnel made. */
  readonly pathPrefix: string
  /** Headers for the proxy, names and values in turn. */
  readonly proxyHeaders: readonly string[]
}

/** Kept-alive connections, directly or through the proxies the environment names. */
export interface Connections {
  routeTo(origin: string): Promise<Route>
  /** Closes idle connections and cuts busy ones. */
  close(): void
}

/**
 * How long a connection may wait for its next request, in milliseconds. Servers close idle ones after five seconds or
 * so (S3 after about six) without a word, and a request sent into such a close fails; leaving first avoids that.
 */
export const idleLimitMs = 4000

/** Of a route on which requests go as they are. */
const untouched = { pathPrefix: '', proxyHeaders: [] }

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
  const trust = trustedCertificates(tls)
  const secure = (): HttpsAgentOptions => ({ ...shared, ...trust() })
  const routes = new Map<string, Promise<Route>>()
  const agents: HttpAgent[] = []

  async function open(origin: string): Promise<Route> {
    const isTls = origin.startsWith('https:')
    const proxy = proxyFor(origin)
    if (proxy === undefined) {
      const agent = keep(direct(isTls))
      return { agent, proxy: undefined, open: (signal) => openDirect(agent, new URL(origin), signal), ...untouched }
    }
    const scene = { proxy: proxy.host, variable: isTls ? 'HTTPS_PROXY' : 'HTTP_PROXY' }
    if (isTls) {
      const agent = keep(await tunnel(proxy, scene))
      return { agent, proxy: proxy.host, open: (signal) => openTunnel(agent, new URL(origin), signal), ...untouched }
    }
    const agent = keep(await relay(proxy, scene))
    const own = keep(direct(proxy.protocol === 'https:'))
    return {
      agent,
      proxy: proxy.host,
      open: (signal) =>
        openDirect(own, proxy, signal).catch((error) => {
          throw proxyUnreachable(scene, error)
        }),
      pathPrefix: new URL(origin).origin,
      proxyHeaders: authorizationFor(proxy),
    }
  }

  function keep<Kind extends HttpAgent>(agent: Kind): Kind {
    agents.push(agent)
    return agent
  }

  function direct(isTls: boolean): HttpAgent {
    const agent = isTls ? new HttpsAgent(secure()) : new HttpAgent(shared)
    const connect = agent.createConnection
    agent.createConnection = (options, whenMade) => {
      const socket = connect.call(agent, options, whenMade)
      if (socket instanceof Socket) limitConnecting(socket, connectLimitMs)
      return socket
    }
    return agent
  }

  /** Plain requests are handed to the proxy, which passes them on. */
  async function relay(proxy: URL, scene: ProxyScene): Promise<HttpAgent> {
    const { HttpProxyAgent } = await import('http-proxy-agent')
    const options = { ...secure(), secureEndpoint: false }
    const agent = new HttpProxyAgent(proxy, options)
    const connect = agent.connect.bind(agent)
    agent.connect = (request, wanted) =>
      connect(request, wanted).catch((error) => {
        throw proxyUnreachable(scene, error)
      })
    return agent
  }

  async function tunnel(proxy: URL, scene: ProxyScene): Promise<HttpsProxyAgent<string>> {
    const { HttpsProxyAgent } = await import('https-proxy-agent')
    // Stated, since the agent would otherwise look at the call stack, which is another when a connection comes back
    // from a request: kept-alive connections would then be filed under a name nobody asks for.
    const options = { ...secure(), secureEndpoint: true }
    const agent = new HttpsProxyAgent<string>(proxy, options)
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

/** https://www.rfc-editor.org/rfc/rfc9110#field.proxy-authorization */
function authorizationFor({ username, password }: URL): readonly string[] {
  if (username + password === '') return []
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return ['proxy-authorization', `Basic ${Buffer.from(user).toString('base64')}`]
}
