import { isAbsolute } from 'node:path'
import { z } from 'zod'
import { findJsonFault } from '../../config/file/json-fault.ts'
import { fault, shown } from '../../config/given.ts'
import { propertyOptions } from '../../config/options/property-options.ts'
import { twiceMtime } from '../../config/property-fit.ts'
import { metadata, tags, text } from '../../config/values.ts'
import { namesMtime } from '../../destinations/mtime.ts'
import { UsageError } from '../../errors.ts'
import type { ListedLine } from './listed-lines.ts'
import type { ListedSource } from './sources.ts'

/** Whether a list is one of JSON lines, with keys and properties, rather than one of paths. */
export function isManifest(file: string): boolean {
  return /\.jsonl$/i.test(file)
}

export interface ManifestOptions {
  /** For messages. */
  readonly file: string
  /** Whether a path that is absolute has a key, though its line gives it none. */
  readonly placesAbsolute: boolean
  /** Whether each object's metadata has the time of its file (`--preserve mtime`). */
  readonly keepsMtime: boolean
}

/** How many faults are listed. */
const faultsShown = 10

/**
 * The sources of a manifest, one JSON object a line. It is read through even where a line is at fault, to name the others
 * that are; but nothing behind that line is given any more.
 *
 * @throws UsageError with the place of each fault, and what was expected there.
 */
export async function* readManifest(
  lines: AsyncIterable<ListedLine>,
  options: ManifestOptions,
): AsyncGenerator<ListedSource> {
  const faults: string[] = []
  for await (const { text, number } of lines) {
    const read = readLine(text, `--files-from: ${options.file}:${number}`, options)
    if (!Array.isArray(read)) {
      if (faults.length === 0) yield read
      continue
    }
    faults.push(...read)
    if (faults.length < faultsShown) continue
    const more = 'there may be more: it was read no further'
    throw new UsageError([...faults.slice(0, faultsShown), `--files-from: ${options.file}: ${more}`])
  }
  if (faults.length > 0) throw new UsageError(faults)
}

type Named = z.ZodType<Readonly<Record<string, string>>, Record<string, unknown>>

/** Names and values; the texts that the command line has for them are not taken. */
function named(schema: ReturnType<typeof metadata>) {
  // It takes more than it is given here, which its type cannot say.
  return z
    .record(z.string(), z.unknown(), 'expected an object such as {"name": "value"}')
    .pipe(schema as unknown as Named)
}

const { contentType, cacheControl, contentEncoding, contentDisposition, storageClass } = propertyOptions

const notUnicode = 'expected whole characters: "\\ud83c\\udfb5" rather than half of one, and in a path no "\\u0000"'

function isUnicode(given: string): boolean {
  return given.isWellFormed()
}

function canBeName(given: string): boolean {
  return isUnicode(given) && !given.includes('\0')
}

/** By the names that properties have in reports and in the library. */
const lineSchema = z.strictObject({
  path: text('the path of a file or directory').refine(canBeName, notUnicode),
  key: z.string('expected a key: what follows the prefix, as it stands').refine(isUnicode, notUnicode).optional(),
  contentType: contentType.schema.optional(),
  cacheControl: cacheControl.schema.optional(),
  contentEncoding: contentEncoding.schema.optional(),
  contentDisposition: contentDisposition.schema.optional(),
  metadata: named(metadata()).optional(),
  tags: named(tags()).optional(),
  storageClass: storageClass.schema.optional(),
})

const form = 'a line is one JSON object such as {"path": "a.wav", "key": "b.wav"}'

/** What a line names, or what is wrong with it. */
function readLine(
  line: string,
  from: string,
  { placesAbsolute, keepsMtime }: ManifestOptions,
): ListedSource | string[] {
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch {
    const { column, expected } = findJsonFault(line)
    return [fault(`${from}:${column}`, `expected ${expected.replace('the file', 'the line')}; ${form}`)]
  }
  const read = lineSchema.safeParse(json)
  if (!read.success) return read.error.issues.flatMap((issue) => explain(issue, json, from))
  const { path, key, contentType, ...properties } = read.data
  if (isAbsolute(path) && key === undefined && !placesAbsolute) {
    const ways = 'give it a "key", or all of them --base DIR, --flatten or --key TEMPLATE'
    return [fault(`${from}: path`, `${shown(path)} is absolute and has no key; ${ways}`)]
  }
  if (keepsMtime && namesMtime(properties.metadata)) {
    return [twiceMtime({ from: `${from}: metadata` })]
  }
  const hasProperties = Object.keys(properties).length > 0
  if (key === undefined && contentType === undefined && !hasProperties) return { path }
  return { path, own: { key, contentType, properties: hasProperties ? properties : undefined } }
}

function explain(issue: z.core.$ZodIssue, json: unknown, from: string): string[] {
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(lineSchema.shape).join(', ')
    return issue.keys.map((key) => fault(from, `unknown key ${shown(key)}; a line may have ${known}`))
  }
  const [key, name] = issue.path.map(String)
  if (key === undefined) return [fault(from, `found ${shown(json)}; ${form}`)]
  const value = valueAt(json, key)
  if (value === undefined) return [fault(from, `${key} is missing; ${form}`)]
  if (name === undefined) return [fault(`${from}: ${key}`, `found ${shown(value)}, ${issue.message}`)]
  return [fault(`${from}: ${key}.${name}`, `found ${shown(valueAt(value, name))}, ${issue.message}`)]
}

function valueAt(json: unknown, key: string): unknown {
  return (json as Readonly<Record<string, unknown>>)[key]
}
