import { UploadError } from '../errors.ts'
import { isoTime } from '../observe/iso-time.ts'
import type { FileRecord, PartRecord, RunRecord, UploadStartedRecord } from '../observe/records.ts'
import { parseRun, readLines, runBegins, startsWith } from '../observe/report/read.ts'
import type { PlannedFile } from '../plan/planned-file.ts'
import type { DoneElsewhere, Earlier, EarlierFile } from '../transfer/earlier.ts'
import { anchorOf, identityOf, namingOf } from './file-identity.ts'
import { placeOfRun } from './find-run.ts'
import { createHalfSent, type HalfSent } from './half-sent.ts'
import { openLineReader } from './line-reader.ts'
import { createLineTable, type LineTable } from './line-table.ts'
import type { OtherSideOf } from './other-side.ts'

/** What a journal says of each file, in memory that stays small: one place in it for each, and what is half-sent. */
export interface JournalIndex {
  /** How many invocations the run has had. */
  readonly invocations: number
  /** There is nothing of any file. */
  readonly isEmpty: boolean
  /** Whether there is anything of that file, found by its path. Once in 10^12 files wrongly so. */
  has(file: Pick<PlannedFile, 'path' | 'occurrence'>): boolean
  /** Reads the journal again: for sources that lie elsewhere now, by their names where those are unique in it. */
  bySource(): Promise<Earlier>
  readonly byPath: Earlier
  close(): Promise<void>
}

export interface IndexOptions {
  /** What the paths of the files that will be asked for are relative to. */
  readonly anchor: string
  /** A template gives files other keys now: they keep those they have. */
  readonly keepsKeys: boolean
  /**
   * Where the files of each lane go now, as `placeOf` has it: what went elsewhere then does not count. Absent: all of
   * them go where they went.
   */
  readonly places?: readonly string[] | undefined
  /** Where else a file counts as done, if that is where it went then. Absent: nowhere. */
  readonly otherSideOf?: OtherSideOf | undefined
}

/** Skipped for these reasons, a file is at the destination. */
const thereReasons: readonly (string | undefined)[] = ['already-uploaded', 'exists', 'unchanged']

/**
 * Reads a journal through. Its last line about a file counts.
 *
 * @throws the file system's error where it cannot be read.
 */
export async function indexJournal(journalPath: string, options: IndexOptions): Promise<JournalIndex> {
  const { places } = options
  const lines = createLineTable()
  const keys = createLineTable()
  const undone = createLineTable()
  const halfSent = createHalfSent()
  const anchors: Anchor[] = []
  let invocations = 0
  await eachLine(journalPath, (line, offset) => {
    if (startsWith(line, fileBegins)) {
      const named = nameIn(line)
      if (named === undefined) return
      const id = identity(named, anchors)
      lines.set(id, offset)
      if (line.includes(undoneStatus)) {
        const taken = parse<FileRecord>(line)
        if (taken !== undefined) undone.set(spotOf(taken, anchors.at(-1)), offset)
      }
      if (!options.keepsKeys && !halfSent.has(id)) return
      const record = parse<FileRecord>(line)
      if (record === undefined) return
      keys.set(spotOf(record, anchors.at(-1)), offset)
      if (saysThere(record)) halfSent.end(id)
    } else if (startsWith(line, runBegins)) {
      const run = parseRun(line)
      if (run === undefined) return
      anchors.push({ from: offset, anchor: anchorOf(namingOf(run)), placeOf: placesIn(run) })
      if (Number.isSafeInteger(run.invocation)) invocations = Math.max(invocations, run.invocation)
    } else if (startsWith(line, startBegins)) {
      const started = parse<UploadStartedRecord>(line)
      if (started !== undefined) {
        halfSent.begin(identity(started, anchors), started, anchors.at(-1)?.placeOf(started.destination))
      }
    } else if (startsWith(line, partBegins)) {
      const part = parse<PartRecord>(line)
      if (part !== undefined) halfSent.add(part)
    }
  })

  const reader = await openLineReader(journalPath)
  const recordAt = async (offset: number | undefined): Promise<Located | undefined> => {
    const line = offset === undefined ? undefined : await reader.read(offset)
    const record = line === undefined ? undefined : parse<FileRecord>(line)
    if (record === undefined || offset === undefined) return undefined
    const since = anchors.findLast(({ from }) => from <= offset)
    // What takes an object back may know its file by another path than the invocation that saw it last.
    const isThere = saysThere(record) && (undone.get(spotOf(record, since)) ?? -1) < offset
    const place = since?.placeOf(record.destination)
    return { record, id: identity(record, since === undefined ? [] : [since]), isThere, place }
  }
  /** Under a template with numbers a new file may be given the key that another one has had since the first time. */
  const refuseTaken = async ({ key, lane }: PlannedFile): Promise<void> => {
    if (!options.keepsKeys) return
    const place = places === undefined ? anchors.at(-1)?.placeOf(undefined) : places[lane]
    const holder = await recordAt(keys.get(spot(place, key)))
    if (holder?.record.key !== key || !holder.isThere) return
    throw new UploadError(
      'KEY_INVALID',
      `its key ${key} belongs to ${holder.record.path} since the run began; upload it by itself, without --resume`,
    )
  }
  /** Its last line counts, whichever side of a rollout it was given to then. */
  const doneElsewhere = (file: PlannedFile, located: Located | undefined): DoneElsewhere | undefined => {
    const other = options.otherSideOf?.(file)
    if (other === undefined || !located?.isThere || located.place !== other.place) return undefined
    const { key, originalKey = key } = located.record
    const isItsKey = options.keepsKeys || originalKey === other.wished
    return isItsKey ? { done: located.record, destination: other.destination } : undefined
  }
  const judge = async (
    file: PlannedFile,
    located: Located | undefined,
    begun: HalfSent | undefined,
  ): Promise<EarlierFile | undefined> => {
    const isHere = ({ place }: { place: string | undefined }): boolean =>
      places === undefined || place === places[file.lane]
    const found = located !== undefined && isHere(located) ? located : undefined
    const half = begun !== undefined && isHere(begun) ? begun : undefined
    const record = found?.record
    const elsewhere = doneElsewhere(file, located)
    if (record === undefined && half === undefined) {
      // Where it is done, the key that it would have now does not matter.
      if (elsewhere === undefined || !isUnchanged(file, elsewhere.done)) await refuseTaken(file)
      return elsewhere && { key: file.key, elsewhere }
    }
    const key = options.keepsKeys ? (record ?? half?.started)?.key : file.key
    if (key === undefined) return undefined
    const done = found?.isThere && found.record.key === key ? found.record : undefined
    const unfinished = half?.started.key === key ? half : undefined
    if (done === undefined && unfinished === undefined && elsewhere === undefined && !options.keepsKeys)
      return undefined
    const { originalKey } = record ?? {}
    return { key, originalKey, done, unfinished: unfinished && unfinishedOf(unfinished), elsewhere }
  }

  const idOf = (file: Pick<PlannedFile, 'path' | 'occurrence'>): string =>
    identityOf(options.anchor, file.path, file.occurrence)
  return {
    invocations,
    isEmpty: lines.size === 0 && halfSent.isEmpty(),
    has(file) {
      const id = idOf(file)
      return lines.get(id) !== undefined || halfSent.has(id)
    },
    byPath: {
      async find(file) {
        const id = idOf(file)
        const found = await recordAt(lines.get(id))
        return judge(file, found?.id === id ? found : undefined, halfSent.get(id))
      },
    },
    async bySource() {
      const sources = await placesBySource(journalPath, anchors)
      return {
        async find(file) {
          const found = await recordAt(sources.get(file.source))
          return judge(file, found?.record.source === file.source ? found : undefined, halfSent.bySource(file.source))
        },
      }
    },
    close: () => reader.close(),
  }
}

interface Located {
  readonly record: FileRecord
  readonly id: string
  /** It is at the destination, as far as the journal knows. */
  readonly isThere: boolean
  /** Where it went, as `placeOf` has it; undefined where the journal does not tell. */
  readonly place: string | undefined
}

/** From which line on paths are relative to which directory, and where an invocation's destinations are. */
interface Anchor {
  readonly from: number
  readonly anchor: string
  /** As {@link placeOfRun}; undefined stands for the run's own destination. */
  readonly placeOf: (destination: string | undefined) => string | undefined
}

/** Each destination is looked up once, not for each line. */
function placesIn(run: RunRecord): Anchor['placeOf'] {
  const known = new Map<string | undefined, string | undefined>()
  return (destination) => {
    if (!known.has(destination)) known.set(destination, placeOfRun(run, destination))
    return known.get(destination)
  }
}

/** One and the same key may be in use at two destinations. */
function spotOf({ destination, key }: FileRecord, since: Anchor | undefined): string {
  return spot(since?.placeOf(destination), key)
}

function spot(place: string | undefined, key: string): string {
  return `${place ?? ''}\n${key}`
}

function identity({ path, occurrence }: Named, anchors: readonly Anchor[]): string {
  return identityOf(anchors.at(-1)?.anchor ?? '/', path, occurrence)
}

function saysThere({ status, reason }: FileRecord): boolean {
  return status === 'uploaded' || (status === 'skipped' && thereReasons.includes(reason))
}

/** A place for each source name that stands for one file only. */
async function placesBySource(journalPath: string, anchors: readonly Anchor[]): Promise<Pick<LineTable, 'get'>> {
  const places = createLineTable()
  const files = createLineTable()
  const ambiguous = new Set<string>()
  await eachLine(journalPath, (line, offset) => {
    const record = startsWith(line, fileBegins) ? parse<FileRecord>(line) : undefined
    if (record === undefined) return
    const { source } = record
    const since = anchors.findLast(({ from }) => from <= offset)
    const known = `${source}\0${identity(record, since === undefined ? [] : [since])}`
    // Another file of that name has been seen, and this one not.
    if (places.get(source) !== undefined && files.get(known) === undefined) ambiguous.add(source)
    files.set(known, offset)
    places.set(source, offset)
  })
  return { get: (source) => (ambiguous.has(source) ? undefined : places.get(source)) }
}

function isUnchanged({ size, mtimeMs = Number.NaN }: PlannedFile, done: FileRecord): boolean {
  return size === done.size && done.mtime === isoTime(mtimeMs)
}

function unfinishedOf({ started, parts }: HalfSent): EarlierFile['unfinished'] {
  const { uploadId, partSize, size, mtime } = started
  return { uploadId, partSize, size: size ?? undefined, mtime: mtime ?? undefined, parts: [...parts.values()] }
}

const fileBegins = Buffer.from('{"type":"file","path":')
const startBegins = Buffer.from('{"type":"upload-started",')
const partBegins = Buffer.from('{"type":"part",')
const sourceBegins = Buffer.from(',"source":"')
const undoneStatus = Buffer.from('"status":"undone"')
const occurrenceBegins = Buffer.from('"occurrence":')

interface Named {
  readonly path: string
  readonly occurrence?: number | undefined
}

/**
 * The name in a `file` line, without the cost of reading all of it: a journal may have a million. No string holds an
 * unescaped quote, so what is looked for is found where it stands as a name only.
 */
function nameIn(line: Buffer): Named | undefined {
  if (line.includes(occurrenceBegins)) return parse<FileRecord>(line)
  const end = line.indexOf(sourceBegins, fileBegins.length)
  if (end === -1 || line.includes(0)) return undefined
  const path = parseJson(line.subarray(fileBegins.length, end))
  return typeof path === 'string' ? { path } : undefined
}

async function eachLine(path: string, see: (line: Buffer, offset: number) => void): Promise<void> {
  let offset = 0
  for await (const lines of readLines(path, 0)) {
    for (const line of lines) {
      see(line, offset)
      offset += line.length + 1
    }
  }
}

/** Undefined for what a power cut has left of a line. */
function parse<Record extends Named | PartRecord>(line: Buffer): Record | undefined {
  const record = parseJson(line) as Partial<Record> | null | undefined
  return typeof record?.path === 'string' ? (record as Record) : undefined
}

function parseJson(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8'))
  } catch {
    return undefined
  }
}
