import { supabaseKeyProblem } from '../supabase/names.ts'

const maxKeyBytes = 1024

/**
 * Why S3 cannot hold an object of this key, or `undefined`.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
 */
export function keyProblem(key: string): string | undefined {
  if (key === '') return 'an object has to have a key'
  const bytes = Buffer.byteLength(key)
  if (bytes > maxKeyBytes) return `its key would have ${bytes} bytes; S3 holds at most ${maxKeyBytes}`
  // Clients and proxies on the way resolve such segments, so that another object would be meant.
  if (/(^|\/)\.\.?(\/|$)/.test(key)) return 'its key would have a "." or ".." segment'
  if (/\p{Surrogate}/u.test(key)) return 'its key is not valid Unicode'
  return undefined
}

/** The same of Supabase's S3 endpoint, which has its own rule for keys whatever the protocol. */
export function keyProblemAtSupabase(key: string): string | undefined {
  return keyProblem(key) ?? supabaseKeyProblem(key)
}
