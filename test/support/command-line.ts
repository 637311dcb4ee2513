/**
 * The words of a command line as a POSIX shell would make them: quotes and backslashes, no expansion of any kind. With
 * it a test's name is the very line a user would type.
 */
function words(line: string): string[] {
  const found: string[] = []
  let word: string | undefined
  let quote: '"' | "'" | undefined
  for (let at = 0; at < line.length; at += 1) {
    const char = line.charAt(at)
    if (quote !== undefined) {
      if (char === quote) quote = undefined
      else word = `${word ?? ''}${char}`
    } else if (char === '"' || char === "'") {
      quote = char
      word ??= ''
    } else if (char === '\\') {
      at += 1
      word = `${word ?? ''}${line.charAt(at)}`
    } else if (char === ' ') {
      if (word !== undefined) found.push(word)
      word = undefined
    } else {
      word = `${word ?? ''}${char}`
    }
  }
  if (quote !== undefined) throw new Error(`Unclosed ${quote} in: ${line}`)
  if (word !== undefined) found.push(word)
  return found
}

export interface CommandLine {
  /** `NAME=value` words before the command. */
  readonly env: Readonly<Record<string, string>>
  /** What stands after the command's name. */
  readonly args: readonly string[]
}

/** Takes `UPLOAD_TO=file:./out upload ./a.wav` apart. */
export function parseCommandLine(line: string): CommandLine {
  const all = words(line)
  const at = all.indexOf('upload')
  if (at === -1) throw new Error(`No "upload" in: ${line}`)
  const env: Record<string, string> = {}
  for (const assignment of all.slice(0, at)) {
    const equals = assignment.indexOf('=')
    if (equals < 1) throw new Error(`"${assignment}" stands before the command and is no NAME=value: ${line}`)
    env[assignment.slice(0, equals)] = assignment.slice(equals + 1)
  }
  return { env, args: all.slice(at + 1) }
}
