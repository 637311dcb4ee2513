import { mkdir, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { RunRecord } from '../../../src/observe/records.ts'
import { endpointOf, placeOf, placeOfRun, sharesArgument, unfinishedRuns } from '../../../src/resume/find-run.ts'
import { runRecord, summaryRecord } from '../observe/events.ts'
import { type State, state } from './state.ts'

async function found(at: State): Promise<string[]> {
  const ids: string[] = []
  for await (const { run } of unfinishedRuns(at.places)) ids.push(run.runId)
  return ids
}

describe('unfinishedRuns', () => {
  it('come from everywhere, those written to last first', async () => {
    const at = await state()
    await at.journal('a', 100, runRecord({ runId: 'a' }))
    await at.journal('b', 300, runRecord({ runId: 'b' }), '{"type":"fi')
    await at.journal('home/c', 200, runRecord({ runId: 'c' }), summaryRecord({ exitCode: 130 }))
    await at.journal('d', 300, runRecord({ runId: 'd' }), summaryRecord({ exitCode: 1, byErrorCode: { TIMEOUT: 1 } }))
    expect(await found(at)).toEqual(['d', 'b', 'c', 'a'])
  })

  it('are not those that ended, nor what is no journal', async () => {
    const at = await state()
    await at.journal('done', 1, runRecord(), summaryRecord({ exitCode: 0 }))
    await at.journal('failed', 2, runRecord(), summaryRecord({ exitCode: 1, byErrorCode: { TOO_LARGE: 1 } }))
    await at.journal('empty', 3)
    await at.journal('text', 4, 'some text\n')
    await at.journal('less', 5, '{"type":"run","runId":"less"}\n')
    const real = await at.journal(
      'went-on',
      6,
      runRecord({ runId: 'went-on' }),
      summaryRecord({ exitCode: 0 }),
      runRecord({ invocation: 2 }),
    )
    await mkdir(join(dirname(real), 'folder.jsonl'))
    await symlink(real, join(dirname(real), 'link.jsonl'))
    expect(await found(at)).toEqual(['went-on'])
  })

  it('are the user’s own', async () => {
    const at = await state()
    await at.journal('a', 1, runRecord({ runId: 'a' }))
    const others: State = { ...at, places: { ...at.places, uid: (at.places.uid ?? 0) + 1 } }
    expect(await found(others)).toEqual([])
    expect(await found({ ...at, places: { ...at.places, uid: undefined } })).toEqual(['a'])
  })
})

describe('placeOf', () => {
  it.each([
    ['s3://b/x', undefined, 's3://b/x/ at AWS'],
    ['s3://b/x/', 'http://h:9000/', 's3://b/x/ at http://h:9000'],
    ['s3://b', 'http://me:secret@h', 's3://b/ at http://***@h'],
    ['file:./out', 'http://h', 'file:/work/out'],
    ['file:///out/', undefined, 'file:/out'],
    ['supabase://b/x', 'https://p.supabase.co/', 'supabase://b/x/ at https://p.supabase.co'],
    ['supabase://b/x', 'HTTPS://P.supabase.co:443', 'supabase://b/x/ at https://p.supabase.co'],
    ['supabase://b/x', undefined, 'supabase://b/x/ at no project'],
  ])('%s at %s: %s', (to, endpoint, place) => {
    expect(placeOf({ to, endpoint }, '/work')).toBe(place)
  })

  it('is the same in a journal', () => {
    const run = (changes: Partial<RunRecord>): RunRecord => runRecord({ cwd: '/work', ...changes })
    expect(placeOfRun(run({ to: 'file:out/' }))).toBe('file:/work/out')
    expect(placeOfRun(run({ to: 's3://b/', config: { s3: { endpointUrl: 'http://h/' } } }))).toBe('s3://b/ at http://h')
    expect(placeOfRun(run({ to: 's3://b/', config: { s3: { endpointUrl: 7 } } }))).toBe('s3://b/ at AWS')
    const config = { s3: { endpointUrl: 'http://h' }, supabase: { url: 'https://p.supabase.co' } }
    expect(placeOfRun(run({ to: 'supabase://b/', config }))).toBe('supabase://b/ at https://p.supabase.co')
    expect(placeOfRun(run({ to: 's3://b/', config }))).toBe('s3://b/ at http://h')
    expect(placeOfRun(run({ to: 'supabase://b/', config: { supabase: null } }))).toBe('supabase://b/ at no project')
    expect(placeOfRun(run({ to: 'gopher://b/' }))).toBeUndefined()
    expect(endpointOf(run({}))).toBeUndefined()
    expect(endpointOf(run({ to: 'file:./out/', config }))).toBeUndefined()
  })
})

describe('sharesArgument', () => {
  const then = (config: object): RunRecord => runRecord({ cwd: '/work', config: { ...config } })
  const now = (sources: string[], cwd = '/work', filesFrom?: string) => ({ sources, cwd, filesFrom, base: undefined })

  it.each<[config: object, now: Parameters<typeof sharesArgument>[1], shares: boolean]>([
    [{ sources: ['in', 'b.wav'] }, now(['./b.wav', 'c.wav']), true],
    [{ sources: ['in'] }, now(['../in'], '/work/sub'), true],
    [{ sources: ['in'] }, now(['in'], '/elsewhere'), false],
    [{ sources: ['/x/*.wav'] }, now(['*.wav'], '/x'), true],
    [{ sources: ['in', '!*.tmp'] }, now(['out', '!*.tmp']), false],
    [{ sources: ['-'] }, now(['-'], '/elsewhere'), true],
    [{ sources: [], filesFrom: 'list' }, now([], '/work', './list'), true],
    [{ sources: ['list'] }, now([], '/work', 'list'), false],
    [{ sources: ['a?token=***'] }, now(['a?token=secret']), true],
    [{}, now(['in']), false],
  ])('%j and %j: %s', (config, given, shares) => {
    expect(sharesArgument(then(config), given)).toBe(shares)
  })
})
