import { s3Environment, s3Fake } from './s3-environment.ts'
import type { S3Fake } from './s3-fake.ts'
import { supabaseEnvironment, supabaseFake } from './supabase-environment.ts'
import type { SupabaseFake } from './supabase-fake.ts'
import { type Workspace, workspace } from './workspace.ts'

const MB = 1_000_000

/** Files, a config with routes, and servers for what these lead to. */
export interface RoutesScene {
  readonly ws: Workspace
  readonly s3: S3Fake
  readonly supabase: SupabaseFake
  readonly env: Record<string, string>
}

/** By pattern, by type and by size; what meets none goes to the run's own destination. */
export const routes = [
  { match: '*.tmp', skip: true },
  { type: 'audio/*', to: 'supabase://bucket/audio/' },
  { minSize: '1MB', to: 'file:./large/', verify: true },
]

export async function routesScene(config: object = { to: 's3://bucket/rest/', routes }): Promise<RoutesScene> {
  const ws = await workspace()
  const s3 = await s3Fake({ buckets: ['bucket', 'other'] })
  const supabase = await supabaseFake()
  await ws.write('.uploadrc.json', JSON.stringify(config))
  await ws.writeAll('in/a.wav', 'in/b.txt', 'in/x/c.md', 'in/d.tmp')
  await ws.write('in/x/e.bin', Buffer.alloc(1.5 * MB, 7))
  return { ws, s3, supabase, env: { ...s3Environment(s3), ...supabaseEnvironment(supabase) } }
}
