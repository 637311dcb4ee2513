import type { Stats } from 'node:fs'
import type { UploadError } from '../errors.ts'

/** A name that selection came upon; whether it is a regular file is not known yet, unless it has a problem. */
export interface Candidate {
  /**
   * `found`: to be looked at. `problem`: fails as it is. `missing`: an argument that names nothing. `stdin`: standard
   * input.
   */
  readonly kind: 'found' | 'problem' | 'missing' | 'stdin'
  /** As the user named it. */
  readonly path: string
  readonly absolute: string
  /** Relative to its base, `/` separators, as on disk. */
  readonly name: string
  readonly problem?: UploadError | undefined
  /** What lies there, links followed, where that was looked at in passing. */
  readonly stats?: Stats | undefined
}

/** What a scan tells beside its candidates. */
export interface ScanNotes {
  /** A file the operating system left behind was passed over. */
  junk(): void
  warn(message: string): void
  /** Whether a path is the run's own: its reports, journal or destination. */
  isOwn(absolute: string): boolean
}
