import type { Readable } from 'node:stream'
import type { Settings } from '../config/settings.ts'
import { UploadError } from '../errors.ts'
import type { ScanNotes } from './candidate.ts'
import { createChangedKeys } from './changed-keys.ts'
import { contentTypeByName } from './content-type.ts'
import { type Examined, examine } from './examine.ts'
import { createFilters } from './filters.ts'
import { createKeyHashes } from './key-hashes.ts'
import { alwaysDistinct, compileKeyTemplate, type KeyTemplate, variesBetweenRuns } from './key-template.ts'
import { noLines, openListedLines } from './listed-lines.ts'
import { lookedAtAtOnce } from './look.ts'
import { baseNameOf, keyProblem, normalizeName } from './object-key.ts'
import { ordered } from './order.ts'
import { orderedMap } from './ordered-map.ts'
import type { PlannedFile } from './planned-file.ts'
import { findSources, negationsAmong } from './sources.ts'
import { type Survey, survey } from './survey.ts'

/** What a run is going to send. Scanned twice at most, and never held as a whole. */
export interface Plan {
  /**
   * The first pass: counts, sizes and keys that collide.
   *
   * @throws UsageError where nothing matches or two files share a key.
   */
  survey(onTotals: (files: number, bytes: number) => void): Promise<Survey>
  /** The files, in the order in which they are to be sent. After {@link survey}. */
  files(): AsyncIterable<PlannedFile>
  /** Removes temporary files. */
  dispose(): Promise<void>
}

export interface PlanOptions {
  readonly settings: Pick<
    Settings,
    | 'sources'
    | 'filesFrom'
    | 'null'
    | 'base'
    | 'flatten'
    | 'key'
    | 'contentType'
    | 'include'
    | 'exclude'
    | 'excludeFrom'
    | 'allowEmpty'
    | 'order'
  >
  /** What every key begins with: `''` or ending in `/`. */
  readonly prefix: string
  /** The destination's own rule for (full) keys. */
  readonly destinationKeyProblem: (key: string) => string | undefined
  /** What follows the prefix, changed so that the destination can hold it; undefined where keys are to stay as they are. */
  readonly fixName?: ((name: string) => string) | undefined
  readonly cwd: string
  /** Opened only where the list of sources comes from it. */
  readonly stdin: () => Readable
  readonly warn: (message: string) => void
  /** For what is worth knowing with `-v`. */
  readonly say: (message: string) => void
  /** Whether a path is the run's own: its reports, journal or destination. */
  readonly isOwn: (absolute: string) => boolean
}

/** @throws UsageError for options that cannot be carried out, whatever the files. */
export async function createPlan(options: PlanOptions): Promise<Plan> {
  const { settings, cwd } = options
  const nameKey = keyMaker(options)
  const filters = await createFilters({ ...settings, cwd, negations: await negationsAmong(settings.sources, cwd) })
  const lines =
    settings.filesFrom === undefined
      ? noLines
      : await openListedLines(settings.filesFrom, settings.null ? '\0' : '\n', cwd, options.stdin)
  const sourceOptions = {
    sources: settings.sources,
    listedLines: lines.read,
    cwd,
    base: settings.base,
    anywhere: settings.flatten || settings.key !== undefined,
    filters,
  }

  const quiet: ScanNotes = { junk: () => {}, warn: () => {}, isOwn: options.isOwn }
  const scan = async function* (given: Partial<ScanNotes> = {}): AsyncGenerator<PlannedFile> {
    const notes = { ...quiet, ...given }
    const occurrenceOf = mayRepeat(settings) ? countOccurrences() : undefined
    let index = 0
    const looked = orderedMap(findSources(sourceOptions, notes), lookedAtAtOnce, (candidate) =>
      examine(candidate, notes),
    )
    for await (const examined of looked) {
      if (examined === undefined) continue
      index += 1
      const file = nameKey(examined, index)
      const occurrence = occurrenceOf?.(file.absolute)
      yield occurrence === undefined ? file : { ...file, occurrence }
    }
  }
  let surveyed: Survey | undefined
  const unrepeated = async function* (): AsyncGenerator<PlannedFile> {
    const isRepeat = surveyed?.repeats()
    for await (const file of surveyed?.held ?? scan()) {
      if (isRepeat?.(file) !== true) yield file
    }
  }
  return {
    async survey(onTotals) {
      const changed = createChangedKeys(options)
      surveyed = await survey(
        {
          scan,
          warn: options.warn,
          see: changed.see,
          keysDistinct: settings.key !== undefined && alwaysDistinct(settings.key),
          // One base and no template: only names that Unicode can write in two ways can meet in one key.
          onlyUnicodeTwins:
            settings.sources.length === 1 &&
            settings.filesFrom === undefined &&
            !settings.flatten &&
            settings.key === undefined,
          allowEmpty: settings.allowEmpty,
        },
        onTotals,
      )
      changed.close()
      return surveyed
    },
    files: () => ordered(unrepeated(), settings.order),
    dispose: lines.dispose,
  }
}

/** Whether one path can come up more than once and be sent each time: only numbers give it several keys. */
function mayRepeat({ key, sources, filesFrom }: PlanOptions['settings']): boolean {
  return key !== undefined && variesBetweenRuns(key) && (filesFrom !== undefined || sources.length > 1)
}

/** Tells which time it is that a path comes up; undefined the first time. */
function countOccurrences(): (absolute: string) => number | undefined {
  const seen = createKeyHashes()
  const counts = new Map<string, number>()
  return (absolute) => {
    if (!seen.add(absolute)) return undefined
    const occurrence = (counts.get(absolute) ?? 1) + 1
    counts.set(absolute, occurrence)
    return occurrence
  }
}

/** Names and keys, by `--flatten`, `--key`, the prefix and `--key-fix`. */
function keyMaker(options: PlanOptions): (examined: Examined, index: number) => PlannedFile {
  const { settings, prefix, fixName } = options
  const template: KeyTemplate | undefined = settings.key === undefined ? undefined : compileKeyTemplate(settings.key)
  return ({ candidate, size, mtimeMs, problem }, index) => {
    const source = normalizeName(candidate.name)
    const placed = settings.flatten ? baseNameOf(source) : source
    const name = normalizeName(template ? template({ source: placed, index }) : placed)
    const wished = prefix + name
    const invalid = keyProblem(wished)
    const key = fixName === undefined || invalid !== undefined ? wished : prefix + fixName(name)
    const fault = problem === undefined ? (invalid ?? options.destinationKeyProblem(key)) : undefined
    return {
      index,
      path: candidate.path,
      absolute: candidate.absolute,
      source,
      key,
      originalKey: key === wished ? undefined : wished,
      size,
      mtimeMs,
      contentType: settings.contentType ?? contentTypeByName(candidate.kind === 'stdin' ? key : candidate.path),
      problem: fault === undefined ? problem : new UploadError('KEY_INVALID', fault),
      ...(candidate.kind === 'missing' ? { missing: true } : {}),
    }
  }
}
