import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { places } from './places.mjs'

const limitS = 900

/** Empties the folder a tool works in: home, state, reports. */
export function cleanWork() {
  rmSync(places.work, { recursive: true, force: true })
  for (const folder of ['home', 'state', 'cache', 'config', 'cwd']) {
    mkdirSync(join(places.work, folder), { recursive: true })
  }
}

/**
 * Runs one command and says what its process tree took.
 *
 * @param command `argv` and `env`
 * @param stopWhen where given, a promise: once it holds the command gets a SIGTERM, and being ended by it is no failure
 * @returns seconds, the largest process's peak RSS in MB (10^6 bytes), and what it printed; `failure` says in a line
 *   what went wrong
 */
export async function measure({ argv, env }, { stopWhen } = {}) {
  const [out, stdout, stderr] = ['usage.json', 'stdout', 'stderr'].map((name) => join(places.work, name))
  const streams = [openSync(stdout, 'w'), openSync(stderr, 'w')]
  try {
    const child = spawn(places.sink, ['run', '-out', out, '-limit', `${limitS}s`, ...argv], {
      cwd: join(places.work, 'cwd'),
      env,
      stdio: ['pipe', ...streams],
    })
    // It may be over before it is told to stop.
    child.stdin.on('error', () => {})
    stopWhen?.then(() => child.stdin.write('.'))
    await ended(child)
  } finally {
    for (const stream of streams) closeSync(stream)
  }
  const printed = { stdout: readFileSync(stdout, 'utf8'), stderr: readFileSync(stderr, 'utf8') }
  if (!existsSync(out)) return { failure: `could not be started: ${lastLine(printed.stderr)}`, ...printed }
  const used = JSON.parse(readFileSync(out, 'utf8'))
  return {
    wallS: used.wallS,
    cpuS: used.userS + used.systemS,
    rssMb: (used.maxRssKB * 1024) / 1e6,
    failure: failureOf(used, printed, stopWhen !== undefined),
    ...printed,
  }
}

function ended(child) {
  return new Promise((resolve, reject) => child.on('error', reject).on('close', resolve))
}

function failureOf({ exitCode, timedOut }, { stdout, stderr }, stopped) {
  if (timedOut) return `not done after ${limitS} s`
  if (exitCode === 0 || (stopped && exitCode === 143)) return undefined
  return `exit ${exitCode}: ${lastLine(stderr) || lastLine(stdout) || 'without a word'}`
}

/** The line that says most is the last one that is not a stack's. */
function lastLine(text) {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !/^\s+at /.test(line))
  const told = lines.findLast((line) => /error|fail|denied|refused/i.test(line)) ?? lines.at(-1) ?? ''
  return told.trim().slice(0, 300)
}
