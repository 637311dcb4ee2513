import { close, open, read } from 'node:fs'
import { unlessCrowded } from '../sources/crowded.ts'
import { markupOf, textOf } from './text-bytes.ts'

/** What a file's bytes say of its type. */
export interface TypeByBytes {
  /** `text/plain` for any text without a mark of its own, `application/octet-stream` where nobody knows. */
  readonly type: string
  readonly isText: boolean
}

/** How many bytes are looked at first: as many as the library wants. Most of what it knows is told by fewer. */
export const headSize = 4100

/** Loaded only where somebody asks for types by bytes. */
const library = () => import('file-type')

/** The types that files are recognised as, as the library and {@link ownMarks} name them. */
export async function recognisedTypes(): Promise<readonly string[]> {
  const { supportedMimeTypes } = await library()
  return [...supportedMimeTypes, ...ownMarks.map(({ type }) => type)]
}

/**
 * Reads the beginning of a file and tells its type. Files that are known by what stands further in, ZIP above all, are
 * read there too, in small pieces and at most a few MiB.
 *
 * @param size bytes
 * @returns undefined for an empty file
 * @throws Error of the file system
 */
export async function typeOfFile(absolute: string, size: number): Promise<TypeByBytes | undefined> {
  const head = await unlessCrowded(() => readHead(absolute, Math.min(size, headSize)))
  const isWhole = head.length >= size
  const found = await typeOfHead(head, isWhole)
  if (found === undefined || isWhole || !saysLittle(head, found)) return found
  const { fileTypeFromFile } = await library()
  const further = await unlessCrowded(() => fileTypeFromFile(absolute)).catch((error) => {
    if (isOfSystem(error)) throw error
    // What is damaged, or not as it should be, further in is still what it begins as.
    return undefined
  })
  return further === undefined ? found : { type: further.mime, isText: false }
}

/** Whether the file could not be read, rather than made sense of. */
function isOfSystem(error: unknown): boolean {
  return typeof (error as NodeJS.ErrnoException).syscall === 'string'
}

/** Whether more of a file may tell more of its type. */
function saysLittle(head: Buffer, { type, isText }: TypeByBytes): boolean {
  if (isText) return false
  // Before other sound than MPEG's there are ID3 tags, too, and pictures in them.
  return type === 'application/zip' || type === unknown.type || head.toString('latin1', 0, 3) === 'ID3'
}

const unknown: TypeByBytes = { type: 'application/octet-stream', isText: false }

/**
 * The type that the beginning of a file stands for. It is looked at as text first: what is text is no sound and no
 * picture, even if it begins with `BM` or `ID3`.
 *
 * @param head all of the file, or {@link headSize} bytes
 * @returns undefined for an empty file
 */
export async function typeOfHead(head: Buffer, isWhole: boolean): Promise<TypeByBytes | undefined> {
  if (head.length === 0) return undefined
  const text = textOf(head, isWhole)
  // Browsers take a page for one in any encoding, and whatever comes after its beginning.
  const markup = markupOf(text ?? head.toString('latin1').replace(/^ï»¿/, ''))
  if (markup !== undefined) return { type: markup, isText: true }
  if (text !== undefined) return { type: documentOf(text) ?? 'text/plain', isText: true }
  const own = ownMarks.find(({ mark }) => mark.test(head.toString('latin1', 0, 16)))
  if (own !== undefined) return { type: own.type, isText: false }
  const { fileTypeFromBuffer } = await library()
  const found = await fileTypeFromBuffer(head).catch(() => undefined)
  return found === undefined ? unknown : { type: found.mime, isText: false }
}

/** Documents that begin with letters, and may have nothing else. */
function documentOf(text: string): string | undefined {
  if (text.startsWith('%PDF-')) return 'application/pdf'
  if (text.startsWith('{\\rtf')) return 'application/rtf'
  return text.startsWith('%!PS') ? 'application/postscript' : undefined
}

/** What the library does not know of sound, or would look into for longer than is worth it. */
const ownMarks: readonly { readonly type: string; readonly mark: RegExp }[] = [
  // WAV beyond 4 GiB: https://tech.ebu.ch/publications/tech3306 and ITU-R BS.2088
  { type: 'audio/wav', mark: /^(?:RF64|BW64).{4}WAVE/s },
  { type: 'audio/x-caf', mark: /^caff\0/ },
  { type: 'audio/basic', mark: /^\.snd\0/ },
  // It would be unpacked to see whether there is a tar inside.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the mark has two
  { type: 'application/gzip', mark: /^\x1f\x8b\x08/ },
]

/** Fewer than `size` bytes only where the file has no more. */
function readHead(absolute: string, size: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    open(absolute, 'r', (error, fd) => {
      if (error) return reject(error)
      const head = Buffer.allocUnsafe(size)
      read(fd, head, 0, size, 0, (failed, bytesRead) => {
        close(fd, () => (failed ? reject(failed) : resolve(head.subarray(0, bytesRead))))
      })
    })
  })
}
