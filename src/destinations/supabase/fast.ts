import { checksummerOf } from '../../checksums/checksummer.ts'
import { automaticConcurrency } from '../../config/automatic-concurrency.ts'
import { unlessAborted } from '../../http/abort.ts'
import { createBufferPool } from '../../http/buffers.ts'
import type { WireAnswer, WireRequest } from '../../http/send.ts'
import { sendWhole } from '../../http/send-body.ts'
import type { Call, ObjectInfo, ObjectToPut, SmallCall } from '../destination.ts'
import { jsonIn, textOf } from './answer.ts'
import { checksumAlgorithmOf, partSize, type SupabaseEngine, type SupabaseSurroundings } from './engine.ts'
import { encodedKey } from './names.ts'
import { createPutHeaders } from './put-headers.ts'
import { createTusUploads } from './tus.ts'
import { sendRest } from './tus-body.ts'

type WholeObject = Omit<ObjectToPut, 'partSize'>

/** The engine of this program's own wire, for whole objects and for parts. */
export function openFastEngine(around: SupabaseSurroundings): SupabaseEngine {
  const { settings, bucket, project, wire, compareKey, explain, refusal } = around
  const requests = settings.concurrency === 'auto' ? automaticConcurrency.most : settings.concurrency
  const buffers = createBufferPool(settings.bufferSize, requests, settings.bufferBudget)
  const algorithm = checksumAlgorithmOf(settings)
  const checksummer = algorithm && checksummerOf(algorithm)
  const headersFor = createPutHeaders(project)
  const { origin, path } = project.rest
  const folder = `${path}/object/${encodedKey(bucket)}/`

  /** Stores one object by `send`; the server is told no checksum, which it would not look at. */
  const request = (object: WholeObject, size: number, body: WireRequest['body'], call: SmallCall) =>
    wire.send(
      {
        method: 'POST',
        origin,
        path: folder + encodedKey(object.key),
        ...headersFor(object, size),
        body,
        size,
        timeouts: call.timeouts,
        // The second would be refused for what the first has stored.
        isOnce: object.ifAbsent,
      },
      call.signal,
    )

  /** @throws UploadError where the object was not stored */
  function infoOf({ key }: WholeObject, size: number, answer: WireAnswer, value: string | undefined): ObjectInfo {
    const stored = keyIn(answer)
    if (stored === undefined) throw refusal(answer)
    compareKey(key, stored)
    return checksummer === undefined || value === undefined
      ? { key, size }
      : { key, size, checksum: { algorithm: checksummer.algorithm, value } }
  }

  return {
    engine: 'fast',

    async putObject(object, body, call) {
      try {
        const sending = sendRest({ body, from: 0, buffers, call, checksummer }, (bytes) =>
          request(object, body.size, bytes, call),
        )
        // A read from a dead network drive never ends: a stopped run does not wait for it.
        const { answer, checksum } = await unlessAborted(sending, call.signal)
        return infoOf(object, body.size, answer, checksum)
      } catch (error) {
        throw explain(error)
      }
    },

    small: {
      maxSize: Math.min(buffers.size, partSize),
      async put(object, body, smallCall) {
        const call: Call = { ...smallCall, requests: 1 }
        let value: string | undefined
        try {
          const sending = sendWhole({ body, buffers, call, checksummer }, (checksum, bytes) => {
            value = checksum
            return request(object, body.size, bytes, call)
          })
          const answer = await unlessAborted(sending, call.signal)
          return infoOf(object, body.size, answer, value)
        } catch (error) {
          throw explain(error)
        }
      },
    },

    multipart: createTusUploads({ ...around, buffers }),
    close() {},
  }
}

/** Where the server says it has put the object, `bucket/key`; undefined where it says no such thing. */
function keyIn(answer: WireAnswer): string | undefined {
  if (answer.status !== 200) return undefined
  const fields = jsonIn(answer) as { readonly Key?: unknown } | null | undefined
  return textOf(fields?.Key)
}
