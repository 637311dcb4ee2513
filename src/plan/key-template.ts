import { closest } from 'fastest-levenshtein'
import { UsageError } from '../errors.ts'
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

/**
 * Compiles a `--key` template.
 *
 * @throws UsageError naming every token that is not known.
 */
export function compileKeyTemplate(template: string): KeyTemplate {
  const pieces = template.split(/(\{[^{}]*\})/)
  const faults: string[] = []
  const compiled: ((file: TemplateFile) => string)[] = []
  for (const [position, piece] of pieces.entries()) {
    if (position % 2 === 0) {
      if (/[{}]/.test(piece)) faults.push(`--key: a "{" or "}" without its other half in ${JSON.stringify(template)}`)
      // An empty {dir} takes the "/" behind it along, so that files at the top get no empty segment.
      const afterDir = pieces[position - 1] === '{dir}' && piece.startsWith('/')
      compiled.push(afterDir ? (file) => (directoryOf(file.source) === '' ? piece.slice(1) : piece) : () => piece)
      continue
    }
    const name = piece.slice(1, -1)
    const token = tokens.get(name)
    if (token) compiled.push(token)
    else faults.push(unknownToken(name))
  }
  if (template.endsWith('/'))
    faults.push(`--key: ${JSON.stringify(template)} ends with "/"; add a file name, such as {name}{ext}`)
  if (faults.length > 0) throw new UsageError(faults)
  return (file) => compiled.map((piece) => piece(file)).join('')
}

/**
 * Whether two files can never get the same key from this template: it begins with fixed text and `{index}`, and no
 * digit can follow the number (`{index}{name}` would make one key of 1 + "1x" and 11 + "x").
 */
export function alwaysDistinct(template: string): boolean {
  return /^[^{}]*\{index\}(?:$|[^{}0-9])/.test(template)
}

function unknownToken(name: string): string {
  const known = [...tokens.keys()]
  const plain = name.replace(/:.*/s, '')
  if (laterTokens.includes(plain)) return `--key: {${name}} is not yet available`
  return `--key: unknown token {${name}}; did you mean {${closest(name, known)}}? Known: ${known.map((token) => `{${token}}`).join(' ')}`
}

/** `.bashrc` is a name without an extension, as everywhere; of `a.tar.gz` the last one counts. */
function splitExtension(baseName: string): { name: string; ext: string } {
  const ext = /(?<=[^.]\.*)\.[^.]*$/.exec(baseName)?.[0] ?? ''
  return { name: baseName.slice(0, baseName.length - ext.length), ext }
}
