import { partSize, type SupabaseEngine, type SupabaseSurroundings } from './engine.ts'
import { createStandardResumable } from './standard-resumable.ts'
import { createStandardUpload } from './standard-upload.ts'

/**
 * The engine of the vendors' own libraries: supabase-js up to 6 MiB, tus-js-client above. They are given this program's
 * wire to send by. There are no multipart uploads that could be called part by part: tus-js-client cuts its own.
 */
export function openStandardEngine(around: SupabaseSurroundings): SupabaseEngine {
  const upload = createStandardUpload(around)
  const resumable = createStandardResumable(around)
  return {
    engine: 'standard',
    putObject: (object, body, call) => (body.size > partSize ? resumable : upload)(object, body, call),
    close() {},
  }
}
