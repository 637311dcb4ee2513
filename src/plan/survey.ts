import { realpath } from 'node:fs/promises'
import { resolve } from 'node:path'
import { UsageError } from '../errors.ts'
import { createKeyHashes } from './key-hashes.ts'
import type { PlannedFile } from './planned-file.ts'
import type { ScanNotes } from './sources.ts'
import { windowSize } from './walk.ts'

/** What the first pass over the sources found. */
export interface Survey {
  readonly files: number
  /** Sum of the sizes that are known. */
  readonly bytes: number
  readonly junkSkipped: number
  /** All files, where there are so few that holding them is cheaper than scanning again. */
  readonly held: readonly PlannedFile[] | undefined
  /** Whether a file reaches its key a second time, by another way, and is not to be sent again. */
  isRepeat(file: PlannedFile): boolean
}

export interface SurveyOptions {
  readonly scan: (notes: Pick<ScanNotes, 'junk'>) => AsyncIterable<PlannedFile>
  /** No two files can have one key: nothing to look for. */
  readonly keysDistinct: boolean
  /** Only keys beyond ASCII can meet: two spellings of one name. */
  readonly onlyUnicodeTwins: boolean
  readonly allowEmpty: boolean
  readonly cwd: string
}

/** How many faults of one kind are listed. */
const faultsShown = 10

/**
 * Counts files and bytes and looks for keys that two files share, in memory that hardly grows with their number: 16
 * bytes a key, and the files themselves only up to a bound.
 *
 * @throws UsageError where nothing matches, or where two different files have one key.
 */
export async function survey(
  options: SurveyOptions,
  onTotals: (files: number, bytes: number) => void,
): Promise<Survey> {
  const { scan, keysDistinct, onlyUnicodeTwins } = options
  const hashes = createKeyHashes()
  const suspects = new Set<string>()
  const missing: string[] = []
  let held: PlannedFile[] | undefined = []
  let files = 0
  let bytes = 0
  let junkSkipped = 0

  const countJunk = { junk: () => void (junkSkipped += 1) }
  for await (const file of scan(countJunk)) {
    files += 1
    bytes += file.size ?? 0
    if (file.missing) missing.push(file.path)
    if (held !== undefined && held.length < windowSize) held.push(file)
    else held = undefined
    const mayMeet = !keysDistinct && file.problem === undefined && !(onlyUnicodeTwins && isAscii(file.key))
    if (mayMeet && hashes.add(file.key)) suspects.add(file.key)
    onTotals(files, bytes)
  }
  if (files === missing.length) {
    if (!options.allowEmpty) throw nothingMatches(missing, junkSkipped)
    return { files: 0, bytes: 0, junkSkipped, held: [], isRepeat: () => false }
  }

  const again = held ?? scan({ junk: () => {} })
  const repeats = suspects.size === 0 ? noRepeats : await settle(again, suspects, options.cwd)
  return {
    files: files - repeats.files,
    bytes: bytes - repeats.bytes,
    junkSkipped,
    held,
    isRepeat: (file) => file.problem === undefined && (repeats.firstOf.get(file.key) ?? file.index) !== file.index,
  }
}

interface Repeats {
  /** For a key that is reached more than once: the file that is sent. */
  readonly firstOf: ReadonlyMap<string, number>
  /** Files that are not sent again, and their bytes. */
  readonly files: number
  readonly bytes: number
}

const noRepeats: Repeats = { firstOf: new Map(), files: 0, bytes: 0 }

/** Tells files that are reached twice from different files with one key, among keys whose hash was seen twice. */
async function settle(
  files: AsyncIterable<PlannedFile> | Iterable<PlannedFile>,
  suspects: ReadonlySet<string>,
  cwd: string,
): Promise<Repeats> {
  const first = new Map<string, PlannedFile>()
  const faults: string[] = []
  let repeated = 0
  let bytes = 0
  for await (const file of files) {
    if (file.problem !== undefined || !suspects.has(file.key)) continue
    const earlier = first.get(file.key)
    if (earlier === undefined) {
      first.set(file.key, file)
    } else if (await sameFile(earlier, file, cwd)) {
      repeated += 1
      bytes += file.size ?? 0
    } else if (faults.length < faultsShown) {
      faults.push(`${earlier.path} and ${file.path} would both become ${file.key}`)
    }
  }
  if (faults.length > 0) {
    throw new UsageError([...faults, 'nothing was sent; give them different keys with --base DIR or --key TEMPLATE, or rename one'])
  }
  return { firstOf: new Map([...first].map(([key, file]) => [key, file.index])), files: repeated, bytes }
}

async function sameFile(a: PlannedFile, b: PlannedFile, cwd: string): Promise<boolean> {
  const [one, other] = [resolve(cwd, a.absolute), resolve(cwd, b.absolute)]
  if (one === other) return true
  const [realOne, realOther] = await Promise.all([realpath(one), realpath(other)].map((path) => path.catch(() => undefined)))
  return realOne !== undefined && realOne === realOther
}

function nothingMatches(missing: readonly string[], junkSkipped: number): UsageError {
  if (missing.length === 0) {
    const junk = junkSkipped > 0 ? ` (${junkSkipped} passed over as system files)` : ''
    return new UsageError(`nothing to upload: no file matches the sources and filters${junk}; --allow-empty makes that no error`)
  }
  const shown = missing.slice(0, faultsShown).map((path) => `${path}: no such file`)
  return new UsageError(missing.length > faultsShown ? [...shown, `… and ${missing.length - faultsShown} more`] : shown)
}

function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is all of ASCII
  return /^[\u0000-\u007f]*$/.test(text)
}
