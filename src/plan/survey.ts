import { realpath } from 'node:fs/promises'
import { UsageError } from '../errors.ts'
import { createKeyHashes, type KeyHashes } from './keys/key-hashes.ts'
import type { FileSpots, Spot } from './keys/spots.ts'
import { isSent, type PlannedFile } from './planned-file.ts'
import type { ScanNotes } from './sources/candidate.ts'
import { windowSize } from './sources/walk.ts'

/** What the first pass over the sources found. */
export interface Survey {
  readonly files: number
  /** Sum of the sizes that are known. */
  readonly bytes: number
  readonly junkSkipped: number
  /** Without files that fail or are passed over: what limits to the run as a whole are about. */
  readonly toSend: { readonly files: number; readonly bytes: number }
  /** All files, where there are so few that holding them is cheaper than scanning again. */
  readonly held: readonly PlannedFile[] | undefined
  /**
   * Tells, along one pass over the files, those that reach their key a second time, by another way, and are not to be
   * sent again. It goes by keys: positions shift where files come or go between the passes.
   */
  repeats(): (file: PlannedFile) => boolean
}

export interface SurveyOptions {
  /** The first pass is told what is passed over and doubtful; a second would only say it again. */
  readonly scan: (notes?: Pick<ScanNotes, 'junk' | 'untimely' | 'warn'>) => AsyncIterable<PlannedFile>
  readonly warn: (message: string) => void
  /** Called for each file of the first pass. */
  readonly see?: ((file: PlannedFile) => void) | undefined
  /** What two files must not share. */
  readonly spots: FileSpots
  /** No two files can have one key: nothing to look for. */
  readonly keysDistinct: boolean
  /** Only keys beyond ASCII can meet: two spellings of one name. */
  readonly onlyUnicodeTwins: boolean
  readonly allowEmpty: boolean
}

/** How many faults of one kind are listed. */
const faultsShown = 10

/**
 * Counts files and bytes and looks for keys that two files share, in memory that hardly grows with their number: 16
 * bytes a key, and the files themselves only up to a bound.
 *
 * @param hashes an empty set; another one is passed in by tests alone
 * @throws UsageError where nothing matches, or where two different files have one key.
 */
export async function survey(
  options: SurveyOptions,
  onTotals: (files: number, bytes: number) => void,
  hashes: KeyHashes = createKeyHashes(),
): Promise<Survey> {
  const { scan, see, spots, keysDistinct, onlyUnicodeTwins } = options
  const suspects = new Set<string>()
  const missing: string[] = []
  let held: PlannedFile[] | undefined = []
  let files = 0
  let bytes = 0
  const toSend = { files: 0, bytes: 0 }
  let junkSkipped = 0
  let untimely = 0

  const junk = (): void => {
    junkSkipped += 1
  }
  const passedOver = {
    junk,
    untimely: () => {
      untimely += 1
    },
  }
  for await (const file of scan({ ...passedOver, warn: options.warn })) {
    files += 1
    if (file.skip === undefined) bytes += file.size ?? 0
    if (isSent(file)) {
      toSend.files += 1
      toSend.bytes += file.size ?? 0
    }
    see?.(file)
    if (file.missing) missing.push(file.path)
    if (held !== undefined && held.length < windowSize) held.push(file)
    else held = undefined
    const { key, originalKey = key } = file
    // What a changed key was before tells of twins: no two keys become one by the change. Keys made of bytes meet where
    // the bytes are the same.
    const mayMeet =
      !keysDistinct && isSent(file) && file.onceRead === undefined && !(onlyUnicodeTwins && hasOneSpelling(originalKey))
    if (mayMeet) {
      const spot = spots.first(file)
      if (hashes.add(spot)) suspects.add(spot)
      const spare = spots.spare(file)
      if (spare !== undefined && hashes.add(spare)) suspects.add(spare)
    }
    onTotals(files, bytes)
  }
  if (files === missing.length) {
    if (!options.allowEmpty) throw nothingMatches(missing, { junkSkipped, untimely })
    for (const path of missing.slice(0, faultsShown)) options.warn(`${path}: no such file`)
    return { files: 0, bytes: 0, junkSkipped, toSend, held: [], repeats: () => () => false }
  }

  const repeated = suspects.size === 0 ? noneRepeated : await settle(held ?? scan(), suspects, spots)
  return {
    files: files - repeated.files,
    bytes: bytes - repeated.bytes,
    junkSkipped,
    toSend: { files: toSend.files - repeated.files, bytes: toSend.bytes - repeated.bytes },
    held,
    repeats() {
      const passed = new Set<string>()
      if (repeated.spots.size === 0) return () => false
      return (file) => {
        if (!isSent(file)) return false
        const own = spots.all(file).filter(({ spot }) => repeated.spots.has(spot))
        if (own.some(({ spot }) => passed.has(spot))) return true
        for (const { spot } of own) passed.add(spot)
        return false
      }
    },
  }
}

interface Repeated {
  /** What one file reaches more than once. */
  readonly spots: ReadonlySet<string>
  /** Files that are not sent again, and their bytes. */
  readonly files: number
  readonly bytes: number
}

const noneRepeated: Repeated = { spots: new Set(), files: 0, bytes: 0 }

/** Tells files that are reached twice from different files with one key, among keys whose hash was seen twice. */
async function settle(
  files: AsyncIterable<PlannedFile> | Iterable<PlannedFile>,
  suspects: ReadonlySet<string>,
  { all }: FileSpots,
): Promise<Repeated> {
  const first = new Map<string, Place>()
  const spots = new Set<string>()
  const faults: string[] = []
  let collisions = 0
  let isByRollout = false
  let repeated = 0
  let bytes = 0
  for await (const file of files) {
    if (!isSent(file)) continue
    const own = all(file).filter(({ spot }) => suspects.has(spot))
    const taken = own.filter(({ spot }) => first.has(spot))
    if (taken.length === 0) {
      for (const { spot } of own) first.set(spot, placeOf(file))
      continue
    }
    const met = await collisionAmong(file, taken, first)
    if (met === undefined) {
      for (const { spot } of taken) spots.add(spot)
      repeated += 1
      bytes += file.size ?? 0
    } else {
      collisions += 1
      isByRollout ||= met.isByRollout
      if (faults.length < faultsShown) faults.push(met.fault)
    }
  }
  if (collisions > 0) {
    const remedy = 'nothing was sent; give them different keys with --base DIR or --key TEMPLATE, or rename one'
    const another = '; or give the candidate of the rollout a prefix of its own: without it, these keys differ'
    throw new UsageError([...faults, ...andMore(collisions), isByRollout ? remedy + another : remedy])
  }
  return { spots, files: repeated, bytes }
}

/** Undefined where it is the same file that has all of these spots already. */
async function collisionAmong(
  file: PlannedFile,
  taken: readonly Spot[],
  first: ReadonlyMap<string, Place>,
): Promise<Collision | undefined> {
  for (const { spot, key } of taken) {
    const earlier = first.get(spot) as Place
    if (await sameFile(earlier, file)) continue
    const isByRollout = earlier.keyOnBaseline !== placeOf(file).keyOnBaseline
    return { fault: collision(earlier.path, file.path, key), isByRollout }
  }
  return undefined
}

interface Collision {
  readonly fault: string
  /** Their keys differ where there is no candidate. */
  readonly isByRollout: boolean
}

function collision(earlier: string, path: string, key: string): string {
  const isTwin = earlier !== path && earlier.normalize() === path.normalize()
  const why = isTwin ? ' (the same letters, in two Unicode forms)' : ''
  return `${earlier} and ${path} would both become ${key}${why}`
}

type Place = Pick<PlannedFile, 'path' | 'absolute'> & { readonly keyOnBaseline: string }

function placeOf({ path, absolute, key, onBaseline }: PlannedFile): Place {
  return { path, absolute, keyOnBaseline: onBaseline?.key ?? key }
}

type OnDisk = Pick<PlannedFile, 'absolute'>

async function sameFile(a: OnDisk, b: OnDisk): Promise<boolean> {
  if (a.absolute === b.absolute) return true
  const [one, other] = await Promise.all([a, b].map(realPlace))
  return one !== undefined && one === other
}

/** Symbolic links resolved; undefined for standard input and for what is gone. */
async function realPlace({ absolute }: OnDisk): Promise<string | undefined> {
  return absolute === '-' ? undefined : realpath(absolute).catch(() => undefined)
}

function nothingMatches(
  missing: readonly string[],
  { junkSkipped, untimely }: { readonly junkSkipped: number; readonly untimely: number },
): UsageError {
  if (missing.length === 0) {
    const reasons = [
      ...(junkSkipped > 0 ? [`${junkSkipped} passed over as system files`] : []),
      ...(untimely > 0 ? [`${untimely} left out by --newer-than or --older-than`] : []),
    ]
    const passed = reasons.length > 0 ? ` (${reasons.join(', ')})` : ''
    return new UsageError(
      `nothing to upload: no file matches the sources and filters${passed}; --allow-empty makes that no error`,
    )
  }
  const shown = missing.slice(0, faultsShown).map((path) => `${path}: no such file`)
  return new UsageError([...shown, ...andMore(missing.length)])
}

function andMore(faults: number): readonly string[] {
  return faults > faultsShown ? [`… and ${faults - faultsShown} more`] : []
}

/** Whether no other name becomes this key: beyond ASCII there are twins, and NFC makes `;`, `K` and "`" of three others. */
function hasOneSpelling(key: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is all of ASCII
  return /^[\u0000-\u007f]*$/.test(key) && !/[;K`]/.test(key)
}
