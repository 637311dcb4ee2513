import { mkdir } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { onTestFinished, vi } from 'vitest'
import type { Settings } from '../../src/config/settings.ts'
import type { UploadEvent } from '../../src/observe/events.ts'
import { runUpload } from '../../src/upload.ts'
import { fastClock, type Outcome, outcome, type UploadOptions } from '../support/in-process.ts'
import { defaultSettings } from '../support/settings.ts'
import { type SupabaseFake, startSupabaseFake } from '../support/supabase-fake.ts'
import { type Workspace, workspace } from '../support/workspace.ts'
import { partSize } from './supabase-scene.ts'

/** Runs in this process, their clock a fast one, against a stand-in. */
export interface SupabaseRuns {
  readonly ws: Workspace
  readonly supabase: SupabaseFake
  /** Uploads `in/` into `supabase://audio/`, unless `settings` say otherwise. */
  readonly upload: (settings?: Partial<Settings>, options?: UploadOptions) => Promise<Outcome>
  /** Bytes of parts that the server received. */
  readonly received: () => number
  readonly asked: (method: string) => number
}

export async function supabaseRuns(): Promise<SupabaseRuns> {
  const ws = await workspace()
  const supabase = await startSupabaseFake({ lockDrainMs: 20 })
  onTestFinished(() => supabase.close())
  supabase.makeBucket('audio', { wantsWholeParts: true })
  await mkdir(ws.path('in'))
  const of = (method: string) => supabase.requests.filter((one) => one.protocol === 'tus' && one.method === method)
  return {
    ws,
    supabase,
    received: () => of('PATCH').reduce((sum, { bytes }) => sum + bytes, 0),
    asked: (method) => of(method).length,
    upload: async (settings = {}, { signal = new AbortController().signal, onWait = async () => {} } = {}) => {
      const env = { SUPABASE_SERVICE_ROLE_KEY: supabase.key, HOME: ws.home, XDG_STATE_HOME: ws.state }
      // The key is never part of the settings: it is read from the process's own environment.
      for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
      const events: UploadEvent[] = []
      try {
        const summary = await runUpload({
          settings: {
            ...defaultSettings,
            to: 'supabase://audio/',
            supabase: { url: supabase.url },
            partSize,
            multipartThreshold: partSize,
            ...settings,
          },
          argv: ['in', '--to', 'supabase://audio/'],
          signal,
          listener: (event) => events.push(event),
          surroundings: {
            cwd: ws.cwd,
            env: { ...process.env, ...env },
            stdin: () => Readable.from([]),
            clock: fastClock(onWait),
          },
        })
        return outcome(summary, events)
      } finally {
        vi.unstubAllEnvs()
      }
    },
  }
}
