import { createServer, request as httpRequest } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

/** What a proxy was asked. */
interface ProxiedRequest {
  readonly method: string
  /** A URL; for CONNECT, host and port. */
  readonly target: string
  readonly authorization: string | undefined
}

export interface ForwardProxy {
  readonly url: string
  readonly host: string
  readonly requests: readonly ProxiedRequest[]
  /** Connections made to it so far. */
  connections(): number
  close(): Promise<void>
}

/**
 * A forward proxy on loopback. Whatever host it is asked for, it goes to `port` on this machine: so names need no DNS.
 *
 * @param password asked for (407) when given
 */
export async function startForwardProxy(port: number, password?: string): Promise<ForwardProxy> {
  const requests: ProxiedRequest[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const allowed = (authorization: string | undefined) =>
    password === undefined || authorization === `Basic ${Buffer.from(`user:${password}`).toString('base64')}`

  const server = createServer((req, res) => {
    const authorization = req.headers['proxy-authorization']
    requests.push({ method: req.method ?? '', target: req.url ?? '', authorization })
    if (!allowed(authorization)) {
      res.writeHead(407, { 'proxy-authenticate': 'Basic' }).end()
      return
    }
    const { pathname, search } = new URL(req.url ?? '')
    const headers = { ...req.headers }
    delete headers['proxy-authorization']
    delete headers['proxy-connection']
    const onward = httpRequest(
      { host: '127.0.0.1', port, method: req.method, path: pathname + search, headers },
      (answer) => {
        res.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(res)
      },
    )
    onward.on('error', () => res.destroy())
    req.pipe(onward)
  })
  server.on('connect', (req, socket: Socket) => {
    const authorization = req.headers['proxy-authorization']
    requests.push({ method: 'CONNECT', target: req.url ?? '', authorization })
    if (!allowed(authorization)) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n')
      return
    }
    const onward = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    onward.on('error', () => socket.destroy())
    socket.on('error', () => onward.destroy())
  })
  server.on('connection', (socket: Socket) => {
    connections++
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: `http://${host}`,
    host,
    requests,
    connections: () => connections,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
