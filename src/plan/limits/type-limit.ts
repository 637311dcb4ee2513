import { UploadError } from '../../errors.ts'
import { ofTypes } from '../choose.ts'
import { contentTypeByName } from '../content-type.ts'
import { sourceError } from '../source-errors.ts'
import { withoutParameters } from '../without-parameters.ts'
import { canonicalType, isContainer, isTextKind, mayBeCode, mayBeSame, mayHoldHtml } from './media-types.ts'
import { recognisedTypes, type TypeByBytes, typeOfFile, typeOfHead } from './type-by-bytes.ts'

/** What `--allow-type` asks of a file. */
export interface TypeLimit {
  /**
   * Reads as much of a file as tells its type.
   *
   * @param name what the file is called, or its object where it has no name
   * @returns why it must not be sent: `TYPE_NOT_ALLOWED`, or that it cannot be read
   */
  refuseFile(file: { readonly absolute: string; readonly size: number }, name: string): Promise<UploadError | undefined>
  /**
   * The same for what is not in a file.
   *
   * @param head the first `headSize` bytes, or all there are
   */
  refuseHead(head: Buffer, isWhole: boolean, name: string): Promise<UploadError | undefined>
}

/** @param allowed media types, which may end in `/*`; where there are none, there is no limit */
export function createTypeLimit(allowed: readonly string[]): TypeLimit | undefined {
  if (allowed.length === 0) return undefined
  const isAllowed = ofTypes([...allowed, ...allowed.map(canonicalType)])
  let recognised: Promise<ReadonlySet<string>> | undefined

  const refuse = async (found: TypeByBytes | undefined, name: string): Promise<UploadError | undefined> => {
    recognised ??= marked()
    const named = withoutParameters(contentTypeByName(name))
    const types = typesOf(named, found, await recognised)
    if (types === undefined) return contradiction(named, found as TypeByBytes)
    return types.some((type) => isAllowed(type) || isAllowed(canonicalType(type)))
      ? undefined
      : notAllowed(types[0], allowed)
  }
  return {
    async refuseFile({ absolute, size }, name) {
      try {
        return await refuse(await typeOfFile(absolute, size), name)
      } catch (error) {
        return sourceError(error)
      }
    },
    refuseHead: async (head, isWhole, name) => refuse(await typeOfHead(head, isWhole), name),
  }
}

const unknown = 'application/octet-stream'

/**
 * What a file is, by its name and its bytes together: where the bytes leave open what they are, as text and containers
 * do, the name says it.
 *
 * @param named the type its name stands for
 * @param found what its bytes say; undefined where it has none
 * @param recognised canonical types whose files are known by their bytes
 * @returns one type or two names for it; undefined where the name and the bytes contradict each other
 */
function typesOf(
  named: string,
  found: TypeByBytes | undefined,
  recognised: ReadonlySet<string>,
): readonly [string, ...string[]] | undefined {
  if (found === undefined) return [named]
  // A file without an ending, or with one that nobody knows, says nothing.
  if (named === unknown) return [found.type]
  const byName = canonicalType(named)
  const byBytes = canonicalType(found.type)
  if (byBytes === 'text/html') return mayHoldHtml(byName) ? [named] : undefined
  if (mayBeSame(byName, byBytes)) return [found.type, named]
  if (found.isText) {
    const isPlain = byBytes === 'text/plain' || !recognised.has(byBytes)
    if (isTextKind(byName)) return isPlain || byBytes === 'application/xml' ? [named] : undefined
    if (mayBeCode(byName)) return [found.type]
    return recognised.has(byName) || neverText.test(byName) ? undefined : [found.type]
  }
  if (byBytes === unknown) return recognised.has(byName) && !mayBeginOtherwise.has(byName) ? undefined : [unknown]
  // Many kinds of files are ZIP, and more than anybody can list.
  return isContainer(byBytes) && !recognised.has(byName) && !isTextKind(byName) ? [found.type] : undefined
}

/** Sound, pictures and letters; those among them that are text are text kinds. */
const neverText = /^(?:audio|video|image|font)\//

/** Types with a mark that is not always at the beginning, or that only some of their files have. */
const mayBeginOtherwise = new Set([
  // Players skip what comes before the first frame.
  'audio/mpeg',
  'audio/aac',
  'video/mpeg',
  'video/mp2t',
  // Binary ones have any words at the beginning.
  'model/stl',
  'application/pgp-encrypted',
  // Before 1988 it had no mark, and some write it so to this day.
  'application/tar',
  'application/dicom',
])

async function marked(): Promise<ReadonlySet<string>> {
  return new Set((await recognisedTypes()).map(canonicalType))
}

function contradiction(named: string, { type }: TypeByBytes): UploadError {
  const bytes = type === unknown ? 'no type that is known' : type
  return new UploadError(
    'TYPE_NOT_ALLOWED',
    `its name says ${named}, its bytes are ${bytes}; rename it, or leave --allow-type out`,
  )
}

function notAllowed(type: string, allowed: readonly string[]): UploadError {
  const is = type === unknown ? `of no type that is known (${unknown})` : type
  return new UploadError(
    'TYPE_NOT_ALLOWED',
    `its bytes are ${is}; --allow-type takes ${allowed.join(', ')}: leave it out, or allow its type too`,
  )
}
