import { createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** One connection, as a script sees it. */
export interface ScriptedConnection {
  readonly socket: Socket
  /** From 1, in the order they were made. */
  readonly number: number
  /** Reads a request with its body; what was read of it, where the connection ends before. */
  readonly request: () => Promise<string>
  /** Reads only a request's first line and headers. */
  readonly head: () => Promise<string>
  /** Answers with no body. */
  readonly answer: (status?: number, ...headers: readonly string[]) => void
  /** Resolves when it is closed. */
  readonly closed: Promise<void>
}

export interface ScriptedServer {
  readonly port: number
  readonly origin: string
  /** Connections made so far. */
  readonly connections: () => number
  /** Those that are open. */
  readonly open: () => number
}

/** A server on loopback that does with each connection what the script says. Gone when the test ends. */
export async function scriptedServer(
  script: (connection: ScriptedConnection) => Promise<void>,
  host = '127.0.0.1',
): Promise<ScriptedServer> {
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    sockets.add(socket)
    script(scripted(socket, connections)).catch((error) => socket.destroy(error))
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => server.on('error', reject).listen(0, host, resolve))
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const { port } = address
  const origin = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  return { port, origin, connections: () => connections, open: () => sockets.size }
}

function scripted(socket: Socket, number: number): ScriptedConnection {
  let received = ''
  let ended = false
  let notice = (): void => {}
  socket.on('error', () => {})
  socket.on('end', () => {
    ended = true
    notice()
  })
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      ended = true
      notice()
      resolve()
    })
  })
  socket.on('data', (bytes: Buffer) => {
    received += bytes.toString('latin1')
    notice()
  })
  const readUntil = async (length: () => number): Promise<string> => {
    while (received.length < length() && !ended) {
      await new Promise<void>((resolve) => {
        notice = resolve
      })
    }
    const read = received.slice(0, length())
    received = received.slice(read.length)
    return read
  }
  const headLength = (): number => {
    const end = received.indexOf('\r\n\r\n')
    return end < 0 ? Number.POSITIVE_INFINITY : end + 4
  }
  return {
    socket,
    number,
    closed,
    head: () => readUntil(headLength),
    request: () =>
      readUntil(() => headLength() + Number(/content-length: (\d+)/i.exec(received.slice(0, headLength()))?.[1] ?? 0)),
    answer: (status = 200, ...headers) => {
      socket.write(`${[`HTTP/1.1 ${status} X`, 'Content-Length: 0', ...headers].join('\r\n')}\r\n\r\n`)
    },
  }
}
