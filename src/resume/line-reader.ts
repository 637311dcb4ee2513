import { open } from 'node:fs/promises'

/** Reads lines of a file by where they begin. Those near the last one come from memory: files are found in about the order they were recorded in. */
export interface LineReader {
  /** The line without its newline; undefined where the file ends before it does. */
  read(offset: number): Promise<Buffer | undefined>
  close(): Promise<void>
}

const windowSize = 2 ** 16
/** Bytes kept from before the line that was asked for. */
const before = 2 ** 13
const newline = 0x0a

export async function openLineReader(path: string): Promise<LineReader> {
  const file = await open(path, 'r')
  let window: Window = { start: 0, bytes: Buffer.alloc(0) }
  const load = async (start: number, size: number): Promise<Window> => {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafeSlow(size), 0, size, start)
    return { start, bytes: buffer.subarray(0, bytesRead) }
  }
  return {
    async read(offset) {
      let line = lineIn(window, offset)
      for (let size = windowSize; line === undefined; size *= 2) {
        const loaded = await load(Math.max(0, offset - before), size)
        line = lineIn(loaded, offset)
        window = loaded
        if (line === undefined && loaded.bytes.length < size) return undefined
      }
      return line
    },
    close: () => file.close(),
  }
}

interface Window {
  readonly start: number
  readonly bytes: Buffer
}

function lineIn({ start, bytes }: Window, offset: number): Buffer | undefined {
  const from = offset - start
  if (from < 0 || from >= bytes.length) return undefined
  const end = bytes.indexOf(newline, from)
  return end === -1 ? undefined : bytes.subarray(from, end)
}
