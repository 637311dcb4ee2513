import { extname } from 'node:path/posix'
import type { LimitSettings } from '../../config/settings.ts'
import { UploadError, UsageError } from '../../errors.ts'
import { baseNameOf } from '../keys/object-key.ts'
import { orderedMap } from '../ordered-map.ts'
import { isSent, type PlannedFile, refused } from '../planned-file.ts'
import { lookedAtAtOnce } from '../sources/look.ts'
import type { Survey } from '../survey.ts'
import { createTypeLimit } from './type-limit.ts'

/** Why a file must not be sent; undefined where nothing speaks against it. Only a look at its bytes takes a promise. */
export type FileLimit = (file: PlannedFile) => UploadError | undefined | Promise<UploadError | undefined>

/** What is asked of every single file, the cheapest first; undefined where nothing is. */
export function createFileLimit(limits: LimitSettings): FileLimit | undefined {
  const { maxSize, minSize, allowExt, denyExt } = limits
  const typeLimit = createTypeLimit(limits.allowType)
  const hasOthers = maxSize !== undefined || minSize !== undefined || allowExt.length > 0 || denyExt.length > 0
  if (typeLimit === undefined && !hasOthers) return undefined
  return (file) => {
    const { absolute, size } = file
    const name = nameForLimits(file)
    const refused = (size === undefined ? undefined : refuseSize(limits, size)) ?? refuseEnding(limits, name)
    if (refused !== undefined || typeLimit === undefined || size === undefined) return refused
    return typeLimit.refuseFile({ absolute, size }, name)
  }
}

/** The same files, in their order; those that must not be sent with the reason as their `problem`. */
export function limited(files: AsyncIterable<PlannedFile>, limit: FileLimit): AsyncGenerator<PlannedFile> {
  return orderedMap(files, lookedAtAtOnce, async (file) => {
    if (!isSent(file)) return file
    const problem = await limit(file)
    return problem === undefined ? file : refused(file, problem)
  })
}

/** What a file's ending and type by name are taken from. Standard input has no name but that of its object. */
export function nameForLimits({ path, source, key, originalKey = key }: PlannedFile): string {
  return path === '-' ? originalKey : source
}

/** Why a file of `size` bytes must not be sent. Limits are exact: with `500MB`, 500,000,000 bytes pass. */
export function refuseSize(
  { maxSize, minSize }: Pick<LimitSettings, 'maxSize' | 'minSize'>,
  size: number,
): UploadError | undefined {
  if (maxSize !== undefined && size > maxSize) {
    const why = `it has ${size} bytes; --max-size allows ${maxSize}: leave it out, or raise the limit`
    return new UploadError('TOO_LARGE', why)
  }
  if (minSize !== undefined && size < minSize) {
    const why = `it has ${size} bytes; --min-size asks for ${minSize}: see whether it is complete, or lower the limit`
    return new UploadError('TOO_SMALL', why)
  }
  return undefined
}

function refuseEnding(
  { allowExt, denyExt }: Pick<LimitSettings, 'allowExt' | 'denyExt'>,
  name: string,
): UploadError | undefined {
  if (allowExt.length === 0 && denyExt.length === 0) return undefined
  const base = baseNameOf(name).toLowerCase()
  const ending = extname(base)
  // `.env` has no ending, but it is what somebody means who does not want `.env` to leave the house.
  const denied = denyExt.find((given) => given === ending || given === base)
  if (denied !== undefined) {
    return new UploadError('TYPE_NOT_ALLOWED', `--deny-ext refuses ${denied}; leave it out, or rename it`)
  }
  if (allowExt.length === 0 || allowExt.includes(ending)) return undefined
  const found = ending === '' ? 'it has no ending' : `its ending is ${ending}`
  return new UploadError(
    'TYPE_NOT_ALLOWED',
    `${found}; --allow-ext takes ${allowExt.join(', ')}: leave it out, or rename it`,
  )
}

/**
 * Looks at a run as a whole: at what would be sent, without files that fail or are passed over.
 *
 * @throws UsageError where that is more than it may be.
 */
export function refuseWhole(
  { maxFiles, maxTotalSize }: Pick<LimitSettings, 'maxFiles' | 'maxTotalSize'>,
  { files, bytes }: Survey['toSend'],
): void {
  const faults: string[] = []
  const remedy = 'nothing was sent; choose fewer, or raise the limit'
  if (maxFiles !== undefined && files > maxFiles) {
    faults.push(`${files} files are to be sent, and --max-files allows ${maxFiles}: ${remedy}`)
  }
  if (maxTotalSize !== undefined && bytes > maxTotalSize) {
    const found = `the files to be sent have ${bytes} bytes together`
    faults.push(`${found}, and --max-total-size allows ${maxTotalSize}: ${remedy}`)
  }
  if (faults.length > 0) throw new UsageError(faults)
}
