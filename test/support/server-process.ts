import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'

export interface ServerProcess {
  readonly port: number
  /** What it printed so far. */
  readonly log: () => Promise<string>
  /** Ends it; resolves once it is gone. */
  readonly stop: () => Promise<void>
}

export interface ServerCommand {
  readonly command: string
  /** Arguments, given the port it is to listen on (127.0.0.1). */
  readonly args: (port: number) => readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly logFile: string
}

const startAttempts = 3
const readyWithinMs = 15_000
const pollEveryMs = 20
const stopWithinMs = 5_000

/** A loopback port nobody listens on. Somebody may take it before it is used: be ready to try again. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.on('error', reject).listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** Starts a server and waits until its port answers; another port is tried where the first was taken meanwhile. */
export async function startServer(server: ServerCommand): Promise<ServerProcess> {
  let last: unknown
  for (let attempt = 1; attempt <= startAttempts; attempt += 1) {
    const port = await freePort()
    const child = launch(server, port)
    try {
      await answering(child, port)
      return { port, log: () => readFile(server.logFile, 'utf8'), stop: () => stop(child) }
    } catch (error) {
      last = error
      await stop(child)
    }
  }
  const log = await readFile(server.logFile, 'utf8').catch(() => '')
  throw new Error(`${server.command} did not start (${String(last)}). It printed:\n${log.slice(-2000)}`)
}

function launch(server: ServerCommand, port: number): ChildProcess {
  const child = spawn(server.command, server.args(port), {
    cwd: server.cwd,
    env: { PATH: process.env.PATH, HOME: server.cwd, ...server.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const log = createWriteStream(server.logFile, { flags: 'a' })
  child.stdout?.pipe(log)
  child.stderr?.pipe(log)
  child.on('error', (error) => log.write(`${String(error)}\n`))
  // A test run that is ended by force must not leave servers behind.
  const end = () => child.kill('SIGKILL')
  process.once('exit', end)
  child.once('exit', () => process.off('exit', end))
  return child
}

async function answering(child: ChildProcess, port: number): Promise<void> {
  let failed: string | undefined
  child.on('error', (error) => {
    failed = error.message
  })
  child.on('exit', (code) => {
    failed = `exit code ${code}`
  })
  const until = performance.now() + readyWithinMs
  while (performance.now() < until) {
    if (failed !== undefined) throw new Error(failed)
    if (await accepts(port)) return
    await new Promise((resolve) => setTimeout(resolve, pollEveryMs))
  }
  throw new Error(`no answer within ${readyWithinMs} ms`)
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs)
    child.once('exit', () => {
      clearTimeout(timer)
      resolve()
    })
    child.kill('SIGTERM')
  })
}
