import { describe, expect, it } from 'vitest'
import { expectCode, expectRefused } from '../support/command.ts'
import { rolloutScene, stageOf } from '../support/rollout-scene.ts'
import { reviewed } from '../support/rollout-state.ts'

const stages = [stageOf(50), stageOf(100)]

describe('upload rollout', () => {
  it('goes from stage to stage by promote, and is closed by complete, whose config is that of the candidate', async () => {
    const { ws, s3, env, status } = await rolloutScene(60, { stages }, { engine: 'standard', exclude: ['*.tmp'] })
    const early = await ws.run('upload rollout promote', { env })
    expectCode(early, 5)
    expect(early.stderr.split('\n')).toEqual([
      'upload: rollout nightly import: not promoted from 50 % to 100 %',
      'upload:   0 s of 24 h in stage',
      'upload:   0 of 20 candidate files',
      'upload: wait (upload rollout status), or go on all the same: upload rollout promote --force --why TEXT',
      '',
    ])
    await expect(ws.read('state.json')).rejects.toThrow('ENOENT')

    expectCode(await ws.run('upload in', { env }), 0)
    const waiting = await ws.run('upload rollout promote', { env })
    expectCode(waiting, 5)
    expect(waiting.stderr).toMatch(/\nupload: {3}\d+ s of 24 h in stage\nupload: wait /)
    const forced = await ws.run('upload rollout promote --force --why "the holidays begin tomorrow"', { env })
    expectCode(forced, 0)
    expect(await status()).toMatchObject({
      state: 'running',
      stage: 100,
      history: [
        { action: 'begin' },
        {
          action: 'promote',
          by: 'person',
          cause: 'the holidays begin tomorrow',
          unmet: [expect.stringMatching(/^\d+ s of 24 h in stage$/)],
          figures: { candidate: { failures: 0, successRate: 1 } },
        },
      ],
    })
    const table = await ws.run('upload rollout status', { env })
    expect(table.stdout).toMatch(/promote 50 % → 100 %, by hand: the holidays\n? +begin/)

    expectCode(await ws.run('upload in', { env }), 0)
    expect(s3.keys('cand')).toHaveLength(60)
    expectCode(await ws.run('upload rollout complete', { env }), 5)
    const complete = await ws.run('upload rollout complete --force --why "the holidays"', { env })
    expectCode(complete, 0)
    expect(JSON.parse(complete.stdout)).toEqual({ to: 's3://cand/', engine: 'standard', exclude: ['*.tmp'] })
    expect(await status()).toMatchObject({ state: 'complete', percentage: 100 })

    await ws.write('.uploadrc.json', complete.stdout)
    const before = s3.requests.length
    expectCode(await ws.run('upload in', { env }), 0)
    expect(new Set(s3.requests.slice(before).map(({ bucket }) => bucket))).toEqual(new Set(['cand']))
    expectRefused(await ws.run('upload rollout status', { env }), 'nothing is rolled out')
  })

  it('waits for a person where the candidate is slow, and goes on using it meanwhile', async () => {
    const { ws, s3, env, status } = await rolloutScene(60, { stages })
    await ws.write('state.json', JSON.stringify(reviewed(50)))
    expect(await status()).toMatchObject({ state: 'review', stage: 50, percentage: 50, verdict: 'review' })
    expectCode(await ws.run('upload in', { env }), 0)
    expect(s3.keys('cand').length).toBeGreaterThan(10)
    const refused = await ws.run('upload rollout promote', { env })
    expectCode(refused, 5)
    expect(refused.stderr).toContain('\nupload:   under review: it is slow\n')
    expectCode(await ws.run('upload rollout promote --force --why "we looked at it"', { env }), 0)
    expect(await status()).toMatchObject({ state: 'running', stage: 100 })
  })

  it('rolls back, and begins anew', async () => {
    const { ws, s3, env, status } = await rolloutScene(60, { stages })
    expectCode(await ws.run('upload in', { env }), 0)
    expectCode(await ws.run('upload rollout rollback --why "a bad release"', { env }), 0)
    expect(await status()).toMatchObject({ state: 'rolled-back', stage: 50, percentage: 0, verdict: 'rolled-back' })
    const before = s3.requests.length
    expectCode(await ws.run('upload in', { env: { ...env, ASYNC_UPLOAD_ROLLOUT: '100' } }), 0)
    expect(s3.requests.slice(before).some(({ bucket }) => bucket === 'cand')).toBe(false)
    const forced = await ws.run('upload rollout promote --force --why please', { env })
    expectCode(forced, 5)
    expect(forced.stderr).toContain('upload rollout reset\n')

    expectCode(await ws.run('upload rollout reset', { env }), 0)
    expectCode(await ws.run('upload in', { env }), 0)
    const { state, candidate, history, figures } = await status()
    expect(state).toBe('running')
    expect(figures).toHaveLength(1)
    expect(candidate.files).toBe(s3.keys('cand').length)
    expect(history.map(({ action }) => action)).toEqual(['begin', 'rollback', 'reset'])
  })

  it('names a damaged state, which stops runs, and reset mends it', async () => {
    const { ws, env, status } = await rolloutScene(4, { stages })
    await ws.write('state.json', '{ "version": 1, "na')
    expectRefused(await ws.run('upload in', { env }), ws.path('state.json'), 'upload rollout reset')
    expectRefused(await ws.run('upload rollout status', { env }), ws.path('state.json'), 'upload rollout reset')
    expectCode(await ws.run('upload rollout reset', { env }), 0)
    expect(await ws.read('state.json.damaged')).toBe('{ "version": 1, "na')
    expectCode(await ws.run('upload in', { env }), 0)
    expect(await status()).toMatchObject({ state: 'running' })
  })

  it('keeps its state with the journals where nobody says otherwise', async () => {
    const { ws, env } = await rolloutScene(4, { stages, state: undefined })
    expectCode(await ws.run('upload in', { env }), 0)
    expect((await ws.list('../../state/upload/rollouts')).filter((name) => name.endsWith('.json'))).toHaveLength(1)
    expect((await ws.run('upload rollout status', { env })).stdout).toContain('running at 50 %')
  })
  it('completes a move to Supabase by a config that loads', async () => {
    const { ws, env } = await rolloutScene(
      2,
      { candidate: { to: 'supabase://bucket/' } },
      { partSize: '16MiB', storageClass: 'STANDARD_IA', metadata: { from: 'import' } },
    )
    const both = { ...env, SUPABASE_URL: 'http://127.0.0.1:9', SUPABASE_SERVICE_ROLE_KEY: 'unused' }
    expectCode(await ws.run('upload in --dry-run', { env: both }), 0)
    const { code, stdout, stderr } = await ws.run('upload rollout complete --force --why moved', { env: both })
    expect(code).toBe(0)
    expect(stderr).toContain('upload: partSize, storageClass: left out, without effect at the candidate')
    expect(JSON.parse(stdout)).toEqual({ to: 'supabase://bucket/', metadata: { from: 'import' } })
    await ws.write('new.json', stdout)
    const planned = await ws.run('upload in --dry-run --config new.json', { env: both })
    expectCode(planned, 0)
    expect(planned.stdout).toContain('supabase://bucket/')
    expect(planned.stdout).not.toContain('s3://')
  })
})
