import { unlessAborted } from '../../http/abort.ts'
import type { WireAnswer } from '../../http/send.ts'
import type { Call } from '../destination.ts'
import type { SupabaseSurroundings } from './engine.ts'
import { readRefusal } from './errors.ts'
import { fixedLimits } from './limits.ts'
import { encodedKey } from './names.ts'
import { hostOf } from './project.ts'

/**
 * Asks the server for something below `/object/`; the answer may be of any status.
 *
 * @param input sent as JSON
 * @throws UploadError where there was no answer
 */
export type Ask = (method: string, route: string, call: Call, input?: unknown) => Promise<WireAnswer>

const nothing = Buffer.alloc(0)

/** Buckets whose name begins another route of the server's. */
const namesRoute = new Set(['authenticated', 'public'])

/** Requests go to the project's own address, with its key. */
export function createAsk({ project, patience, wire, explain }: SupabaseSurroundings): Ask {
  const { rest } = project
  const timeouts = fixedLimits(patience)
  return async (method, route, { signal }, input) => {
    const body = input === undefined ? nothing : Buffer.from(JSON.stringify(input))
    // An empty body that is said to be JSON is refused.
    const about = input === undefined ? [] : ['content-type', 'application/json', 'content-length', `${body.length}`]
    try {
      const headers = ['host', hostOf(rest), ...project.authorization(), ...about]
      const path = `${rest.path}/object/${route}`
      const request = { method, origin: rest.origin, path, headers, body, size: body.length, timeouts }
      return await unlessAborted(wire.send(request, signal), signal)
    } catch (error) {
      throw explain(error)
    }
  }
}

/**
 * What the server says of an object; undefined where there is none.
 *
 * @throws UploadError
 */
export async function askForInfo(
  ask: Ask,
  { bucket, refusal }: Pick<SupabaseSurroundings, 'bucket' | 'refusal'>,
  key: string,
  call: Call,
): Promise<WireAnswer | undefined> {
  const route = `info/${namesRoute.has(bucket) ? 'authenticated/' : ''}${encodedKey(bucket)}/${encodedKey(key)}`
  const answer = await ask('GET', route, call)
  if (answer.status === 200) return answer
  if (saysMissing(answer)) return undefined
  throw refusal(answer)
}

/** Whether there is no object under the key; a bucket that is not there is another matter. */
export function saysMissing(answer: WireAnswer): boolean {
  const { status, names, words } = readRefusal(answer)
  return status === 404 && (names.includes('NoSuchKey') || /^object not found/i.test(words))
}
