import type { Settings } from '../config/settings.ts'

/** What a destination goes by. */
export interface OpeningSettings extends Settings {
  /** Memory for the buffers of requests, in bytes, where several destinations share it; undefined: all there may be. */
  readonly bufferBudget?: number | undefined
}
