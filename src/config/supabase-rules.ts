import { showSize } from './size.ts'

/**
 * Bytes in each part of a resumable upload but the last, and the largest object that goes as a whole: Supabase's own
 * choice. https://supabase.com/docs/guides/storage/uploads/resumable-uploads
 */
export const supabasePartSize = 6 * 2 ** 20

/** What to say where nobody names the project. */
export const noProject =
  'supabase:// needs the project: set SUPABASE_URL (such as https://abcdefgh.supabase.co), or give --supabase-url'

/** Why its parts can have no other size. */
export const fixedPartSize = `Supabase takes files up to ${showSize(supabasePartSize)} as a whole and larger ones in parts of exactly that size`

/**
 * Whether an endpoint of S3, or its path, is Supabase's. Whatever the host: every project, hosted or not, has it there.
 * https://supabase.com/docs/guides/storage/s3/authentication
 */
export function isSupabaseS3(endpoint: string): boolean {
  return /\/storage\/v1\/s3\/?$/.test(endpoint)
}

/** The host of a project that Supabase itself runs; storage-js goes by the same names. */
export const hostedProject = /^[a-z0-9-]+\.supabase\.(?:co|in|red)$/

/** A project's URL in one form: how it was written is no difference. */
export function projectUrl(url: string): string {
  return (URL.canParse(url) ? new URL(url).href : url).replace(/\/+$/, '')
}

/**
 * Why a recorded run cannot be gone on with, or looked at, in the project that is named now; `undefined` where it can.
 * The key goes to whatever URL is used, so that a record may confirm it but never name it.
 *
 * @param recorded - The project of the run, where its record tells.
 * @param now - The project that flags, environment or config name.
 */
export function otherProject(recorded: string | undefined, now: string | undefined): string | undefined {
  const remedy = 'set SUPABASE_URL, or give --supabase-url'
  if (recorded === undefined) return `the run's record does not say which Supabase project it went to`
  if (now === undefined) return `the run went to the Supabase project ${recorded}, and none is named now; ${remedy}`
  if (projectUrl(recorded) === projectUrl(now)) return undefined
  return `the run went to the Supabase project ${recorded}, not to ${now}; ${remedy}, to name that one`
}
