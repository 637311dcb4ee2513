import { Readable } from 'node:stream'
import { vi } from 'vitest'
import { loadSettings } from '../../src/config/load.ts'
import type { UploadEvent } from '../../src/observe/events.ts'
import type { Clock } from '../../src/transfer/clock.ts'
import { systemClock } from '../../src/transfer/clock.ts'
import { runUpload } from '../../src/upload.ts'
import { type Outcome, outcome } from './in-process.ts'
import type { Workspace } from './workspace.ts'

export interface RunAtHour {
  readonly ws: Workspace
  /** What the program's environment needs to reach the server. */
  readonly env: Readonly<Record<string, string>>
  /** Options as the command line has them. */
  readonly flags: Readonly<Record<string, string>>
  /** What the calendar is to say when it begins, in milliseconds since the epoch. */
  readonly nowMs: number
}

/** Uploads `in/` in this process, all of it real but the date. */
export async function runAtHour({ ws, env, flags, nowMs }: RunAtHour): Promise<Outcome> {
  const { cwd, home } = ws
  const all = { ...env, HOME: home, XDG_STATE_HOME: ws.state }
  const began = performance.now()
  const clock: Clock = { ...systemClock, now: () => nowMs + performance.now() - began, random: () => 0.5 }
  const events: UploadEvent[] = []
  // The AWS SDK looks at the process's own environment.
  for (const [name, value] of Object.entries(all)) vi.stubEnv(name, value)
  try {
    const settings = await loadSettings({ flags, args: ['in'], env: all, cwd, home, uid: undefined, nowMs })
    const summary = await runUpload({
      settings,
      argv: ['in'],
      signal: new AbortController().signal,
      listener: (event) => events.push(event),
      surroundings: { cwd, env: { ...process.env, ...all }, stdin: () => Readable.from([]), clock },
    })
    return outcome(summary, events)
  } finally {
    vi.unstubAllEnvs()
  }
}
