import type { Settings } from '../../config/settings.ts'
import type { Destination, ObjectInfo } from '../../destinations/destination.ts'
import { toUploadError, UploadError } from '../../errors.ts'
import type { ReplacedObject, SkipReason } from '../../observe/records.ts'
import type { KeyScope } from '../../plan/keys/key-scope.ts'
import { type FileWork, isUntried } from '../file-record.ts'
import { currentFacts, type SendFileOptions } from '../send-file.ts'
import { retrying } from '../trouble/retry.ts'
import { keepsExisting } from '../upload-object.ts'
import { type Comparing, compareBytes, isNewer, type SeenObject } from './compare-file.ts'
import { type ListedObjects, listExisting } from './existing-objects.ts'
import { askFor, askingOptions, isSince } from './own-object.ts'

/** What is made of an object that is there already. */
export type Met =
  /** It is the run's own, stored by an earlier invocation. */
  | { readonly own: ObjectInfo }
  /** The file is not sent. */
  | { readonly passedOver: SkipReason }

/** What is found out, before anything of a file is sent, of the object that may be under its key. */
export interface LookAhead {
  /** Whether a file's key is to be asked for. */
  asks(work: FileWork): boolean
  /**
   * @param begunAtMs when the run began, where it is one that is continued: an object that has come since, and has the
   * file's bytes, is its own
   * @returns undefined where the file is to be sent; what it then replaces is in `work`, where that may be something
   * @throws UploadError ALREADY_EXISTS where there is an object that has to stay; what requests throw where that cannot
   * be found out, and SOURCE_* where the file cannot be compared.
   */
  look(work: FileWork, begunAtMs: number | undefined): Promise<Met | undefined>
  /** What is to be said in the end of files that were sent for want of anything to compare; undefined where none was. */
  uncompared(): string | undefined
}

/**
 * What `--if-exists` asks for, other than `overwrite`. What is there is listed where that is cheaper than to ask for each
 * key, once for all files of a lane, when the first of them has its turn.
 *
 * @param scope the keys that will be asked for; undefined: each by itself
 */
export function createLookAhead(options: SendFileOptions, scope: KeyScope | undefined): LookAhead {
  const { destination, settings, emit } = options
  const { ifExists } = settings
  const keeps = keepsExisting(settings)
  let listing: Promise<ListedObjects | undefined> | undefined
  let uncompared = 0

  const say = (message: string): void => emit({ type: 'notice', message })

  /** For all who wait for it; tried again on behalf of the first. */
  const listed = async (work: FileWork): Promise<ListedObjects | undefined> => {
    if (scope === undefined) return undefined
    const { signal, timeouts } = options
    listing ??= retrying(
      () => listExisting(destination, scope, { signal, requests: 1, timeouts }, say),
      askingOptions(work, options),
    )
    const awaited = listing
    try {
      return await awaited
    } catch (error) {
      // Files that are put off ask again.
      if (listing === awaited) listing = undefined
      throw error
    }
  }

  /** @param all whether what a listing does not tell is wanted, too, where it is to be had by one and the same request */
  const see = async (work: FileWork, all: boolean): Promise<SeenObject | undefined> => {
    const { key } = work.file
    const list = await listed(work)
    const isListed = list?.covers(key) === true
    const isAll = all && !isListed && destination.headIsFree !== true
    const info = isListed ? list.find(key) : await askFor(work, options, isAll)
    return info && { info, isAll }
  }

  const comparing = (work: FileWork): Comparing => ({
    destination,
    bytes: options.bytes,
    partSize: settings.partSize,
    signal: options.signal,
    askAll: () => askFor(work, options, true),
  })

  const lookToKeep = async (work: FileWork, begunAtMs: number | undefined): Promise<Met | undefined> => {
    const seen = await see(work, begunAtMs !== undefined).catch((thrown: unknown) => {
      // Who may only write can leave the answer to a destination that decides it anyway when the object is sent.
      const isDenied = toUploadError(thrown).code === 'ACCESS_DENIED'
      if (isDenied && destination.ifAbsent === 'atomic') return undefined
      throw thrown
    })
    if (seen === undefined) return undefined
    if (begunAtMs !== undefined && isSince(seen.info, begunAtMs)) {
      const facts = await currentFacts(work, options)
      work.facts = facts
      const { same, info } = await compareBytes(facts, seen, comparing(work))
      if (same && info !== undefined) return { own: info }
    }
    throw new UploadError('ALREADY_EXISTS', 'an object of this key exists already, and is left as it is')
  }

  const reasonIfOlder = async (work: FileWork, { info }: SeenObject): Promise<SkipReason | undefined> => {
    const { absolute, size, mtimeMs } = work.file
    if (size === undefined || mtimeMs === undefined) return undefined
    return (await isNewer({ absolute, size, mtimeMs }, info, comparing(work))) ? undefined : 'not-newer'
  }

  const reasonIfSame = async (work: FileWork, seen: SeenObject): Promise<SkipReason | undefined> => {
    const facts = await currentFacts(work, options)
    work.facts = facts
    const { same, info } = await compareBytes(facts, seen, comparing(work))
    work.replaced = info === undefined ? null : replacedBy(info)
    if (same) return 'unchanged'
    if (same === undefined) {
      uncompared += 1
      say(`${work.file.path} is sent: ${destination.url} tells nothing of its object that could be compared`)
    }
    return undefined
  }

  const lookToReplace = async (work: FileWork): Promise<Met | undefined> => {
    const seen = await see(work, ifExists === 'changed')
    work.replaced = seen === undefined ? null : replacedBy(seen.info)
    // What is half there was decided about when it was begun.
    if (seen === undefined || work.unfinished !== undefined) return undefined
    if (work.file.path === '-') {
      say('- is sent: what standard input holds is known only by then')
      return undefined
    }
    const reason = await (ifExists === 'newer' ? reasonIfOlder(work, seen) : reasonIfSame(work, seen))
    return reason && { passedOver: reason }
  }

  return {
    // What was tried was asked for before; what is half there takes the place of nothing where it has to.
    asks: (work) => ifExists !== 'overwrite' && isUntried(work) && !(keeps && work.unfinished),
    look: (work, begunAtMs) => (keeps ? lookToKeep(work, begunAtMs) : lookToReplace(work)),
    uncompared() {
      if (uncompared === 0) return undefined
      const files = uncompared === 1 ? 'a file was' : `${uncompared} files were`
      return `--if-exists changed: ${files} sent without knowing whether it is needed: ${destination.url} has objects of the same size there, and tells neither a checksum nor an MD5 sum of them`
    },
  }
}

function replacedBy({ size, etag, versionId }: ObjectInfo): ReplacedObject {
  return { size, etag, versionId }
}

/** What a run has to say at its end of a destination that may not keep others' objects; undefined where it does. */
export function notAtomic({ ifAbsent, url }: Destination, ifExists: Settings['ifExists']): string | undefined {
  if (!keepsExisting({ ifExists }) || ifAbsent === 'atomic') return undefined
  const why =
    ifAbsent === 'checked'
      ? `${url} looks for an object first and stores then`
      : `each object was asked for first and sent with If-None-Match, and whether ${url} enforces that is not known`
  return `--if-exists ${ifExists}: ${why}; one that somebody else stored there during the run may have been overwritten`
}
