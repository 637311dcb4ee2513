import type { Settings } from '../../config/settings.ts'
import { supabasePartSize } from '../../config/supabase-rules.ts'
import type { UploadError } from '../../errors.ts'
import type { Patience } from '../../http/patience.ts'
import type { Wire, WireAnswer } from '../../http/send.ts'
import type { ChecksumAlgorithm, Destination } from '../destination.ts'
import type { OpeningSettings } from '../opening-settings.ts'
import type { SupabaseProject } from './project.ts'
import type { CompareKey } from './stored-key.ts'

/** The settings that a destination at Supabase goes by. */
export type SupabaseDestinationSettings = Pick<
  Settings,
  'supabase' | 'tls' | 'engine' | 'bufferSize' | 'concurrency' | 'checksum' | 'timeouts' | 'properties'
> &
  Pick<OpeningSettings, 'bufferBudget'>

/** Bytes. Larger objects are sent in parts, each of exactly this size but the last. */
export const partSize = supabasePartSize

/**
 * Seconds that caches may keep an object where nothing else is said, as supabase-js has it; the server's own default
 * would keep them from holding anything.
 */
export const usualMaxAge = 3600

/** Which checksum is made of what is sent, for the report; no server looks at it. Undefined: none. */
export function checksumAlgorithmOf({ checksum }: Pick<Settings, 'checksum'>): ChecksumAlgorithm | undefined {
  if (checksum === 'none') return undefined
  return checksum === 'auto' ? 'crc32' : checksum
}

/** What both engines share. */
export interface SupabaseSurroundings {
  readonly settings: SupabaseDestinationSettings
  readonly bucket: string
  readonly project: SupabaseProject
  readonly patience: Patience
  readonly wire: Wire
  /** For what the user has to know, once. */
  readonly warn: (message: string) => void
  /** To be called with what the server says of each object that was stored as a whole. */
  readonly compareKey: CompareKey
  /** What a request threw, as an `UploadError`. */
  readonly explain: (thrown: unknown) => UploadError
  /** What an answer that is no success means, whichever protocol it is of. */
  readonly refusal: (answer: WireAnswer) => UploadError
}

/** What an engine is: the ways to send bytes. */
export type SupabaseEngine = Pick<Destination, 'engine' | 'putObject' | 'small' | 'multipart'> & { close(): void }
