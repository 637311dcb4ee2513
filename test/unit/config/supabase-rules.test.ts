import { expect, it } from 'vitest'
import { otherProject, projectUrl } from '../../../src/config/supabase-rules.ts'

it.each([
  ['https://p.supabase.co', 'https://p.supabase.co'],
  ['https://p.supabase.co/', 'https://p.supabase.co'],
  ['http://127.0.0.1:8000/base//', 'http://127.0.0.1:8000/base'],
  ['HTTPS://P.supabase.co:443', 'https://p.supabase.co'],
  ['no URL/', 'no URL'],
])('%s is the project %s', (url, project) => {
  expect(projectUrl(url)).toBe(project)
})

it.each<[string | undefined, string | undefined, string | undefined]>([
  ['https://p', 'https://p', undefined],
  ['https://p/', 'https://p', undefined],
  ['https://p', 'https://q', 'the run went to the Supabase project https://p, not to https://q; set SUPABASE_URL'],
  ['https://p', undefined, 'the run went to the Supabase project https://p, and none is named now; set SUPABASE_URL'],
  [undefined, 'https://p', "the run's record does not say which Supabase project it went to"],
  [undefined, undefined, "the run's record does not say which Supabase project it went to"],
])('a run of %s is looked at in %s: %s', (recorded, now, problem) => {
  const said = otherProject(recorded, now)
  if (problem === undefined) expect(said).toBeUndefined()
  else expect(said).toContain(problem)
})
