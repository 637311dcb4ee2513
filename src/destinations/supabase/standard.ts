import { createNodeWire } from '../../http/node-wire.ts'
import { partSize, type SupabaseEngine, type SupabaseSurroundings } from './engine.ts'
import { createStandardResumable } from './standard-resumable.ts'
import { createStandardUpload } from './standard-upload.ts'

/**
 * The engine of the vendors' own libraries: supabase-js up to 6 MiB, tus-js-client above, both over Node's own HTTP
 * client. There are no multipart uploads that could be called part by part: tus-js-client cuts its own.
 *
 * @throws UsageError where the bundle of certificates cannot be read.
 */
export function openStandardEngine(around: SupabaseSurroundings): SupabaseEngine {
  const wire = createNodeWire(around.settings.tls, around.patience)
  const own: SupabaseSurroundings = { ...around, wire }
  const upload = createStandardUpload(own)
  const resumable = createStandardResumable(own)
  return {
    engine: 'standard',
    putObject: (object, body, call) => (body.size > partSize ? resumable : upload)(object, body, call),
    close: () => wire.close(),
  }
}
