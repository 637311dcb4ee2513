/** Where a text stops being JSON. Both from 1; a column counts UTF-16 units, as editors do. */
export interface JsonFault {
  readonly line: number
  readonly column: number
  readonly expected: string
}

const tokens = {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON has none of them in strings
  string: /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y,
  scalar: /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y,
} as const

/**
 * Finds what `JSON.parse` refused a text for: its own message gives no position on some Node versions, and quotes the
 * text, secrets included.
 */
export function findJsonFault(text: string): JsonFault {
  let at = 0
  const expected = value() ?? 'the end of the file'
  const lines = text.slice(0, at).split(/\r\n|\r|\n/)
  return { line: lines.length, column: (lines.at(-1) as string).length + 1, expected }

  /** Each of these steps over what it stands for, or says what it expected instead. */
  function value(): string | undefined {
    skipSpace()
    if (text[at] === '{') return members('}', member)
    if (text[at] === '[') return members(']', value)
    const found = text[at] === '"' ? token(tokens.string) : token(tokens.scalar)
    skipSpace()
    if (found) return undefined
    return text[at] === '"' ? 'a string that ends on its line, its \\ and control characters escaped' : 'a value'
  }

  function member(): string | undefined {
    skipSpace()
    if (!token(tokens.string)) return 'a key in double quotes'
    skipSpace()
    return token(/:/y) ? value() : '":"'
  }

  function members(close: '}' | ']', one: () => string | undefined): string | undefined {
    at += 1
    skipSpace()
    if (text[at] !== close) {
      do {
        const problem = one()
        if (problem !== undefined) return problem
      } while (token(/,/y))
    }
    if (text[at] !== close) return `"," or "${close}"`
    at += 1
    skipSpace()
    return undefined
  }

  function token(form: RegExp): boolean {
    form.lastIndex = at
    const found = form.exec(text)?.[0]
    at += found?.length ?? 0
    return found !== undefined
  }

  function skipSpace(): void {
    token(/[ \t\r\n]*/y)
  }
}
