import { onTestFinished } from 'vitest'
import type { ObjectToPut } from '../../../../src/destinations/destination.ts'
import {
  partSize,
  type SupabaseDestinationSettings,
  type SupabaseEngine,
  type SupabaseSurroundings,
} from '../../../../src/destinations/supabase/engine.ts'
import { refusedBySupabase, toSupabaseUploadError } from '../../../../src/destinations/supabase/errors.ts'
import { supabaseProject } from '../../../../src/destinations/supabase/project.ts'
import { openStandardEngine } from '../../../../src/destinations/supabase/standard.ts'
import { createKeyComparison } from '../../../../src/destinations/supabase/stored-key.ts'
import { patienceFor } from '../../../../src/http/patience.ts'
import { createWire } from '../../../../src/http/send.ts'
import { defaultSettings } from '../../../support/settings.ts'
import { type SeenRequest, type SupabaseFake, startSupabaseFake } from '../../../support/supabase-fake.ts'

export const bucket = 'audio'

/** A stand-in for Supabase with one bucket, until the test ends. */
export async function aSupabase(...options: Parameters<typeof startSupabaseFake>): Promise<SupabaseFake> {
  const [given = {}] = options
  const supabase = await startSupabaseFake({ lockDrainMs: 1, ...given })
  onTestFinished(supabase.close)
  supabase.makeBucket(bucket)
  return supabase
}

interface EngineOptions extends Partial<SupabaseDestinationSettings> {
  readonly idleMs?: number
  readonly completingMs?: number
  readonly onWarning?: (message: string) => void
}

/** The standard engine for a project. */
export function standardEngine(
  { url, key }: { url: string; key: string },
  options: EngineOptions = {},
): SupabaseEngine {
  const { idleMs, completingMs, onWarning = () => {}, ...over } = options
  const settings = { ...defaultSettings, supabase: { url }, ...over }
  const patience = {
    ...patienceFor(settings.timeouts),
    ...(idleMs === undefined ? {} : { idle: idleMs, idleWhileAnswering: idleMs }),
    ...(completingMs === undefined ? {} : { idleWhileCompleting: completingMs }),
  }
  const project = supabaseProject(settings.supabase, { SUPABASE_SERVICE_ROLE_KEY: key })
  const wire = createWire(settings.tls, patience)
  const scene = { bucket, host: project.host }
  const around: SupabaseSurroundings = {
    settings,
    bucket,
    project,
    patience,
    wire,
    warn: onWarning,
    compareKey: createKeyComparison(bucket, onWarning),
    explain: (thrown) => toSupabaseUploadError(thrown, scene),
    refusal: (answer) => refusedBySupabase(answer, scene),
  }
  onTestFinished(wire.close)
  return openStandardEngine(around)
}

export function anObject(over: Partial<ObjectToPut> = {}): ObjectToPut {
  return { key: 'in/take 1.wav', contentType: 'audio/wav', partSize, ...over }
}

/** What was asked for, in order. */
export function methods({ requests }: SupabaseFake): readonly string[] {
  return requests.map(({ method }) => method)
}

/** Does something to one PATCH alone, counted from 1. */
export function onPatch(number: number, fault: SupabaseFake['intercept']): SupabaseFake['intercept'] {
  let seen = 0
  return (request: SeenRequest) => {
    if (request.method !== 'PATCH') return undefined
    seen += 1
    return seen === number ? fault?.(request) : undefined
  }
}
