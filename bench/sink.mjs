import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { cache, places } from './places.mjs'

const source = fileURLToPath(new URL('sink/', import.meta.url))

/** @throws Error where there is no Go, or the program does not build */
export function buildSink() {
  mkdirSync(cache, { recursive: true })
  const { status, stderr, error } = spawnSync('go', ['build', '-o', places.sink, '.'], {
    cwd: source,
    encoding: 'utf8',
  })
  if (error?.code === 'ENOENT') throw new Error('The sink is written in Go, and there is no go on the path.')
  if (status !== 0) throw new Error(`The sink could not be built:\n${stderr || error?.message}`)
}

/**
 * Starts the sink, on ports the kernel chooses. It ends with this process at the latest.
 *
 * @returns its addresses; `reset({ latency, failShare, rate })`, which begins a new measurement; `stats()`, what it saw
 *   since; `stop()`
 */
export async function startSink() {
  const { child, answer } = await startListening(['serve', '-ca', places.ca])
  return {
    ...answer,
    async reset(behaviour) {
      const query = new URLSearchParams(Object.entries(behaviour).filter(([, value]) => value !== undefined))
      const { ok, status } = await fetch(`${answer.control}/reset?${query}`)
      if (!ok) throw new Error(`The sink did not understand ${query} (${status}).`)
    },
    stats: async () => (await fetch(`${answer.control}/stats`)).json(),
    stop: () => child.stdin.end(),
  }
}

/**
 * Starts a proxy that makes every round trip longer by `latency` ("30ms").
 *
 * @param to host and port it passes connections on to
 */
export async function startProxy(to, latency) {
  const { child, answer } = await startListening(['proxy', '-to', to, '-latency', latency])
  return { address: answer.address, stop: () => child.stdin.end() }
}

/** Its standard input is the leash: whatever ends this process closes it. */
async function startListening(args) {
  const child = spawn(places.sink, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const [line] = await Promise.race([
    createInterface(child.stdout)
      [Symbol.asyncIterator]()
      .next()
      .then(({ value }) => [value]),
    new Promise((_, reject) => child.on('error', reject)),
  ])
  if (line === undefined) throw new Error(`${args[0]} ended before it listened: see above.`)
  child.unref()
  return { child, answer: JSON.parse(line) }
}
