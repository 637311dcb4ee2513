const printableAscii = /^[\x20-\x7e]*$/
// C0 and C1 controls, DEL, line and paragraph separators, and what turns the direction of the text after it.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const unsafe = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g
const shortEscapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** Whether `text` has nothing but printable ASCII: the usual case, and one that needs no closer look. */
export function isPlain(text: string): boolean {
  return printableAscii.test(text)
}

/**
 * `text` on one line and without what could move a terminal's cursor, change its colours or turn the direction of
 * its text: such characters are shown as `\n`, `\x1b`, `\u202e`.
 */
export function printable(text: string): string {
  if (isPlain(text)) return text
  return text.replace(unsafe, (character) => {
    const code = character.charCodeAt(0)
    const long = code > 0xff ? `\\u${code.toString(16)}` : `\\x${code.toString(16).padStart(2, '0')}`
    return shortEscapes[character] ?? long
  })
}
