import { onTestFinished } from 'vitest'
import { type SupabaseFake, type SupabaseFakeOptions, startSupabaseFake } from './supabase-fake.ts'

/** What the program's environment needs to reach a stand-in for Supabase. */
export function supabaseEnvironment({ url, key }: Pick<SupabaseFake, 'url' | 'key'>): Record<string, string> {
  return { SUPABASE_URL: url, SUPABASE_SERVICE_ROLE_KEY: key }
}

/** A stand-in with one bucket, `bucket`, that is gone when the test ends. */
export async function supabaseFake(options: SupabaseFakeOptions = {}): Promise<SupabaseFake> {
  const supabase = await startSupabaseFake(options)
  onTestFinished(() => supabase.close())
  supabase.makeBucket('bucket')
  return supabase
}
