import type { HaltSettings } from '../../config/settings.ts'
import { UploadError } from '../../errors.ts'
import type { FileStatus } from '../../observe/records.ts'

/** The share of failures says nothing before so many files have ended. */
const leastFiles = 20

/** Rules that end a run where too much fails. */
export interface Halt {
  /** A file's fate is settled: why the run ends with it, where it does. */
  ended(status: FileStatus): UploadError | undefined
}

/** Of the files that were uploaded or failed; what was skipped or cancelled says nothing of either. */
export function createHalt({ maxFailures, maxErrorRate }: Omit<HaltSettings, 'deadline'>): Halt {
  let failed = 0
  let uploaded = 0
  return {
    ended(status) {
      if (status === 'uploaded') uploaded += 1
      if (status === 'failed') failed += 1
      if (maxFailures !== undefined && failed >= maxFailures) {
        return halted(`${countOf(failed)} failed (--max-failures ${maxFailures})`)
      }
      const ended = uploaded + failed
      if (maxErrorRate !== undefined && ended >= leastFiles && failed / ended > maxErrorRate) {
        return halted(`${failed} of ${countOf(ended)} failed (--max-error-rate ${percent(maxErrorRate)})`)
      }
      return undefined
    },
  }
}

function halted(why: string): UploadError {
  return new UploadError('HALTED', `halted: ${why}; go on with upload --resume`)
}

function countOf(files: number): string {
  return files === 1 ? '1 file' : `${files} files`
}

/** As it was given: 0.07 times 100 is a little more than 7. */
function percent(share: number): string {
  return `${Number((share * 100).toPrecision(12))}%`
}
