import { Agent, createServer, request } from 'node:http'
import { onTestFinished } from 'vitest'

export interface RefusingProxy {
  readonly url: string
  /** Requests it answered itself. */
  readonly refused: () => number
}

const answer =
  '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InternalError</Code><Message>out of order</Message></Error>'

/**
 * A door before an S3 server: objects of some keys are answered 500 there, whoever asks for them; all else goes through
 * as it came, Host header included. Gone when the test ends.
 *
 * @param to the server's endpoint
 * @param refuses asked for each request, with the key (path style)
 */
export async function refusingProxy(to: string, refuses: (key: string) => boolean): Promise<RefusingProxy> {
  const { hostname, port } = new URL(to)
  const agent = new Agent({ keepAlive: true })
  let refused = 0
  const server = createServer((asked, answered) => {
    const key = decodeURIComponent((asked.url ?? '').replace(/\?.*/, '').split('/').slice(2).join('/'))
    if (refuses(key)) {
      refused += 1
      asked.resume()
      asked.on('end', () => answered.writeHead(500, { 'content-type': 'application/xml' }).end(answer))
      return
    }
    const { method, url, rawHeaders } = asked
    const onward = request({ agent, hostname, port, method, path: url, headers: rawHeaders, setHost: false })
    onward.on('response', (came) => {
      answered.writeHead(came.statusCode ?? 502, came.headers)
      came.pipe(answered)
    })
    onward.on('error', () => answered.destroy())
    asked.pipe(onward)
  })
  await new Promise<void>((resolve, reject) => server.on('error', reject).listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    agent.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { url: `http://127.0.0.1:${address.port}`, refused: () => refused }
}
