import { EventEmitter, once } from 'node:events'
import type { Agent, AgentOptions, ClientRequest } from 'node:http'
import { isIP, type Socket } from 'node:net'
import type { HttpsProxyAgent } from 'https-proxy-agent'

type TunnelOptions = Parameters<HttpsProxyAgent<string>['connect']>[1]

/** A connection that stands, and what comes on it. */
export interface OpenSocket {
  readonly socket: Socket
  /** Whoever reads from it. What it is given is not its own: the next bytes come to the same place. */
  onBytes(listener: (bytes: Buffer) => void): void
}

/**
 * What any connection receives comes here first: answers are short, and to allocate 64 KiB for each, as sockets do,
 * costs as much as to read it. One place will do, since each is read before the next comes.
 */
const received = Buffer.alloc(64 * 1024)

/**
 * A connection that an agent makes, with its certificates and limits, but does not keep.
 *
 * @param signal gives it up while it is being made
 */
export async function openDirect(agent: Agent, url: URL, signal: AbortSignal): Promise<OpenSocket> {
  let listener = (_bytes: Buffer): void => {}
  const onread = {
    buffer: received,
    callback(length: number): boolean {
      listener(received.subarray(0, length))
      return true
    },
  }
  const options = { ...optionsFor(agent, url), onread }
  // By this name the agent finds TLS sessions again.
  const named = { ...options, _agentKey: agent.getName(options) }
  const socket = await established(agent.createConnection(named, () => {}) as Socket, url, signal)
  return {
    socket,
    onBytes(wanted) {
      listener = wanted
    },
  }
}

/** A TLS connection to `url` through a proxy; as {@link openDirect}. */
export async function openTunnel(agent: HttpsProxyAgent<string>, url: URL, signal: AbortSignal): Promise<OpenSocket> {
  // Of the request it makes the connection for, the agent only wants to tell what happens.
  const request = new EventEmitter() as ClientRequest
  const options = { ...optionsFor(agent, url), secureEndpoint: true } as TunnelOptions
  const shared = agent.connectOpts
  // Read as soon as the agent is asked. The socket to the proxy is not seen before the proxy has answered: without the
  // signal, one that never answers would be held for ever.
  agent.connectOpts = { ...shared, signal }
  const connecting = agent.connect(request, options)
  agent.connectOpts = shared
  const socket = await established(await connecting, url, signal)
  return { socket, onBytes: (listener) => void socket.on('data', listener) }
}

function optionsFor(agent: Agent, { protocol, hostname, port }: URL) {
  const host = hostname.replace(/^\[|\]$/g, '')
  // The agent's own limit is for connections that idle in its pool.
  const { options } = agent as Agent & { readonly options: AgentOptions }
  // An agent asked for a connection alone leaves out the name by which a server chooses its certificate.
  const servername = isIP(host) === 0 ? host : ''
  return { ...options, host, servername, port: Number(port) || (protocol === 'https:' ? 443 : 80), timeout: 0 }
}

/** Waits until bytes can be sent. From then on a failure is the caller's to listen for, but never ends the process. */
async function established(socket: Socket, { protocol }: URL, signal: AbortSignal): Promise<Socket> {
  socket.on('error', () => {})
  try {
    if (protocol === 'https:') await once(socket, 'secureConnect', { signal })
    else if (socket.connecting) await once(socket, 'connect', { signal })
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  }
}
