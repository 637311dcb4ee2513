import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** The program as a user starts it. */
export const program = join(root, 'bin', 'upload.js')

/** The Node it runs on: another than the tests' own where `UPLOAD_TEST_NODE` names one. */
export const node = process.env.UPLOAD_TEST_NODE ?? process.execPath

export interface RunResult {
  /** Exit code, or null where a signal ended it. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  readonly durationMs: number
}

export interface RunOptions {
  readonly cwd: string
  /** Home directory; nothing of the caller's own is seen. */
  readonly home: string
  /** `XDG_STATE_HOME`; null: unset. */
  readonly state: string | null
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly stdin?: string | Buffer | Readable
  /** Runs as this user: root can read and write what nobody else can. */
  readonly uid?: number
  /** In a process group of its own, which `kill` then reaches as a whole. */
  readonly ownGroup?: boolean
  /** The program is killed, and the test fails, after this long. Default 60 s. */
  readonly limitMs?: number
}

export interface RunningUpload {
  readonly child: ChildProcess
  readonly result: Promise<RunResult>
  /** Resolves once the text appears in what came out; rejects where the program ends before it. */
  readonly seen: (stream: 'stdout' | 'stderr', text: string | RegExp) => Promise<void>
  readonly kill: (signal: NodeJS.Signals) => void
}

/** The environment of a machine nobody has set anything on. */
export function cleanEnvironment(options: Pick<RunOptions, 'home' | 'state' | 'env'>): Record<string, string> {
  const env: Record<string, string | undefined> = {
    PATH: process.env.PATH,
    SystemRoot: process.env.SystemRoot,
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    HOME: options.home,
    USERPROFILE: options.home,
    TMPDIR: join(dirname(options.home), 'tmp'),
    XDG_STATE_HOME: options.state ?? undefined,
    // Without it, a run that finds no credentials asks a cloud's address for them and waits.
    AWS_EC2_METADATA_DISABLED: 'true',
    // Coverage of the spawned program, where the tests are run for it.
    NODE_V8_COVERAGE: process.env.NODE_V8_COVERAGE,
    ...options.env,
  }
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined))
}

/** Starts the program and returns at once. */
export function startUpload(args: readonly string[], options: RunOptions): RunningUpload {
  if (!existsSync(join(root, 'dist', 'cli', 'main.js'))) {
    throw new Error('dist/ is missing: build the program first (npm run build).')
  }
  const startedAt = performance.now()
  const child = spawn(node, [program, ...args], {
    cwd: options.cwd,
    env: cleanEnvironment(options),
    stdio: [options.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    detached: options.ownGroup === true,
  })
  const output = { stdout: '', stderr: '' }
  const watchers = new Set<() => void>()
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
      for (const watcher of watchers) watcher()
    })
  }
  feed(child, options.stdin)

  const result = new Promise<RunResult>((resolve, reject) => {
    const limitMs = options.limitMs ?? 60_000
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`upload did not end within ${limitMs} ms: ${args.join(' ')}\n${output.stderr}`))
    }, limitMs)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ code, signal, ...output, durationMs: performance.now() - startedAt })
    })
  })
  result.catch(() => {})

  return {
    child,
    result,
    kill: (signal) => {
      if (options.ownGroup !== true || child.pid === undefined) child.kill(signal)
      else if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, signal)
    },
    seen: (stream, text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (typeof text === 'string' ? !output[stream].includes(text) : !text.test(output[stream])) return
          watchers.delete(look)
          resolve()
        }
        watchers.add(look)
        look()
        const ended = () => reject(new Error(`upload ended without ${text} on ${stream}:\n${output.stderr}`))
        result.then(ended, ended)
      }),
  }
}

/** Runs the program to its end. */
export function runUpload(args: readonly string[], options: RunOptions): Promise<RunResult> {
  return startUpload(args, options).result
}

function feed(child: ChildProcess, stdin: RunOptions['stdin']): void {
  if (stdin === undefined || child.stdin === null) return
  // A program that ends without reading its input closes the pipe: that is its right.
  child.stdin.on('error', () => {})
  if (stdin instanceof Readable) stdin.pipe(child.stdin)
  else child.stdin.end(stdin)
}
