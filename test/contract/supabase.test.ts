import { beforeEach, vi } from 'vitest'
import { engines } from '../support/settings.ts'
import { testDestination } from './destination-contract.ts'
import { openAtStandIn, traitsOf } from './supabase-routes.ts'

beforeEach(() => () => vi.unstubAllEnvs())

testDestination('a Supabase bucket (fast)', () => openAtStandIn('supabase', 'fast'), traitsOf.supabase)

testDestination('a Supabase bucket of an older server (standard)', () => openAtStandIn('supabase', 'standard', true), {
  ...traitsOf.supabase,
  listing: 'by-folder',
})

for (const engine of engines) {
  testDestination(`a Supabase bucket by its S3 endpoint (${engine})`, () => openAtStandIn('s3', engine), traitsOf.s3)
}
