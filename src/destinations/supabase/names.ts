import { refusedBySupabaseNames, refusedInSupabaseNames } from '../../config/supabase-names.ts'

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

/** What reads as a byte in {@link fixName}'s notation. */
const readsAsByte = /=(?=[\dA-F]{2})/g

/**
 * A name that Supabase can hold. Each character it refuses is written as its UTF-8 bytes, `=C3=A9` for "é", as
 * quoted-printable has it: https://www.rfc-editor.org/rfc/rfc2045#section-6.7. A `=` of the name's own that could be
 * read as one of these becomes `=3D`: so that no two names become one, and each can be read back.
 */
export function fixName(name: string): string {
  return name.replace(readsAsByte, '=3D').replace(refusedInSupabaseNames, inBytes)
}

function inBytes(character: string): string {
  // Half of a surrogate pair has no bytes of its own; such a name stays what it is, and is refused.
  if (!character.isWellFormed()) return character
  let text = ''
  for (const byte of Buffer.from(character)) text += `=${byte.toString(16).toUpperCase().padStart(2, '0')}`
  return text
}

/** Nothing in it has to be encoded. */
const plainKey = /^[\w/.~-]*$/

/** A key as it stands in the path of a URL, encoded segment by segment. */
export function encodedKey(key: string): string {
  if (plainKey.test(key)) return key
  return encodeURIComponent(key).replaceAll('%2F', '/')
}
