import { type ErrorCode, UploadError, type UploadErrorDetails } from '../errors.ts'

/** One kind of failure: why, and what to do next. */
export interface ErrorRow<Scene> {
  readonly names: readonly string[]
  readonly code: ErrorCode
  /** Overrides the code's own entry in `errorKinds`. */
  readonly retryable?: boolean
  /** The host could not be reached at all. */
  readonly unreachable?: boolean
  readonly message: (scene: Scene) => string
}

/** A message that names nothing. */
export const said = (text: string) => () => text

/** Of every provider: it is not the provider that answers. */
export const proxyWantsPassword: ErrorRow<{ readonly proxy?: string | undefined }> = {
  names: ['407'],
  code: 'CONNECTION',
  retryable: false,
  message: ({ proxy }) =>
    `the proxy${proxy === undefined ? '' : ` ${proxy}`} wants a user name and password; put them into HTTPS_PROXY`,
}

/** The rows by each of their names. */
export function byName<Scene>(rows: readonly ErrorRow<Scene>[]): ReadonlyMap<string, ErrorRow<Scene>> {
  return new Map(rows.flatMap((row) => row.names.map((name) => [name, row])))
}

/** @param suffix follows the message */
export function fromRow<Scene>(
  row: ErrorRow<Scene>,
  scene: Scene,
  details: UploadErrorDetails,
  suffix = '',
): UploadError {
  return new UploadError(row.code, row.message(scene) + suffix, { ...details, retryable: row.retryable })
}
