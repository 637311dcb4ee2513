/**
 * The first character in `name` that Supabase takes neither in a key nor in the name of a bucket; undefined where it
 * takes them all. The rule is the server's own: https://supabase.com/docs/guides/storage/uploads/file-limits
 */
export function refusedBySupabaseNames(name: string): string | undefined {
  return refused.exec(name)?.[0]
}

/** Why Supabase takes no bucket of this name, or no key that begins so; `undefined` where it does. */
export function supabaseNameProblem(name: string): string | undefined {
  const odd = refusedBySupabaseNames(name)
  return odd === undefined ? undefined : `Supabase takes no "${odd}" in the name of a bucket or in a key`
}

/** A character that Supabase refuses in names, as often as it occurs. */
export const refusedInSupabaseNames = /[^A-Za-z0-9_/!.*'() &$=@;:+,?-]/gu

const refused = new RegExp(refusedInSupabaseNames.source, 'u')
