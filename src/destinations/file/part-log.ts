import { type FileHandle, open, readFile, unlink } from 'node:fs/promises'
import type { ObjectToPut, Part } from '../destination.ts'

/**
 * Which parts of a half-written object are there. Kept in a file of JSON lines beside it, appended to after the part's
 * bytes are on the disk: what a killed process had not recorded was not written.
 */
export interface PartLog {
  readonly partSize: number
  /** In order of their number. */
  parts(): readonly LoggedPart[]
  add(part: LoggedPart): Promise<void>
  /** Before a part is written again: until it is whole, it does not count. */
  forget(partNumber: number): Promise<void>
  remove(): Promise<void>
}

/** A part, and where it lies; without an offset, behind as many others of the part size. */
export interface LoggedPart extends Part {
  readonly start?: number | undefined
}

/** Offset of a part in its object. */
export function startOf({ partNumber, start }: LoggedPart, partSize: number): number {
  return start ?? (partNumber - 1) * partSize
}

interface Head {
  readonly key: string
  readonly partSize: number
}

/** Of a log's name, behind that of the file that takes the parts. */
export const logEnding = '.parts'

/** @param path of the file that takes the parts */
export async function createPartLog(path: string, { key, partSize }: ObjectToPut): Promise<PartLog> {
  const file = await open(path + logEnding, 'wx')
  try {
    await appendLine(file, { key, partSize })
  } finally {
    await file.close()
  }
  return logOf(path, partSize, new Map())
}

/**
 * The log of an upload begun earlier; undefined where there is none for this key.
 *
 * @param size of the file that takes the parts: one that ends behind it cannot be whole
 */
export async function readPartLog(path: string, key: string, size: number): Promise<PartLog | undefined> {
  const text = await readFile(path + logEnding, 'utf8').catch(() => '')
  // The last line counts only with its end: a killed process may have left a torn one.
  const [first, ...others] = text
    .split('\n')
    .slice(0, -1)
    .filter((line) => line !== '')
  const head = parseLine<Head>(first)
  if (head?.key !== key || !Number.isSafeInteger(head.partSize)) return undefined
  const parts = new Map<number, LoggedPart>()
  for (const line of others) {
    const part = parseLine<LoggedPart>(line)
    if (part === undefined) continue
    if (part.size >= 0 && startOf(part, head.partSize) + part.size <= size) parts.set(part.partNumber, part)
    else parts.delete(part.partNumber)
  }
  return logOf(path, head.partSize, parts)
}

/** The key of an upload begun earlier; undefined where its log does not say. */
export async function readPartLogKey(path: string): Promise<string | undefined> {
  const text = await readFile(path + logEnding, 'utf8').catch(() => '')
  const first = text.split('\n', 2).find((line) => line !== '')
  const key: unknown = parseLine<Partial<Head>>(first)?.key
  return typeof key === 'string' ? key : undefined
}

function logOf(path: string, partSize: number, parts: Map<number, LoggedPart>): PartLog {
  async function append(part: LoggedPart): Promise<void> {
    const file = await open(path + logEnding, 'a')
    try {
      await appendLine(file, part)
    } finally {
      await file.close()
    }
  }
  return {
    partSize,
    parts: () => [...parts.values()].sort((a, b) => a.partNumber - b.partNumber),
    async add(part) {
      await append(part)
      parts.set(part.partNumber, part)
    },
    async forget(partNumber) {
      if (!parts.delete(partNumber)) return
      await append({ partNumber, size: -1 })
    },
    remove: () => unlink(path + logEnding).catch(() => {}),
  }
}

/** One write, so that lines of several parts at once do not mix; begun with an end, in case the last line was torn. */
async function appendLine(file: FileHandle, line: Head | LoggedPart): Promise<void> {
  await file.appendFile(`\n${JSON.stringify(line)}\n`)
}

function parseLine<Line>(line: string | undefined): Line | undefined {
  try {
    return line === undefined ? undefined : (JSON.parse(line) as Line)
  } catch {
    return undefined
  }
}
