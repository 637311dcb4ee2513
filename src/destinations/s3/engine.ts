import type { Settings } from '../../config/settings.ts'
import type { UploadError } from '../../errors.ts'
import type { Patience } from '../../http/patience.ts'
import type { Destination } from '../destination.ts'
import type { OpeningSettings } from '../opening-settings.ts'
import type { S3Connection } from './client.ts'

export type S3DestinationSettings = Pick<
  Settings,
  's3' | 'tls' | 'multipartThreshold' | 'engine' | 'bufferSize' | 'concurrency' | 'checksum' | 'timeouts'
> &
  Partial<Pick<Settings, 'properties' | 'rules'>> &
  Pick<OpeningSettings, 'bufferBudget'>

/** What both engines share. */
export interface S3Surroundings {
  readonly settings: S3DestinationSettings
  readonly bucket: string
  readonly connection: S3Connection
  readonly patience: Patience
  /** For what the user has to know, once. */
  readonly warn: (message: string) => void
  /** What a request threw, as an `UploadError`. */
  readonly explain: (permission: string, thrown: unknown) => UploadError
  /** An answer, or what was thrown for it as an `UploadError`. */
  readonly mapped: <Answer>(permission: string, answer: Promise<Answer>) => Promise<Answer>
}

/** What an engine is: the ways to send bytes. */
export type S3Engine = Pick<Destination, 'engine' | 'putObject' | 'small' | 'multipart'> & { close(): void }
