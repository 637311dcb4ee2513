import { mkdir } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { vi } from 'vitest'
import type { Settings } from '../../src/config/settings.ts'
import type { EngineName } from '../../src/destinations/destination.ts'
import type { UploadEvent } from '../../src/observe/events.ts'
import type { FileRecord, SummaryRecord } from '../../src/observe/records.ts'
import type { Clock } from '../../src/transfer/clock.ts'
import { patienceAfterStopMs } from '../../src/transfer/trouble/patience.ts'
import { runUpload } from '../../src/upload.ts'
import { s3Environment, s3Fake } from './s3-environment.ts'
import type { S3Fake, S3FakeOptions } from './s3-fake.ts'
import { defaultSettings } from './settings.ts'
import { type Workspace, workspace } from './workspace.ts'

/** A run in this process, its clock a fast one. */
export interface InProcess {
  readonly ws: Workspace
  readonly s3: S3Fake
  /** Uploads `in/` into `s3://bucket/`, unless `settings` say otherwise. */
  readonly upload: (settings?: Partial<Settings>, options?: UploadOptions) => Promise<Outcome>
}

export interface UploadOptions {
  readonly signal?: AbortSignal
  /** Called where the run would wait for another attempt. */
  readonly onWait?: () => Promise<void>
}

export interface Outcome {
  readonly summary: SummaryRecord
  readonly files: readonly FileRecord[]
  /** The line of the file whose source name this is. */
  readonly file: (source: string) => FileRecord
  readonly events: readonly UploadEvent[]
  /** The waits between attempts, in milliseconds, in order. */
  readonly waits: readonly number[]
}

interface InProcessOptions extends S3FakeOptions {
  readonly engine?: EngineName
}

/** A scripted server and a workspace for one test. */
export async function inProcess({ engine = 'fast', ...options }: InProcessOptions = {}): Promise<InProcess> {
  const ws = await workspace()
  const s3 = await s3Fake(options)
  await mkdir(ws.path('in'))
  return {
    ws,
    s3,
    upload: async (settings = {}, { signal = new AbortController().signal, onWait = async () => {} } = {}) => {
      const env = { ...s3Environment(s3), HOME: ws.home, XDG_STATE_HOME: ws.state }
      // The AWS SDK looks at the process's own environment.
      for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
      const clock = fastClock(onWait)
      const events: UploadEvent[] = []
      try {
        const summary = await runUpload({
          settings: {
            ...defaultSettings,
            engine,
            s3: { ...defaultSettings.s3, endpointUrl: s3.url, region: 'us-east-1' },
            ...settings,
          },
          argv: ['in', '--to', 's3://bucket/'],
          signal,
          listener: (event) => events.push(event),
          surroundings: { cwd: ws.cwd, env: { ...process.env, ...env }, stdin: () => Readable.from([]), clock },
        })
        return outcome(summary, events)
      } finally {
        vi.unstubAllEnvs()
      }
    },
  }
}

export function outcome(summary: SummaryRecord, events: readonly UploadEvent[]): Outcome {
  const files = events.flatMap((event) => (event.type === 'file' ? [event.file] : []))
  const file = (source: string) => {
    const found = files.find((one) => one.source === source)
    if (found === undefined) throw new Error(`no line for ${source}`)
    return found
  }
  const waits = events.flatMap((event) => (event.type === 'file-retry' ? [event.delayMs] : []))
  return { summary, files, file, events, waits }
}

/** How much faster than the world's this clock goes while something waits. */
const speed = 100

/**
 * Time that flies where it is waited for; always the longest wait that chance allows. How long a stopped run waits for
 * its end is no wait but a limit: what has to be done by then, on the disk too, takes its time.
 */
export function fastClock(onWait: () => Promise<void>): Clock {
  let skipped = 0
  return {
    now: () => Date.now() + skipped,
    elapsed: () => performance.now() + skipped,
    sleep: async (ms, signal) => {
      signal.throwIfAborted()
      await onWait()
      const realMs = ms === patienceAfterStopMs ? ms : ms / speed
      await sleep(realMs, undefined, { signal })
      skipped += ms - realMs
    },
    random: () => 0.999,
  }
}

/** The default retry settings with some of them changed. */
export function retry(changes: Partial<Settings['retry']>): Settings['retry'] {
  return { ...defaultSettings.retry, ...changes }
}
