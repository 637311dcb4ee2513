import { flagOf } from '../config/options/option-spec.ts'
import type { Settings } from '../config/settings.ts'
import type { ObjectProperties } from '../destinations/destination.ts'
import { displayWidth, fitName, formatSize, oneLine } from '../observe/format.ts'
import { isoTime } from '../observe/iso-time.ts'
import { objectUrl } from '../observe/verbose.ts'
import { isSent } from '../plan/planned-file.ts'
import { withoutParameters } from '../plan/without-parameters.ts'
import { printable } from '../printable.ts'
import { partsOf } from '../transfer/upload-object.ts'
import type { PlannedUpload } from '../upload.ts'

/**
 * Columns of fixed widths, since a plan is printed as it is found. The names come last and are never cut: where a line is
 * longer than the terminal is wide, only they go on in the next.
 */
export interface PlanColumns {
  readonly heading: string
  /** `upload    60.1 MB  8 × 8 MiB    audio/wav         routes[0]  a.wav → s3://b/a.wav`. */
  line(planned: PlannedUpload): string
}

/** Columns that a media type has; a longer one is cut in its middle. */
const typeWidth = 16
const MiB = 2 ** 20

/** What decides about a file that a rollout gives to its candidate. */
const byRollout = 'rollout: candidate'

/** @param settings tell whether there is anything that can decide about files */
export function planColumns({ rules, routes, rollout }: Pick<Settings, 'rules' | 'routes' | 'rollout'>): PlanColumns {
  const longest = (names: readonly string[]): number => Math.max(0, ...names.map((name) => name.length + 1))
  const namesOf = (entries: readonly { readonly name: string }[]): readonly string[] => entries.map(({ name }) => name)
  const byWidths = [namesOf(rules), namesOf(routes), rollout?.isEnabled ? [byRollout] : []].map(longest)
  const byWidth = Math.max(0, byWidths.reduce((sum, width) => sum + width) - 1)
  const row = (what: string, size: string, parts: string, type: string, by: string, name: string): string => {
    const decided = byWidth === 0 ? [] : [fitName(by, Math.max(byWidth, 2))]
    const fixed = [what.padEnd(6), size.padStart(8), padded(parts, 11), fitName(type, typeWidth), ...decided]
    return [...fixed, name].join('  ')
  }
  return {
    heading: row('what', 'size', 'parts', 'type', 'by', 'file'),
    line(planned) {
      const { file } = planned
      const size = file.size === undefined ? '?' : formatSize(file.size)
      const type = printable(withoutParameters(file.contentType))
      const by = printable([...(file.decidedBy ?? []), ...(file.side === 'candidate' ? [byRollout] : [])].join(' '))
      return row(whatOf(planned), size, partsText(planned), type, by, nameText(planned))
    },
  }
}

/** A file as `--dry-run --json` prints it: the fields a run's `file` line would have, and why. */
export function plannedRecord({ file, lane }: PlannedUpload): Readonly<Record<string, unknown>> {
  const { path, source, key, originalKey, size, mtimeMs, contentType, properties, decidedBy, side, skip, problem } =
    file
  const inParts = partsIn({ file, lane })
  return {
    type: 'planned',
    path,
    source,
    key,
    originalKey,
    destination: lane.destination.url,
    engine: lane.destination.engine,
    size: size ?? null,
    mtime: mtimeMs === undefined ? null : isoTime(mtimeMs),
    parts: inParts?.parts ?? null,
    partSize: inParts === undefined || inParts.parts === 1 ? null : inParts.partSize,
    contentType,
    properties,
    decidedBy,
    side,
    skip,
    ...(problem === undefined
      ? {}
      : { error: { code: problem.code, message: problem.message, retryable: problem.retryable } }),
  }
}

function whatOf({ file: { problem, skip } }: PlannedUpload): string {
  if (problem !== undefined) return 'fail'
  return skip === undefined ? 'upload' : 'skip'
}

/** Undefined for what is not sent, and where the size is not known yet. */
function partsIn({ file, lane }: PlannedUpload): { readonly parts: number; readonly partSize: number } | undefined {
  const { size } = file
  if (size === undefined || !isSent(file)) return undefined
  return partsOf(size, lane.destination, lane.settings)
}

/** `8 × 8 MiB`; empty for a file that goes as a whole. */
function partsText(planned: PlannedUpload): string {
  const { parts = 1, partSize = 0 } = partsIn(planned) ?? {}
  if (parts === 1) return ''
  const size = partSize % MiB === 0 ? `${partSize / MiB} MiB` : formatSize(partSize)
  return `${parts} × ${size}`
}

/** `a.wav → s3://b/a.wav  [cache-control max-age=60]`. */
function nameText({ file, lane }: PlannedUpload): string {
  const { key, originalKey, problem, skip, properties } = file
  const path = printable(file.path)
  if (problem !== undefined) return `${path}: ${oneLine(problem.message)} (${problem.code})`
  if (skip !== undefined) return `${path} (${skip})`
  const changed = originalKey === undefined ? '' : `  (its key would have been ${printable(originalKey)})`
  const kept = propertyTexts(properties).map(printable)
  const withIt = kept.length === 0 ? '' : `  [${kept.join(', ')}]`
  return `${path} → ${printable(objectUrl(lane.destination.url, key))}${changed}${withIt}`
}

/** By the names of the options that give them. */
function propertyTexts(properties: ObjectProperties): readonly string[] {
  return Object.entries(properties).flatMap(([name, value]: [string, unknown]) => {
    const option = flagOf(name === 'tags' ? 'tag' : name).slice('--'.length)
    if (value === undefined || value === null) return []
    if (typeof value !== 'object') return [`${option} ${value}`]
    return Object.entries(value).map(([key, text]) => `${option} ${key}=${text}`)
  })
}

/** `×` takes one column, as all else in it does. */
function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)))
}
