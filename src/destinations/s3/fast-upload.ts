import type { S3Client } from '@aws-sdk/client-s3'
import { type Checksummer, checksummerOf } from '../../checksums/checksummer.ts'
import { UploadError } from '../../errors.ts'
import { unlessAborted } from '../../http/abort.ts'
import type { BufferPool } from '../../http/buffers.ts'
import type { Wire, WireAnswer } from '../../http/send.ts'
import { type SendWithBody, sendBody, sendWhole } from '../../http/send-body.ts'
import type {
  Call,
  Checksum,
  ChecksumAlgorithm,
  ObjectProperties,
  PartBody,
  SmallBody,
  SmallCall,
} from '../destination.ts'
import { mtimeText } from '../mtime.ts'
import { checksumNames } from './checksum.ts'
import type { ChecksumUse } from './checksum-use.ts'
import { conditionFields, propertyFields } from './object-fields.ts'
import { readError, type UploadTarget } from './read-error.ts'
import { type Renewal, saysExpired } from './renewal.ts'
import { createRequestSource, type RequestMaker, type RequestSource } from './request-source.ts'
import type { SigningCredentials } from './sign.ts'
import { capturePart, capturePut } from './template.ts'

/** What is sent. */
export interface FastObject extends UploadTarget {
  /** Only of a whole object. */
  readonly contentType?: string
  /** Only of a whole object; one and the same for many. */
  readonly properties?: ObjectProperties | undefined
  /** Only of a whole object: its file's modification time, to be kept with it; nanoseconds since the epoch. */
  readonly mtimeNs?: bigint | undefined
  /** Only of a whole object: store it where there is none. */
  readonly ifAbsent?: boolean | undefined
  /** Only of a part: the checksum its upload was begun with, where that is known; otherwise the run's. */
  readonly checksum?: ChecksumAlgorithm | 'none' | undefined
}

/** What requests of one template have in common is the same; their modification times only both are there, or not. */
type Kept = Pick<FastObject, 'properties' | 'ifAbsent' | 'mtimeNs'>
type Puts = Kept & { readonly source: RequestSource }

function isSameKind(one: Kept, other: Kept): boolean {
  return (
    one.properties === other.properties &&
    one.ifAbsent === other.ifAbsent &&
    (one.mtimeNs === undefined) === (other.mtimeNs === undefined)
  )
}

/** Templates that are kept: where each file has properties of its own, there would be one for each of a million. */
const mostKinds = 64

/** What the server says of what it stored. */
export interface Stored {
  readonly etag: string
  readonly versionId: string | undefined
  /** Where it was sent along. */
  readonly checksum: Checksum | undefined
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
  /** Of credentials that expire while they are used. */
  readonly renewal: Renewal
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
  const { client, bucket, wire, buffers, checksumBuffers, checksum, region, renewal } = options
  // A template has a place for the checksum of one kind, which may stay empty.
  const usual = checksum.algorithm() ?? 'crc32'
  /** The one used last comes last. */
  const kinds: Puts[] = []
  let lastKind: Puts | undefined
  const parts = new Map<ChecksumAlgorithm, RequestSource>()

  const partsWith = (algorithm: ChecksumAlgorithm): RequestSource => {
    let source = parts.get(algorithm)
    if (source === undefined) {
      source = createRequestSource(client, () => capturePart(client, bucket, algorithm), region, renewal)
      parts.set(algorithm, source)
    }
    return source
  }
  const algorithmOf = (object: FastObject): ChecksumAlgorithm | undefined => {
    if (object.checksum === undefined) return checksum.algorithm()
    return object.checksum === 'none' ? undefined : object.checksum
  }
  function putsOf({ properties, ifAbsent, mtimeNs }: Kept): Puts {
    const fields = { ...propertyFields({ properties, mtimeNs }), ...conditionFields(ifAbsent) }
    const capture = () => capturePut(client, bucket, usual, fields)
    return { properties, ifAbsent, mtimeNs, source: createRequestSource(client, capture, region, renewal) }
  }
  /** Most runs have one kind, or few: as a rule it is the one of the file before. */
  const putsWith = (object: Kept): RequestSource => {
    if (lastKind !== undefined && isSameKind(lastKind, object)) return lastKind.source
    const at = kinds.findIndex((kind) => isSameKind(kind, object))
    lastKind = kinds[at] ?? putsOf(object)
    if (at >= 0) kinds.splice(at, 1)
    else if (kinds.length === mostKinds) kinds.shift()
    kinds.push(lastKind)
    return lastKind.source
  }
  const sourceOf = (object: FastObject): RequestSource =>
    object.part === undefined ? putsWith(object) : partsWith(algorithmOf(object) ?? usual)

  /**
   * Sends once; what the server says against it is thrown, but where the same may go through if it is sent at once
   * again, in another way.
   */
  async function attempt(
    object: FastObject,
    size: number,
    source: RequestSource,
    maker: RequestMaker,
    { signal, timeouts }: SmallCall,
    begin: (checksummer: Checksummer | undefined, send: SendWithBody) => Promise<WireAnswer>,
  ): Promise<Stored | Refused> {
    const algorithm = algorithmOf(object)
    const { key, contentType, part } = object
    const mtime = object.mtimeNs === undefined ? undefined : mtimeText(object.mtimeNs)
    let sent: string | undefined
    let signer: SigningCredentials | undefined
    const sending = begin(algorithm && checksummerOf(algorithm), (value, body) => {
      sent = value
      signer = source.signer()
      const { path, headers } = maker.make({ key, contentType, part, size, mtime, checksum: value })
      // The second would be refused for what the first has stored.
      const isOnce = object.ifAbsent
      return wire.send({ method: 'PUT', origin: maker.origin, path, headers, body, size, timeouts, isOnce }, signal)
    })
    // A read from a dead network drive never ends: a stopped run does not wait for it.
    const answer = await unlessAborted(sending, signal)
    const stored = storedOf(answer, algorithm, sent)
    if (stored !== undefined) return stored
    const refused = await readError(client, bucket, object, answer)
    const isElsewhere = source.isOutdated(maker)
    if (isElsewhere || (algorithm !== undefined && checksum.isRefusedBy(refused))) return { refused }
    // What asks for credentials may take its time, or wait for somebody.
    const isRenewed = saysExpired(refused) && signer !== undefined && unlessAborted(source.renew(signer), signal)
    if (await isRenewed) return { refused }
    throw refused
  }

  return {
    async upload(object, body, call) {
      for (let turn = 1; ; turn += 1) {
        const source = sourceOf(object)
        const maker = source.now() ?? (await source.get())
        const outcome = await attempt(object, body.size, source, maker, call, (checksummer, send) =>
          sendBody({ body, buffers, checksumBuffers, call, checksummer }, send),
        )
        if ('etag' in outcome) return outcome
        if (turn === mostSendings) throw outcome.refused
      }
    },

    async uploadSmall(object, body, smallCall) {
      const source = putsWith(object)
      const maker = source.now()
      if (maker === undefined) return undefined
      const call: Call = { ...smallCall, requests: 1 }
      const outcome = await attempt(object, body.size, source, maker, call, (checksummer, send) =>
        sendWhole({ body, buffers, call, checksummer }, send),
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
function storedOf(
  { status, headers, body }: WireAnswer,
  algorithm: ChecksumAlgorithm | undefined,
  sent: string | undefined,
): Stored | undefined {
  const { etag, 'x-amz-version-id': versionId } = headers
  if (status !== 200 || etag === undefined || body.length > 0) return undefined
  if (algorithm === undefined || sent === undefined) return { etag, versionId, checksum: undefined }
  const kept = headers[checksumNames[algorithm].header]
  // Empty where a server has none.
  if (!kept || kept === sent) return { etag, versionId, checksum: { algorithm, value: sent } }
  throw new UploadError('CHECKSUM_MISMATCH', 'the server stored other bytes than were sent')
}
