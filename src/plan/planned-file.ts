import type { UploadError } from '../errors.ts'

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
  /** Set where the file fails without being sent. */
  readonly problem?: UploadError | undefined
  /** An argument that names nothing at all, as a typing error does. */
  readonly missing?: boolean
}
