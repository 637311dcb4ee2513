import type { ObjectProperties } from '../destinations/destination.ts'
import type { UploadError } from '../errors.ts'
import type { Side } from '../rollout/side.ts'

/** One source, ready to be sent, or with the reason why it cannot be. */
export interface PlannedFile {
  /** From 1, in scan order. */
  readonly index: number
  /** As the user named it, relative or absolute: what messages and the report show. `-` is standard input. */
  readonly path: string
  /** Where it lies; `-` is standard input. */
  readonly absolute: string
  /** Relative to its base, NFC, `/`: the same wherever the tree lies. */
  readonly source: string
  /** Where one path is listed more than once: its which occurrence, from 2; undefined for the first. */
  readonly occurrence?: number | undefined
  /** The full key, prefix included. */
  readonly key: string
  /** The key it would have had, where the destination cannot hold that and it was changed. */
  readonly originalKey?: string | undefined
  /** Bytes; undefined for standard input and for a file that could not be looked at. */
  readonly size: number | undefined
  /** Milliseconds since the epoch, with the fraction the file system gives; undefined as `size`. */
  readonly mtimeMs: number | undefined
  readonly contentType: string
  /** One and the same for many files. */
  readonly properties: ObjectProperties
  /** Which of the run's lanes it takes: 0 is the run's own destination and settings, n those of its nth route; the candidates' follow. */
  readonly lane: number
  /** The side of a rollout it is counted for; undefined where there is none, or it counts for neither. */
  readonly side?: Side | undefined
  /** How it is sent where the candidate is not, or no longer, to have it. Only a file of the candidate's has it. */
  readonly onBaseline?: OnBaseline | undefined
  /** The rule and the route that had a say: `rules[0]`, `routes[2]`. */
  readonly decidedBy?: readonly string[] | undefined
  /** Set where the file is passed over without being sent. */
  readonly skip?: 'excluded-by-rule' | 'duplicate-content' | undefined
  /**
   * Set where its key is made of its bytes, which have not been read yet: `key` is one of the same length until then.
   * Gives the file with the key it gets by them.
   */
  readonly onceRead?: ((content: Content) => PlannedFile) | undefined
  /** Its key was made from its bytes, so it must be what it was then: its size and time. */
  readonly pinned?: boolean | undefined
  /** Set where the file fails without being sent. */
  readonly problem?: UploadError | undefined
  /** An argument that names nothing at all, as a typing error does. */
  readonly missing?: boolean
}

/** What is another where a file of the candidate's takes the baseline. */
export type OnBaseline = Required<Pick<PlannedFile, 'lane' | 'key' | 'originalKey' | 'properties'>>

/** What was read of a file, and what it was when it was read. */
export interface Content {
  /** Bytes. */
  readonly size: number
  readonly mtimeMs: number
  /** In hexadecimal. */
  readonly sha256: string
}

/** A file that fails without being sent: it counts for neither side of a rollout, and is told of as the baseline's. */
export function refused(file: PlannedFile, problem: UploadError): PlannedFile {
  return { ...file, ...file.onBaseline, side: undefined, onBaseline: undefined, problem }
}

/** What fails or is passed over takes nobody's key. */
export function isSent({ problem, skip }: Pick<PlannedFile, 'problem' | 'skip'>): boolean {
  return problem === undefined && skip === undefined
}
