import type { Call, Destination, ObjectInfo, ObjectToPut, Part } from '../../src/destinations/destination.ts'
import { aCall, bodyOf } from './bodies.ts'

/** Stores an object as a transfer does: part by part where it is large and the destination can, otherwise as a whole. */
export async function storeObject(
  destination: Destination,
  object: ObjectToPut,
  bytes: Uint8Array,
  call: Call = aCall(),
): Promise<ObjectInfo> {
  const { multipart } = destination
  if (multipart === undefined || bytes.length <= object.partSize) {
    return destination.putObject(object, bodyOf(bytes), call)
  }
  const upload = await multipart.create({ ...object, size: bytes.length }, call)
  const starts = Array.from({ length: Math.ceil(bytes.length / object.partSize) }, (_, at) => at * object.partSize)
  const sendPart = (start: number, at: number) =>
    upload.uploadPart(at + 1, bodyOf(bytes.subarray(start, start + object.partSize)), call)
  if (upload.isSequential !== true) return upload.complete(await Promise.all(starts.map(sendPart)), call)
  const parts: Part[] = []
  for (const [at, start] of starts.entries()) parts.push(await sendPart(start, at))
  return upload.complete(parts, call)
}
