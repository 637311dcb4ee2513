import { closest } from 'fastest-levenshtein'
import { compileDateFormat, dateFormatFault, usualDateFormat } from './date-format.ts'
import { baseNameOf, directoryOf } from './object-key.ts'

/** Makes what follows the prefix, or a piece of it, for one file. */
export type KeyTemplate = (file: TemplateFile) => string

/** What a template can draw on. */
export interface TemplateFile {
  /** The file's source name: relative to its base, `/` separators. */
  readonly source: string
  /** From 1, in scan order. */
  readonly index: number
  /** Bytes; undefined for a file that could not be looked at. */
  readonly size: number | undefined
  /** Milliseconds since the epoch; undefined as `size`. */
  readonly mtimeMs: number | undefined
  /** Of its bytes, in hexadecimal; undefined where they have not been read yet. */
  readonly sha256: string | undefined
  readonly run: TemplateRun
  /** Another one for each index. */
  readonly uuid: (index: number) => string
}

/** The run that a key is made for. */
export interface TemplateRun {
  readonly id: string
  /** When its first invocation began, in milliseconds since the epoch. */
  readonly startedAtMs: number
}

/** As long as a sum, and in its place before there is one. */
export const sumToCome = '0'.repeat(64)

/** By the name of each: what it stands for, or the moment that it writes in a format. */
const tokens: ReadonlyMap<
  string,
  { readonly text: KeyTemplate } | { readonly momentMs: (file: TemplateFile) => number }
> = new Map([
  ['path', { text: ({ source }: TemplateFile) => source }],
  ['dir', { text: ({ source }: TemplateFile) => directoryOf(source) }],
  ['name', { text: ({ source }: TemplateFile) => splitExtension(baseNameOf(source)).name }],
  ['ext', { text: ({ source }: TemplateFile) => splitExtension(baseNameOf(source)).ext }],
  ['uuid', { text: ({ uuid, index }: TemplateFile) => uuid(index) }],
  ['sha256', { text: ({ sha256 }: TemplateFile) => sha256 ?? sumToCome }],
  ['index', { text: ({ index }: TemplateFile) => String(index) }],
  ['size', { text: ({ size }: TemplateFile) => String(size ?? 0) }],
  ['mtime', { momentMs: ({ mtimeMs }: TemplateFile) => mtimeMs ?? 0 }],
  ['now', { momentMs: ({ run }: TemplateFile) => run.startedAtMs }],
  ['run', { text: ({ run }: TemplateFile) => run.id }],
])

/** A token as it stands between its braces, taken apart. */
function parse(text: string): { readonly name: string; readonly format: string | undefined } {
  const name = tokenName(text)
  return { name, format: text === name ? undefined : text.slice(name.length + 1) }
}

/** The name of a token as it stands between its braces. */
export function tokenName(text: string): string {
  return text.replace(/:.*/s, '')
}

/** What is wrong with a token; undefined where nothing is. */
export function tokenFault(text: string): string | undefined {
  const { name, format } = parse(text)
  const token = tokens.get(name)
  if (token === undefined) return unknownToken(text, name)
  if (format === undefined) return undefined
  const fault = 'text' in token ? `takes no format; expected {${name}}` : dateFormatFault(format)
  return fault === undefined ? undefined : `{${text}} ${fault}`
}

/** What a token that {@link tokenFault} finds nothing wrong with stands for; an unknown one stands for nothing. */
export function compileToken(text: string): KeyTemplate {
  const { name, format } = parse(text)
  const token = tokens.get(name)
  if (token === undefined) return () => ''
  if ('text' in token) return token.text
  const write = compileDateFormat(format ?? usualDateFormat)
  return (file) => write(token.momentMs(file))
}

function unknownToken(text: string, name: string): string {
  const known = [...tokens.keys()]
  const all = known.map((each) => `{${each}}`).join(' ')
  return `unknown token {${text}}; did you mean {${closest(name.trim().toLowerCase(), known)}}? Known: ${all}`
}

/** `.bashrc` is a name without an extension, as everywhere; of `a.tar.gz` the last one counts. */
function splitExtension(baseName: string): { name: string; ext: string } {
  const ext = /(?<=[^.]\.*)\.[^.]*$/.exec(baseName)?.[0] ?? ''
  return { name: baseName.slice(0, baseName.length - ext.length), ext }
}
