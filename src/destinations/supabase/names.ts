import { refusedBySupabaseNames, refusedInSupabaseNames } from '../../config/supabase-names.ts'
import { escapeNotation, inBytes } from '../../key-notation.ts'

/** Why Supabase cannot hold an object of this key, or `undefined`. */
export function supabaseKeyProblem(key: string): string | undefined {
  if (key === '') return 'an object has to have a key'
  const odd = refusedBySupabaseNames(key)
  if (odd !== undefined) {
    return `Supabase takes no "${odd}" in a key; give --key-fix to have such keys changed, or rename the file`
  }
  // Clients and proxies on the way resolve such segments, so that another object would be meant.
  if (/(^|\/)\.\.?(\/|$)/.test(key)) return 'its key would have a "." or ".." segment'
  return undefined
}

/** A name that Supabase can hold: each character it refuses as its bytes. */
export function fixName(name: string): string {
  return escapeNotation(name).replace(refusedInSupabaseNames, inBytes)
}

/** Nothing in it has to be encoded. */
const plainKey = /^[\w/.~-]*$/

/** A key as it stands in the path of a URL, encoded segment by segment. */
export function encodedKey(key: string): string {
  if (plainKey.test(key)) return key
  return encodeURIComponent(key).replaceAll('%2F', '/')
}
