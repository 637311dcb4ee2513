import type { S3Client } from '@aws-sdk/client-s3'
import { UploadError } from '../../errors.ts'
import type { BufferPool } from '../../http/buffers.ts'
import type { Wire, WireAnswer } from '../../http/send.ts'
import { unlessAborted } from '../abort.ts'
import type { Call, PartBody, SmallBody, SmallCall } from '../destination.ts'
import type { ChecksumUse } from './checksum-use.ts'
import { readError, type UploadTarget } from './read-error.ts'
import { createRequestSource, type RequestMaker, type RequestSource } from './request-source.ts'
import { type SendWithBody, sendBody, sendWhole } from './send-body.ts'
import { capturePart, capturePut } from './template.ts'

/** What is sent. */
export interface FastObject extends UploadTarget {
  /** Only of a whole object. */
  readonly contentType?: string
}

/** What the server says of what it stored. */
export interface Stored {
  readonly etag: string
  readonly versionId: string | undefined
  /** CRC-32 in base64, where it was sent along. */
  readonly crc32: string | undefined
}

export interface FastUploadOptions {
  readonly client: S3Client
  readonly bucket: string
  readonly wire: Wire
  readonly buffers: BufferPool
  readonly checksumBuffers: BufferPool
  readonly checksum: ChecksumUse
  /** Changes when the bucket turned out to be in another region. */
  readonly region: () => string | undefined
}

/** `PutObject` and `UploadPart`. Both throw what the SDK throws, errors of the network, and those of the body. */
export interface FastUpload {
  upload(object: FastObject, body: PartBody, call: Call): Promise<Stored>
  /** The same for a small file, at less cost; undefined where it has to go by {@link upload}, and was not stored. */
  uploadSmall(object: FastObject, body: SmallBody, call: SmallCall): Promise<Stored | undefined>
}

/** A request goes again at once where the server said what was wrong with it: another region, no checksum. */
const mostSendings = 3

/** Uploads by this program's own wire, with requests copied from the SDK's. What the server refuses, the SDK reads. */
export function createFastUpload(options: FastUploadOptions): FastUpload {
  const { client, bucket, wire, buffers, checksumBuffers, checksum, region } = options
  const puts = createRequestSource(client, () => capturePut(client, bucket), region)
  const parts = createRequestSource(client, () => capturePart(client, bucket), region)

  const sourceOf = (object: FastObject): RequestSource => (object.part === undefined ? puts : parts)

  /**
   * Sends once; what the server says against it is thrown, but where the same may go through if it is sent at once
   * again, in another way.
   */
  async function attempt(
    object: FastObject,
    size: number,
    maker: RequestMaker,
    signal: AbortSignal,
    begin: (wantsChecksum: boolean, send: SendWithBody) => Promise<WireAnswer>,
  ): Promise<Stored | Refused> {
    const wantsChecksum = checksum.isOn()
    let sentCrc32: string | undefined
    const sending = begin(wantsChecksum, (crc32, body) => {
      sentCrc32 = crc32
      const { path, headers } = maker.make({ ...object, size, crc32 })
      return wire.send({ method: 'PUT', origin: maker.origin, path, headers, body }, signal)
    })
    // A read from a dead network drive never ends: a stopped run does not wait for it.
    const answer = await unlessAborted(sending, signal)
    const stored = storedOf(answer, sentCrc32)
    if (stored !== undefined) return stored
    const refused = await readError(client, bucket, object, answer)
    const isElsewhere = sourceOf(object).isOutdated(maker)
    if (isElsewhere || (wantsChecksum && checksum.isRefusedBy(refused))) return { refused }
    throw refused
  }

  return {
    async upload(object, body, call) {
      for (let turn = 1; ; turn += 1) {
        const source = sourceOf(object)
        const maker = source.now() ?? (await source.get())
        const outcome = await attempt(object, body.size, maker, call.signal, (wantsChecksum, send) =>
          sendBody({ body, buffers, checksumBuffers, call, wantsChecksum }, send),
        )
        if ('etag' in outcome) return outcome
        if (turn === mostSendings) throw outcome.refused
      }
    },

    async uploadSmall(object, body, smallCall) {
      const maker = puts.now()
      if (maker === undefined) return undefined
      const call: Call = { ...smallCall, requests: 1 }
      const outcome = await attempt(object, body.size, maker, call.signal, (wantsChecksum, send) =>
        sendWhole({ body, buffers, call, wantsChecksum }, send),
      )
      return 'etag' in outcome ? outcome : undefined
    },
  }
}

/** Why a request was refused that may go through in another way. */
interface Refused {
  readonly refused: unknown
}

/**
 * @returns undefined where the answer is no success
 * @throws UploadError `CHECKSUM_MISMATCH` where the server stored other bytes than were sent.
 */
function storedOf({ status, headers, body }: WireAnswer, crc32: string | undefined): Stored | undefined {
  const { etag, 'x-amz-version-id': versionId, 'x-amz-checksum-crc32': storedCrc32 } = headers
  if (status !== 200 || etag === undefined || body.length > 0) return undefined
  if (crc32 === undefined || storedCrc32 === undefined || storedCrc32 === crc32) return { etag, versionId, crc32 }
  throw new UploadError('CHECKSUM_MISMATCH', 'the server stored other bytes than were sent')
}
