import type { Call, Destination, ObjectInfo } from '../../destinations/destination.ts'
import { toUploadError } from '../../errors.ts'
import type { KeyScope } from '../../plan/keys/key-scope.ts'
import { createObjectIndex } from './object-index.ts'

/** Up to so many files, each key is asked for: as cheap as a listing, and nobody else's objects are looked at. */
const askedOneByOne = 100
/**
 * Objects that are listed for each file, at most. An answer names a hundred (Supabase) to a thousand, so a listing that
 * is given up for there being too many others has cost a fifth of what asking for each key costs.
 */
const mostListed = 20

/** What a listing said. */
export interface ListedObjects {
  /** Whether the key would have been listed, if it were there. */
  covers(key: string): boolean
  find(key: string): ObjectInfo | undefined
}

/**
 * Lists what is there, where that takes fewer requests than to ask for each key by itself. One attempt: a listing cannot
 * be taken up in its middle.
 *
 * @param say for what is worth knowing with `-v`
 * @returns undefined where keys are to be asked for one by one: there are few of them, or too many others, or they may
 * not be listed, or not by this server
 * @throws what the requests throw
 */
export async function listExisting(
  { listObjects, headIsFree, url }: Pick<Destination, 'listObjects' | 'headIsFree' | 'url'>,
  { files, prefix }: KeyScope,
  call: Call,
  say: (message: string) => void,
): Promise<ListedObjects | undefined> {
  if (listObjects === undefined || headIsFree || files <= askedOneByOne) return undefined
  const index = createObjectIndex()
  let listed = 0
  try {
    for await (const object of listObjects(prefix, call)) {
      listed += 1
      if (listed > files * mostListed) {
        say(
          `there are more than ${files * mostListed} objects in ${url}: each file's is asked for instead of listing all`,
        )
        return undefined
      }
      index.add(object)
    }
  } catch (thrown) {
    const { code, retryable, message } = toUploadError(thrown)
    const isUnlistable = code === 'ACCESS_DENIED' || (code === 'BAD_RESPONSE' && !retryable)
    if (!isUnlistable) throw thrown
    say(`${url} may not be listed: each file's object is asked for instead (${message})`)
    return undefined
  }
  return { covers: (key) => key.startsWith(prefix), find: index.find }
}
