import type { Readable } from 'node:stream'
import type { Settings } from '../config/settings.ts'
import type { PlanSides } from './file-sides.ts'
import { createChangedKeys } from './keys/changed-keys.ts'
import { type Hashed, withContentKeys } from './keys/content-hash.ts'
import { createKeyHashes } from './keys/key-hashes.ts'
import { createKeyScopes, type KeyScope } from './keys/key-scope.ts'
import { alwaysDistinct, namesContent, namesRun, numbersFiles } from './keys/key-template.ts'
import type { TemplateRun } from './keys/key-tokens.ts'
import { createCollisionSpots, createFileSpots } from './keys/spots.ts'
import { createUnfitKeys } from './keys/unfit-keys.ts'
import { createUuids } from './keys/uuids.ts'
import { createFileLimit, limited, refuseWhole } from './limits/limits.ts'
import { ordered } from './order.ts'
import { orderedMap } from './ordered-map.ts'
import { createFilePlanner, type PlanLane } from './plan-file.ts'
import type { PlannedFile } from './planned-file.ts'
import type { ScanNotes } from './sources/candidate.ts'
import { examine } from './sources/examine.ts'
import { createFilters } from './sources/filters.ts'
import { type ListedLine, noLines, openListedLines } from './sources/listed-lines.ts'
import { lookedAtAtOnce } from './sources/look.ts'
import { isManifest, readManifest } from './sources/manifest.ts'
import { modifiedBetween } from './sources/modified-between.ts'
import { findSources, type ListedSource, negationsAmong } from './sources/sources.ts'
import { type Survey, type SurveyOptions, survey } from './survey.ts'
import { createUnkeptNotes } from './unkept-properties.ts'

/** What a run is going to send. Scanned twice at most, and never held as a whole. */
export interface Plan {
  /**
   * The first pass: counts, sizes and keys that collide.
   *
   * @throws UsageError where nothing matches, two files share a key, or all together are more than they may be.
   */
  survey(onTotals: (files: number, bytes: number) => void): Promise<Survey>
  /**
   * The files, in the order in which they are to be sent. After {@link survey}. Where keys are made of bytes, each file
   * is read before.
   */
  files(): AsyncIterable<PlannedFile>
  /** What keys a lane's files have; undefined where none goes there. After {@link survey}. */
  scope(lane: number): KeyScope | undefined
  /** The same files, unread: whatever is made of their bytes is not known yet. */
  listed(): AsyncIterable<PlannedFile>
  /**
   * Says which run the keys are made for, where that is another one than was thought: one that is continued, say.
   *
   * @throws UsageError as {@link survey}
   */
  belongsTo(run: TemplateRun): Promise<void>
  /** Removes temporary files. */
  dispose(): Promise<void>
}

export interface PlanOptions extends PlanSides {
  readonly settings: Pick<
    Settings,
    | 'sources'
    | 'filesFrom'
    | 'null'
    | 'base'
    | 'flatten'
    | 'key'
    | 'contentType'
    | 'properties'
    | 'preserve'
    | 'rules'
    | 'routes'
    | 'rollout'
    | 'include'
    | 'exclude'
    | 'excludeFrom'
    | 'newerThan'
    | 'olderThan'
    | 'follow'
    | 'limits'
    | 'allowEmpty'
    | 'order'
  >
  /** Where files go: the run's own destination, then that of each route, then those of candidates. */
  readonly lanes: readonly PlanLane[]
  readonly cwd: string
  /** The run's beginning, in milliseconds since the epoch. */
  readonly nowMs: number
  /** What the run is called, unless {@link Plan.belongsTo} says otherwise. */
  readonly runId: string
  /** Ends the reading of files before they are sent. Absent: only the end of the plan does. */
  readonly signal?: AbortSignal | undefined
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
  let run: TemplateRun = { id: options.runId, startedAtMs: options.nowMs }
  const planFile = createFilePlanner({ ...options, run: () => run, uuid: createUuids(options.nowMs) })
  const filters = await createFilters({ ...settings, cwd, negations: await negationsAmong(settings.sources, cwd) })
  const lines =
    settings.filesFrom === undefined
      ? noLines
      : await openListedLines(settings.filesFrom, settings.null ? '\0' : '\n', cwd, options.stdin)
  const sourceOptions = {
    sources: settings.sources,
    listed: () => listedSources(lines.read(), settings),
    cwd,
    base: settings.base,
    anywhere: settings.flatten || settings.key !== undefined,
    filters,
    follow: settings.follow,
  }
  const isTimely = modifiedBetween(settings, options.nowMs)

  const quiet: ScanNotes = { junk: unheard, untimely: unheard, warn: unheard, isOwn: options.isOwn }
  const found = async function* (given: Partial<ScanNotes> = {}): AsyncGenerator<PlannedFile> {
    const notes = { ...quiet, ...given }
    const occurrenceOf = mayRepeat(settings) ? countOccurrences() : undefined
    const tellUnkept = createUnkeptNotes(options.lanes, notes.warn)
    let index = 0
    const looked = orderedMap(findSources(sourceOptions, notes), lookedAtAtOnce, (candidate) =>
      examine(candidate, notes),
    )
    for await (const examined of looked) {
      if (examined === undefined) continue
      if (isTimely !== undefined && examined.mtimeMs !== undefined && !isTimely(examined.mtimeMs)) {
        notes.untimely()
        continue
      }
      index += 1
      const file = planFile(examined, index)
      const { own } = examined.candidate
      if (own?.properties !== undefined) {
        tellUnkept(file.lane, own.properties)
        if (file.onBaseline !== undefined) tellUnkept(file.onBaseline.lane, own.properties)
      }
      const occurrence = occurrenceOf?.(file.absolute)
      yield occurrence === undefined ? file : { ...file, occurrence }
    }
  }
  const limit = createFileLimit(settings.limits)
  const scan: typeof found = limit === undefined ? found : (given) => limited(found(given), limit)
  let surveyed: Survey | undefined
  const unrepeated = async function* (): AsyncGenerator<PlannedFile> {
    const isRepeat = surveyed?.repeats()
    for await (const file of surveyed?.held ?? scan()) {
      if (isRepeat?.(file) !== true) yield file
    }
  }
  const spots = createFileSpots(options.lanes)
  const { isOneNamespace, ...collisionSpots } = createCollisionSpots(options.lanes, options.candidateOf)
  let scopes = createKeyScopes()
  const look = (
    told: Pick<SurveyOptions, 'warn' | 'see'>,
    onTotals: (files: number, bytes: number) => void,
  ): Promise<Survey> => {
    const seen = createKeyScopes()
    scopes = seen
    return survey(
      {
        ...told,
        see(file) {
          seen.see(file)
          told.see?.(file)
        },
        scan,
        spots: collisionSpots,
        // Of two lanes one's prefix may be what a key of the other's begins with.
        keysDistinct:
          isOneNamespace && settings.key !== undefined && alwaysDistinct(settings.key) && !hasManifest(settings),
        // One base and no template: only names that Unicode can write in two ways can meet in one key.
        onlyUnicodeTwins:
          isOneNamespace &&
          settings.sources.length === 1 &&
          settings.filesFrom === undefined &&
          !settings.flatten &&
          settings.key === undefined,
        allowEmpty: settings.allowEmpty,
      },
      onTotals,
    )
  }
  const disposed = new AbortController()
  const signal = options.signal === undefined ? disposed.signal : AbortSignal.any([options.signal, disposed.signal])
  const known = new WeakMap<PlannedFile, Hashed>()
  const listed = (): AsyncIterable<PlannedFile> => ordered(unrepeated(), settings.order)
  return {
    async survey(onTotals) {
      const changed = createChangedKeys({ ...options, prefixes: options.lanes.map(({ prefix }) => prefix) })
      const unfit = createUnfitKeys(options)
      const see = (file: PlannedFile): void => {
        changed.see(file)
        unfit.see(file)
      }
      surveyed = await look({ warn: options.warn, see }, onTotals)
      changed.close()
      unfit.close()
      refuseWhole(settings.limits, surveyed.toSend)
      return surveyed
    },
    files() {
      const readsContent = settings.key !== undefined && namesContent(settings.key)
      return readsContent ? withContentKeys(listed(), { signal, spots, known, limit }) : listed()
    },
    scope: (lane) => scopes.of(lane),
    listed,
    async belongsTo(other) {
      const isSame = run.id === other.id && run.startedAtMs === other.startedAtMs
      run = other
      if (isSame || settings.key === undefined || !namesRun(settings.key)) return
      // What keys collide, and which are reached twice, goes by the keys.
      surveyed = await look({ warn: unheard }, () => options.signal?.throwIfAborted())
    },
    async dispose() {
      disposed.abort()
      await lines.dispose()
    },
  }
}

/** What the first pass told is not told again. */
function unheard(): void {}

/** What a list names: a path a line, or what `.jsonl` says of each. */
async function* listedSources(
  lines: AsyncIterable<ListedLine>,
  { filesFrom: file, base, flatten, key, preserve, routes, rollout }: PlanOptions['settings'],
): AsyncGenerator<ListedSource> {
  const others = [...routes.map((route) => route.settings), ...(rollout?.candidates ?? [])]
  if (file !== undefined && isManifest(file)) {
    yield* readManifest(lines, {
      file,
      placesAbsolute: base !== undefined || flatten || key !== undefined,
      keepsMtime: [preserve, ...others.map((other) => other?.preserve)].includes('mtime'),
    })
  } else {
    for await (const { text } of lines) yield { path: text }
  }
}

function hasManifest({ filesFrom }: PlanOptions['settings']): boolean {
  return filesFrom !== undefined && isManifest(filesFrom)
}

/**
 * Whether one path can come up more than once and have a line of its own each time: numbers and manifests give it several
 * keys, and where keys are made of bytes, only reading it tells that it is the same again.
 */
function mayRepeat(settings: PlanOptions['settings']): boolean {
  const { key, sources, filesFrom } = settings
  if (hasManifest(settings)) return true
  return (
    key !== undefined && (numbersFiles(key) || namesContent(key)) && (filesFrom !== undefined || sources.length > 1)
  )
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
