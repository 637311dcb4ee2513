/**
 * How a key is written that cannot be held as it is: each character in question as its UTF-8 bytes, `=C3=A9` for "é", as
 * quoted-printable has it: https://www.rfc-editor.org/rfc/rfc2045#section-6.7. A `=` of the name's own that could be read
 * as one of these becomes `=3D`: so that no two names become one, and each can be read back.
 */

/** What reads as a byte. */
const readsAsByte = /=(?=[\dA-F]{2})/g

/** To come first: what is in the notation from then on was put there by it. */
export function escapeNotation(name: string): string {
  return name.replace(readsAsByte, '=3D')
}

/** Characters as their bytes. */
export function inBytes(characters: string): string {
  // Half of a surrogate pair has no bytes of its own; such a name stays what it is, and is refused.
  if (!characters.isWellFormed()) return characters
  let text = ''
  for (const byte of Buffer.from(characters)) text += `=${byte.toString(16).toUpperCase().padStart(2, '0')}`
  return text
}
