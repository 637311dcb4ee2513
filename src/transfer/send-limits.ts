import type { LimitSettings } from '../config/settings.ts'
import type { UploadError } from '../errors.ts'
import { nameForLimits } from '../plan/limits/limits.ts'
import { headSize } from '../plan/limits/type-by-bytes.ts'
import { createTypeLimit } from '../plan/limits/type-limit.ts'
import type { PlannedFile } from '../plan/planned-file.ts'
import type { FileFacts } from './reading/file-facts.ts'
import { createSizeLimits, type SizeLimits } from './size-limits.ts'
import { copyHeld } from './stdin/held-bytes.ts'

/** What may be uploaded, asked once more of what is not as it was when the plan was made. */
export interface SendLimits {
  readonly sizes: SizeLimits
  /**
   * Called with a file as it is when its sending begins, each time, before a byte of it is sent.
   *
   * @throws UploadError saying why it is not to be sent; `HALTED` where the whole run has to end instead.
   */
  heed(file: PlannedFile, facts: FileFacts): Promise<void>
  /**
   * Asks for its size alone: of a file that is as it was when the plan was made, all else was asked then.
   *
   * @throws UploadError as {@link heed}
   */
  heedSize(file: PlannedFile, facts: Pick<FileFacts, 'size'>): void
  /**
   * Asks for the type alone, by the bytes that are there already, such as the beginning of standard input.
   *
   * @throws UploadError `TYPE_NOT_ALLOWED`
   */
  heedType(file: PlannedFile, beginning: FileFacts): Promise<void>
}

/** @param plannedBytes the sizes of all files that are to be sent together, as far as they were known */
export function createSendLimits(settings: LimitSettings, plannedBytes: number): SendLimits {
  const sizes = createSizeLimits({ ...settings, plannedBytes })
  const typeLimit = createTypeLimit(settings.allowType)

  const heedType = async (file: PlannedFile, facts: FileFacts): Promise<void> => {
    if (typeLimit === undefined) return
    const name = nameForLimits(file)
    if (facts.held === undefined) return refuse(await typeLimit.refuseFile(facts, name))
    const head = Buffer.alloc(Math.min(facts.size, headSize))
    copyHeld(facts.held, 0, head)
    refuse(await typeLimit.refuseHead(head, facts.size <= headSize, name))
  }
  const heedSize: SendLimits['heedSize'] = (file, facts) => refuse(sizes.begins(file, facts))
  return {
    sizes,
    heedSize,
    heedType,
    async heed(file, facts) {
      heedSize(file, facts)
      const isAsPlanned = facts.size === file.size && facts.mtimeMs === file.mtimeMs
      if (!isAsPlanned) await heedType(file, facts)
    },
  }
}

function refuse(error: UploadError | undefined): void {
  if (error !== undefined) throw error
}
