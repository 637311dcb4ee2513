import { compileToken, type KeyTemplate, tokenFault, tokenName } from './key-tokens.ts'
import { directoryOf } from './object-key.ts'

/** Fixed text and tokens in turn: text has even positions. */
function piecesOf(template: string): string[] {
  return template.split(/(\{[^{}]*\})/)
}

/** The names of the tokens in a template. */
function tokensOf(template: string): readonly string[] {
  return piecesOf(template)
    .filter((_, position) => position % 2 === 1)
    .map((piece) => tokenName(piece.slice(1, -1)))
}

/** Everything that is wrong with a `--key` template: what was expected, to follow the template itself. */
export function templateFaults(template: string): readonly string[] {
  const faults = piecesOf(template).flatMap((piece, position) => {
    if (position % 2 === 1) return tokenFault(piece.slice(1, -1)) ?? []
    return /[{}]/.test(piece) ? ['expected each "{" and "}" to have its other half'] : []
  })
  if (template.endsWith('/')) faults.push('expected a file name at its end, such as {name}{ext}, instead of "/"')
  return [...new Set(faults)]
}

/** Compiles a `--key` template that {@link templateFaults} finds nothing wrong with; an unknown token yields nothing. */
export function compileKeyTemplate(template: string): KeyTemplate {
  const pieces = piecesOf(template)
  const compiled = pieces.map((piece, position): KeyTemplate => {
    if (position % 2 === 1) return compileToken(piece.slice(1, -1))
    // An empty {dir} takes the "/" behind it along, so that files at the top get no empty segment.
    const afterDir = pieces[position - 1] === '{dir}' && piece.startsWith('/')
    return afterDir ? (file) => (directoryOf(file.source) === '' ? piece.slice(1) : piece) : () => piece
  })
  return (file) => compiled.map((piece) => piece(file)).join('')
}

/**
 * Whether two files can never get the same key from this template: each has a `{uuid}` of its own in it; or it begins
 * with fixed text and `{index}`, and no digit can follow the number (`{index}{name}` would make one key of 1 + "1x" and
 * 11 + "x").
 */
export function alwaysDistinct(template: string): boolean {
  return tokensOf(template).includes('uuid') || /^[^{}]*\{index\}(?:$|[^{}0-9])/.test(template)
}

/**
 * Whether a file may get another key each time it is come upon, though nothing about it has changed: where files are
 * numbered, or drawn a number.
 */
export function numbersFiles(template: string): boolean {
  return tokensOf(template).some((token) => token === 'index' || token === 'uuid')
}

/** Whether the run has a part in each key. */
export function namesRun(template: string): boolean {
  return tokensOf(template).some((token) => token === 'now' || token === 'run')
}

/** Whether a file's bytes have to be read before its key is known. */
export function namesContent(template: string): boolean {
  return tokensOf(template).includes('sha256')
}

/** The tokens in a template that say what only a file on the disk has before it is read, as they are written. */
export function tokensOfFiles(template: string): readonly string[] {
  return [...new Set(tokensOf(template))]
    .filter((token) => token === 'size' || token === 'mtime' || token === 'sha256')
    .map((token) => `{${token}}`)
}

/** The tokens in a template by which no other run would come to the same key, as they are written. */
export function tokensOfOneRun(template: string): readonly string[] {
  return [...new Set(tokensOf(template))]
    .filter((token) => token === 'uuid' || token === 'now' || token === 'run')
    .map((token) => `{${token}}`)
}
