import type { Stats } from 'node:fs'
import type { UploadError } from '../../errors.ts'
import type { OwnProperties } from '../choose.ts'

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
  /** What a manifest says of it. */
  readonly own?: OwnFacts | undefined
  /** What lies there, links followed, where that was looked at in passing. */
  readonly stats?: Stats | undefined
}

/** What a manifest says of a file, stronger than what options and rules say of many. */
export interface OwnFacts extends OwnProperties {
  /** What follows the prefix in its key, as it stands. */
  readonly key?: string | undefined
}

/** What a scan tells beside its candidates. */
export interface ScanNotes {
  /** A file the operating system left behind was passed over. */
  junk(): void
  /** A file was passed over for its modification time. */
  untimely(): void
  warn(message: string): void
  /** Whether a path is the run's own: its reports, journal or destination. */
  isOwn(absolute: string): boolean
}
