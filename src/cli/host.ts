import type { Environment } from '../config/environment.ts'

/** A stream the program writes to; a terminal has a size. */
export interface Output extends NodeJS.WritableStream {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
  readonly rows?: number | undefined
}

/** What the command line takes from the process it runs in; tests pass their own. */
export interface Host {
  /** Called once the program's code is loaded and its work begins. */
  readonly onLoaded?: (() => void) | undefined
  readonly stdout: Output
  readonly stderr: Output
  /** Where answers to questions come from; called only where one is asked: to open it keeps a process alive. */
  readonly stdin?: (() => NodeJS.ReadableStream & { readonly isTTY?: boolean | undefined }) | undefined
  readonly env: Environment
  readonly cwd: string
  /** The user's home directory, if there is one. */
  readonly home: string | undefined
  /** The user's id; undefined where the system has none (Windows). */
  readonly uid: number | undefined
  /** Calls `listener` at each such signal until the function returned is called. */
  onSignal(signal: 'SIGINT' | 'SIGTERM', listener: () => void): () => void
  /** Ends the process on the spot. */
  exitNow(code: number): void
}
