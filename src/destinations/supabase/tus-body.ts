import type { Checksummer, RunningChecksum } from '../../checksums/checksummer.ts'
import { refuseAborted } from '../../http/abort.ts'
import type { BufferPool } from '../../http/buffers.ts'
import type { Pieces } from '../../http/connection.ts'
import type { WireAnswer, WireRequest } from '../../http/send.ts'
import { fill, sendBody } from '../../http/send-body.ts'
import type { Call, PartBody } from '../destination.ts'

/** A part to be sent, from some byte on. */
export interface PartSending {
  readonly body: PartBody
  /** Bytes of it that the server has already. */
  readonly from: number
  readonly buffers: BufferPool
  readonly call: Call
  /** Undefined: no checksum is made. */
  readonly checksummer: Checksummer | undefined
}

/** What came of it; the checksum is that of the whole part. */
export interface PartSent {
  readonly answer: WireAnswer
  readonly checksum: string | undefined
}

/**
 * Sends the rest of a part. Its checksum, which no request carries, is made of the bytes as they leave, so that a part is
 * read once; of one that goes on in its middle, what the server has already is read for it, too.
 */
export async function sendRest(
  { body, from, buffers, call, checksummer }: PartSending,
  send: (bytes: WireRequest['body']) => Promise<WireAnswer>,
): Promise<PartSent> {
  let running: RunningChecksum | undefined
  const begin = async (): Promise<void> => {
    running = checksummer?.begin()
    if (running !== undefined && from > 0) await addBeginning(running, { body, from, buffers, call })
  }
  async function* summed(pieces: Pieces): AsyncGenerator<Uint8Array> {
    await begin()
    for await (const piece of pieces) {
      running?.update(piece)
      yield piece
    }
  }
  const rest = from === 0 ? body : restOf(body, from)
  const { onBytes } = call
  const restCall: Call = onBytes === undefined ? call : { ...call, onBytes: (sent) => onBytes(from + sent) }
  const reading = { body: rest, buffers, checksumBuffers: buffers, call: restCall, checksummer: undefined }
  const answer = await sendBody(reading, async (_, bytes) => {
    if (typeof bytes === 'function') return send(() => summed(bytes()))
    await begin()
    running?.update(bytes)
    return send(bytes)
  })
  return { answer, checksum: await running?.result() }
}

/**
 * The checksum of a part of which the server has all bytes.
 *
 * @throws UploadError SOURCE_*, where the file is no longer as it was; CANCELLED
 */
export async function readChecksum(sending: Omit<PartSending, 'from'>): Promise<string | undefined> {
  const { body, checksummer } = sending
  if (checksummer === undefined) return undefined
  const running = checksummer.begin()
  await addBeginning(running, { ...sending, from: body.size })
  return running.result()
}

async function addBeginning(
  running: RunningChecksum,
  { body, from, buffers, call }: Omit<PartSending, 'checksummer'>,
): Promise<void> {
  const reader = await body.openReader()
  // Where there is no second buffer, waiting for one could wait for oneself.
  const pooled = buffers.takeSpare()
  const buffer = pooled ?? Buffer.allocUnsafe(64 * 1024)
  try {
    for (let offset = 0; offset < from; ) {
      refuseAborted(call.signal)
      const bytesRead = await reader.read(buffer.subarray(0, Math.min(buffer.length, from - offset)), offset)
      running.update(buffer.subarray(0, bytesRead))
      offset += bytesRead
    }
    await reader.compare()
  } finally {
    if (pooled !== undefined) buffers.give(pooled)
    await reader.close()
  }
}

/** The bytes of a body from an offset on, as a body of its own. */
function restOf(body: PartBody, from: number): PartBody {
  const size = body.size - from
  return {
    size,
    open: (more = 0) => body.open(from + more),
    stream: (more = 0) => body.stream(from + more),
    async readAll(into) {
      const reader = await body.openReader()
      try {
        await fill(reader, into.subarray(0, size), from)
        await reader.compare()
      } finally {
        await reader.close()
      }
    },
    async openReader() {
      const reader = await body.openReader()
      return { ...reader, read: (into, offset) => reader.read(into, from + offset) }
    },
  }
}
