import type { WireAnswer } from '../../http/send.ts'
import type { Destination, ObjectInfo } from '../destination.ts'
import { isSuccess, jsonIn, textOf, timeOf } from './answer.ts'
import { askForInfo, createAsk, saysMissing } from './ask.ts'
import type { SupabaseSurroundings } from './engine.ts'
import { createListing } from './list.ts'
import { encodedKey } from './names.ts'

/**
 * What is asked of objects apart from their bytes; both engines do it in this way.
 * https://supabase.github.io/storage
 */
export function createObjectRequests(
  around: SupabaseSurroundings,
): Pick<Destination, 'headObject' | 'deleteObject' | 'listObjects'> {
  const { refusal } = around
  const here = encodedKey(around.bucket)
  const ask = createAsk(around)

  return {
    async headObject(key, call) {
      const answer = await askForInfo(ask, around, key, call)
      if (answer === undefined) return undefined
      const info = infoIn(answer, key)
      if (info === undefined) throw refusal(answer)
      return info
    },

    async deleteObject(key, _versionId, call) {
      const answer = await ask('DELETE', `${here}/${encodedKey(key)}`, call)
      if (!isSuccess(answer) && !saysMissing(answer)) throw refusal(answer)
    },

    listObjects: createListing(here, ask, refusal),
  }
}

interface InfoFields {
  readonly size?: unknown
  readonly etag?: unknown
  readonly last_modified?: unknown
}

function infoIn(answer: WireAnswer, key: string): ObjectInfo | undefined {
  const info = jsonIn(answer) as InfoFields | null | undefined
  if (typeof info?.size !== 'number') return undefined
  return { key, size: info.size, etag: textOf(info.etag), lastModified: timeOf(info.last_modified) }
}
