import { closest } from 'fastest-levenshtein'
import { baseNameOf, directoryOf } from './object-key.ts'

/** Makes what follows the prefix for one file. */
export type KeyTemplate = (file: TemplateFile) => string

/** What a template can draw on. */
export interface TemplateFile {
  /** The file's source name: relative to its base, `/` separators. */
  readonly source: string
  /** From 1, in scan order. */
  readonly index: number
}

const tokens: ReadonlyMap<string, KeyTemplate> = new Map(
  Object.entries<KeyTemplate>({
    path: (file) => file.source,
    dir: (file) => directoryOf(file.source),
    name: (file) => splitExtension(baseNameOf(file.source)).name,
    ext: (file) => splitExtension(baseNameOf(file.source)).ext,
    index: (file) => String(file.index),
  }),
)

const laterTokens = ['uuid', 'sha256', 'size', 'mtime', 'now', 'run']

/** Fixed text and tokens in turn: text has even positions. */
function piecesOf(template: string): string[] {
  return template.split(/(\{[^{}]*\})/)
}

/** Everything that is wrong with a `--key` template: what was expected, to follow the template itself. */
export function templateFaults(template: string): readonly string[] {
  const faults = piecesOf(template).flatMap((piece, position) => {
    if (position % 2 === 1) return tokens.has(piece.slice(1, -1)) ? [] : [unknownToken(piece.slice(1, -1))]
    return /[{}]/.test(piece) ? ['expected each "{" and "}" to have its other half'] : []
  })
  if (template.endsWith('/')) faults.push('expected a file name at its end, such as {name}{ext}, instead of "/"')
  return [...new Set(faults)]
}

/** Compiles a `--key` template that {@link templateFaults} finds nothing wrong with; an unknown token yields nothing. */
export function compileKeyTemplate(template: string): KeyTemplate {
  const pieces = piecesOf(template)
  const compiled = pieces.map((piece, position): KeyTemplate => {
    if (position % 2 === 1) return tokens.get(piece.slice(1, -1)) ?? (() => '')
    // An empty {dir} takes the "/" behind it along, so that files at the top get no empty segment.
    const afterDir = pieces[position - 1] === '{dir}' && piece.startsWith('/')
    return afterDir ? (file) => (directoryOf(file.source) === '' ? piece.slice(1) : piece) : () => piece
  })
  return (file) => compiled.map((piece) => piece(file)).join('')
}

/**
 * Whether two files can never get the same key from this template: it begins with fixed text and `{index}`, and no
 * digit can follow the number (`{index}{name}` would make one key of 1 + "1x" and 11 + "x").
 */
export function alwaysDistinct(template: string): boolean {
  return /^[^{}]*\{index\}(?:$|[^{}0-9])/.test(template)
}

/** Whether a file may get another key in another run, though nothing about it has changed: where files are numbered. */
export function variesBetweenRuns(template: string): boolean {
  return piecesOf(template).includes('{index}')
}

function unknownToken(name: string): string {
  const known = [...tokens.keys()]
  const plain = name.replace(/:.*/s, '')
  if (laterTokens.includes(plain)) return `{${name}} is not yet available`
  return `unknown token {${name}}; did you mean {${closest(name, known)}}? Known: ${known.map((token) => `{${token}}`).join(' ')}`
}

/** `.bashrc` is a name without an extension, as everywhere; of `a.tar.gz` the last one counts. */
function splitExtension(baseName: string): { name: string; ext: string } {
  const ext = /(?<=[^.]\.*)\.[^.]*$/.exec(baseName)?.[0] ?? ''
  return { name: baseName.slice(0, baseName.length - ext.length), ext }
}
