import type { SupabaseUrl } from '../../config/destination-url.ts'
import { type Patience, patienceFor } from '../../http/patience.ts'
import { createWire } from '../../http/send.ts'
import type { Destination, DestinationLimits } from '../destination.ts'
import { partSize, type SupabaseDestinationSettings, type SupabaseEngine, type SupabaseSurroundings } from './engine.ts'
import { refusedBySupabase, toSupabaseUploadError } from './errors.ts'
import { fixName, supabaseKeyProblem } from './names.ts'
import { supabaseProject } from './project.ts'
import { createObjectRequests } from './rest.ts'
import { createKeyComparison } from './stored-key.ts'

/**
 * What projects of a paid plan may allow; what one does allow, its server says.
 * https://supabase.com/docs/guides/storage/uploads/file-limits
 */
const maxObjectSize = 500 * 2 ** 30

const limits: DestinationLimits = {
  maxObjectSize,
  minPartSize: partSize,
  maxPartSize: partSize,
  maxParts: Math.ceil(maxObjectSize / partSize),
  keyProblem: supabaseKeyProblem,
  fixName,
}

/**
 * A bucket of Supabase Storage. Makes no request.
 *
 * @param warn for what the user has to know, once
 * @param otherPatience waiting times other than the usual ones
 * @throws UsageError where no project is named, or a proxy or a bundle of certificates cannot be used.
 */
export async function openSupabaseDestination(
  settings: SupabaseDestinationSettings,
  { url, bucket }: Pick<SupabaseUrl, 'url' | 'bucket'>,
  warn: (message: string) => void = () => {},
  otherPatience: Partial<Patience> = {},
): Promise<Destination> {
  const patience = { ...patienceFor(settings.timeouts), ...otherPatience }
  const project = supabaseProject(settings.supabase)
  const wire = createWire(settings.tls, patience)
  const { host, withoutKey } = project
  const scene = { bucket, host, proxy: project.proxy(project.rest.origin), withoutKey }
  const around: SupabaseSurroundings = {
    settings,
    bucket,
    project,
    patience,
    wire,
    warn,
    compareKey: createKeyComparison(bucket, warn),
    explain: (thrown) => toSupabaseUploadError(thrown, scene),
    refusal: (answer) => refusedBySupabase(answer, scene),
  }
  const engine = await openEngine(around)
  return {
    url,
    endpoint: project.url,
    engine: engine.engine,
    limits,
    ifAbsent: 'checked',
    putObject: engine.putObject,
    small: engine.small,
    ...(engine.multipart === undefined ? {} : { multipart: engine.multipart }),
    ...createObjectRequests(around),
    async close() {
      engine.close()
      wire.close()
    },
  }
}

/** Each engine's code is loaded only where it is used. */
async function openEngine(around: SupabaseSurroundings): Promise<SupabaseEngine> {
  if (around.settings.engine === 'fast') return (await import('./fast.ts')).openFastEngine(around)
  return (await import('./standard.ts')).openStandardEngine(around)
}
