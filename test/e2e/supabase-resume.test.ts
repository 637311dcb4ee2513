import { readFile, utimes } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { expectCode, expectRefused } from '../support/command.ts'
import { bytes } from '../support/data-set.ts'
import { supabaseEnvironment, supabaseFake } from '../support/supabase-environment.ts'
import type { SupabaseFake } from '../support/supabase-fake.ts'
import { type Workspace, workspace } from '../support/workspace.ts'

const partSize = 6 * 2 ** 20
const posix = process.platform !== 'win32'
if (!posix) console.log('Not tried on Windows: signals.')

/** A run that was stopped by SIGINT in the middle of the third part of its large file. */
async function interrupted(): Promise<{ ws: Workspace; supabase: SupabaseFake; data: Buffer; size: number }> {
  const ws = await workspace()
  const supabase = await supabaseFake({ lockDrainMs: 50 })
  supabase.makeBucket('bucket', { wantsWholeParts: true })
  const size = 4 * partSize + 1_000_000
  const data = bytes('bin', size)
  await ws.write('in/large.bin', data)
  await ws.writeAll('in/a.txt')
  const patches = () => supabase.requests.filter(({ method }) => method === 'PATCH')
  supabase.intercept = ({ method }) => (method === 'PATCH' && patches().length === 3 ? 'hang' : undefined)
  const upload = ws.start('upload in supabase://bucket/', { env: supabaseEnvironment(supabase) })
  while (patches().length < 3) await new Promise((resolve) => setTimeout(resolve, 5))
  upload.kill('SIGINT')
  const result = await upload.result
  expectCode(result, 130)
  expect(result.stderr).toMatch(/^ {2}kept {5}1 half-sent upload: .*, Supabase removes it within 24 hours$/m)
  expect(result.stderr).toMatch(/^ {2}again {4}upload --resume$/m)
  supabase.intercept = undefined
  return { ws, supabase, data, size }
}

const sentTo = (supabase: SupabaseFake) =>
  supabase.requests.filter(({ method }) => method === 'PATCH').reduce((sum, request) => sum + request.bytes, 0)

describe.runIf(posix)('a run that was interrupted', () => {
  it('upload --resume  # goes on where it was', async () => {
    const { ws, supabase, data, size } = await interrupted()
    const result = await ws.run('upload --resume -v', { env: supabaseEnvironment(supabase) })
    expectCode(result, 0)
    expect(result.stderr).toContain('large.bin: 2 of 5 parts are at the destination already')
    const large = supabase.objects.get('bucket/large.bin')
    expect(large && (await readFile(large.path)).equals(data)).toBe(true)
    expect(supabase.uploads).toHaveLength(1)
    expect(sentTo(supabase)).toBeLessThanOrEqual(size + partSize)
  })

  it('upload --resume  # goes on in the middle of the first part, too', async () => {
    const ws = await workspace()
    const supabase = await supabaseFake({ lockDrainMs: 50 })
    supabase.makeBucket('bucket', { wantsWholeParts: true })
    const env = supabaseEnvironment(supabase)
    const data = bytes('bin', partSize + 1)
    await ws.write('large.bin', data)
    // The rest takes four seconds: it is stopped long before it is done.
    const upload = ws.start('upload large.bin supabase://bucket/ --limit-rate 1MiB', { env })
    while (sentTo(supabase) < 2_000_000) await new Promise((resolve) => setTimeout(resolve, 5))
    upload.kill('SIGINT')
    expectCode(await upload.result, 130)
    const before = sentTo(supabase)
    expectCode(await ws.run('upload --resume --limit-rate 1GiB', { env }), 0)
    const large = supabase.objects.get('bucket/large.bin')
    expect(large && (await readFile(large.path)).equals(data)).toBe(true)
    expect(supabase.uploads).toHaveLength(1)
    expect(sentTo(supabase) - before).toBeLessThan(data.length - 1_000_000)
  })

  it('upload --resume  # the upload has expired meanwhile: begun again, and said', async () => {
    const { ws, supabase, data } = await interrupted()
    supabase.expireUpload(supabase.uploads[0]?.url ?? '')
    const result = await ws.run('upload --resume', { env: supabaseEnvironment(supabase) })
    expectCode(result, 0)
    expect(result.stderr).toMatch(/large\.bin is begun anew: .*expired/)
    const large = supabase.objects.get('bucket/large.bin')
    expect(large && (await readFile(large.path)).equals(data)).toBe(true)
    expect(supabase.uploads).toHaveLength(2)
  })

  it('upload --resume  # the file has changed meanwhile: begun again, nothing mixed', async () => {
    const { ws, supabase, size } = await interrupted()
    const other = bytes('bin', size, 1)
    await ws.write('in/large.bin', other)
    await utimes(ws.path('in/large.bin'), 1, 1)
    expectCode(await ws.run('upload --resume', { env: supabaseEnvironment(supabase) }), 0)
    const large = supabase.objects.get('bucket/large.bin')
    expect(large && (await readFile(large.path)).equals(other)).toBe(true)
  })

  it('upload --resume  # the environment names another project: it does not get the key', async () => {
    const { ws, supabase } = await interrupted()
    const other = await supabaseFake()
    const result = await ws.run('upload --resume', {
      env: { ...supabaseEnvironment(supabase), SUPABASE_URL: other.url },
    })
    expectRefused(result, supabase.url, other.url)
    expect(other.requests).toEqual([])
  })
})
