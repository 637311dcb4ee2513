import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Checksummer } from '../checksums/checksummer.ts'
import type { Call, PartBody, PartReader, SmallBody } from '../destinations/destination.ts'
import { refuseAborted } from './abort.ts'
import { type BufferPool, leastBufferSize } from './buffers.ts'
import type { WireAnswer, WireRequest } from './send.ts'

/** Sends a request whose body is there, and whose checksum (in base64) is known. */
export type SendWithBody = (checksum: string | undefined, body: WireRequest['body']) => Promise<WireAnswer>

export interface BodyOptions {
  readonly body: PartBody
  readonly buffers: BufferPool
  /** Where bodies are read into for their checksum: larger, and few. */
  readonly checksumBuffers: BufferPool
  readonly call: Call
  /** Makes the checksum that goes with it; undefined: none does. */
  readonly checksummer: Checksummer | undefined
}

/**
 * Reads a body into fixed buffers and sends it, its checksum first. A small body is read once; a larger one twice, since
 * its checksum stands in a header (a trailer would spare the second reading, but many servers refuse trailers, or store
 * their framing as content: https://github.com/aws/aws-sdk-js-v3/issues/6810).
 *
 * A buffer goes back to the others only once the request has ended, with an answer or with its connection closed: until
 * then a socket may still be reading from it.
 */
export function sendBody(options: BodyOptions, send: SendWithBody): Promise<WireAnswer> {
  const { body, buffers, call } = options
  const pieceSize = Math.min(buffers.size, call.pacer?.pieceSize ?? buffers.size)
  return body.size <= pieceSize ? sendWhole(options, send) : sendPieces(options, pieceSize, send)
}

/** The same for a body that one buffer holds, which is read in one go. */
export async function sendWhole(
  { body, buffers, call, checksummer }: Omit<BodyOptions, 'body' | 'checksumBuffers'> & { readonly body: SmallBody },
  send: SendWithBody,
): Promise<WireAnswer> {
  const taken = buffers.take()
  const buffer = taken instanceof Buffer ? taken : await taken
  try {
    await body.readAll(buffer)
  } catch (error) {
    buffers.give(buffer)
    throw error
  }
  const bytes = buffer.subarray(0, body.size)
  let answer: WireAnswer
  try {
    await call.pacer?.take(body.size, call.signal)
    const checksum = checksummer?.of(bytes)
    answer = await send(typeof checksum === 'object' ? await checksum : checksum, bytes)
  } finally {
    buffers.give(buffer)
  }
  if (isSuccess(answer)) call.onBytes?.(body.size)
  return answer
}

async function sendPieces(options: BodyOptions, pieceSize: number, send: SendWithBody): Promise<WireAnswer> {
  const { body } = options
  const reader = await body.openReader()
  try {
    const { view } = reader
    const checksum = options.checksummer && (await checksumOf(reader, options, options.checksummer))
    if (view !== undefined) {
      const call = tellingMore(options.call)
      return await send(checksum, () => viewsOf(view, pieceSize, { body, call }))
    }
    return await sendFrom(reader, options, pieceSize, (newPieces) => send(checksum, newPieces))
  } finally {
    await reader.close()
  }
}

async function sendFrom(
  reader: PartReader,
  { body, buffers, call }: BodyOptions,
  pieceSize: number,
  send: (newPieces: () => AsyncIterable<Uint8Array>) => Promise<WireAnswer>,
): Promise<WireAnswer> {
  const first = await buffers.take()
  const second = buffers.takeSpare()
  const both = second === undefined ? [first] : [first, second]
  let pieces: Pieces | undefined
  const told = tellingMore(call)
  try {
    return await send(async function* () {
      // The same buffers serve a request that has to be sent again.
      await pieces?.end()
      pieces = piecesOf(reader, both, pieceSize, { body, call: told })
      yield* pieces.all
    })
  } finally {
    await pieces?.end()
    for (const buffer of both) buffers.give(buffer)
  }
}

/** The same call, told of bytes only where these are more than before: what goes again has left before. */
function tellingMore(call: Call): Call {
  let sent = 0
  return {
    ...call,
    onBytes(bytes) {
      if (bytes > sent) call.onBytes?.(bytes)
      sent = Math.max(sent, bytes)
    },
  }
}

/** What is in memory goes out as it lies there. */
async function* viewsOf(
  view: NonNullable<PartReader['view']>,
  pieceSize: number,
  { body, call }: Pick<BodyOptions, 'body' | 'call'>,
): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < body.size; ) {
    const piece = view(offset, pieceSize)
    await call.pacer?.take(piece.length, call.signal)
    refuseAborted(call.signal)
    yield piece
    offset += piece.length
    call.onBytes?.(offset)
  }
}

interface Pieces {
  readonly all: AsyncIterable<Uint8Array>
  /** Resolves when nothing is being read any more. */
  end(): Promise<void>
}

/** Reads one buffer ahead where there are two. A piece is whatever its buffer holds until the next is asked for. */
function piecesOf(
  reader: PartReader,
  buffers: readonly Buffer[],
  pieceSize: number,
  { body, call }: Pick<BodyOptions, 'body' | 'call'>,
): Pieces {
  const { size } = body
  let reading: Promise<Buffer> | undefined

  const read = (offset: number, turn: number): Promise<Buffer> => {
    const buffer = buffers[turn % buffers.length] as Buffer
    reading = fill(reader, buffer.subarray(0, Math.min(pieceSize, size - offset)), offset)
    // It may never be waited for.
    reading.catch(() => {})
    return reading
  }

  async function* generate(): AsyncGenerator<Uint8Array> {
    let turn = 0
    let ahead = read(0, turn)
    for (let offset = 0; offset < size; turn += 1) {
      const piece = await ahead
      const end = offset + piece.length
      if (end === size) await reader.compare()
      await call.pacer?.take(piece.length, call.signal)
      refuseAborted(call.signal)
      if (end < size && buffers.length > 1) ahead = read(end, turn + 1)
      // Smaller pieces are taken over without a wait: these must not be overwritten.
      yield piece.length < leastBufferSize && end < size ? Buffer.from(piece) : piece
      offset = end
      call.onBytes?.(offset)
      if (end < size && buffers.length === 1) ahead = read(end, turn + 1)
    }
  }

  const all = generate()
  return {
    all,
    async end() {
      await all.return(undefined)
      await reading?.catch(() => {})
    },
  }
}

/** Reads in long strides: each takes a trip to the thread pool. */
async function checksumOf(
  reader: PartReader,
  { body, call, checksumBuffers }: BodyOptions,
  checksummer: Checksummer,
): Promise<string> {
  if (reader.view !== undefined) return checksumOfViews(reader.view, body.size, checksumBuffers.size, checksummer)
  const buffer = await checksumBuffers.take()
  try {
    const checksum = checksummer.begin()
    for (let offset = 0; offset < body.size; ) {
      refuseAborted(call.signal)
      const bytesRead = await reader.read(buffer, offset)
      checksum.update(buffer.subarray(0, bytesRead))
      offset += bytesRead
    }
    return await checksum.result()
  } finally {
    checksumBuffers.give(buffer)
  }
}

async function checksumOfViews(
  view: NonNullable<PartReader['view']>,
  size: number,
  stride: number,
  checksummer: Checksummer,
): Promise<string> {
  const checksum = checksummer.begin()
  for (let offset = 0; offset < size; ) {
    const bytes = view(offset, stride)
    checksum.update(bytes)
    offset += bytes.length
    // Other requests have their turn in between.
    if (offset < size) await nextTurn()
  }
  return checksum.result()
}

/** Reads until `into` is full: one read may well give less. */
export async function fill(reader: PartReader, into: Buffer, offset: number): Promise<Buffer> {
  for (let done = 0; done < into.length; ) done += await reader.read(into.subarray(done), offset + done)
  return into
}

function isSuccess({ status }: WireAnswer): boolean {
  return status >= 200 && status < 300
}
