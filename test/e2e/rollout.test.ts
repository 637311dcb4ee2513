import { describe, expect, it } from 'vitest'
import { expectCode } from '../support/command.ts'
import { parseJournal } from '../support/journal.ts'
import { isOfCandidate, rolloutScene, stageOf } from '../support/rollout-scene.ts'
import type { Script } from '../support/s3-fake.ts'

/** The candidate's bucket refuses a file for good. */
function refuses(isRefused: (key: string) => boolean): Script {
  return ({ bucket, operation, key }) =>
    bucket === 'cand' && operation === 'PutObject' && isRefused(key)
      ? { status: 400, body: '<Error><Code>InvalidRequest</Code><Message>not this one</Message></Error>' }
      : undefined
}

describe('who gets the candidate', () => {
  it.each([0, 10, 50, 100])('is what the hash of rollout and source says, at %d %', async (percentage) => {
    const { ws, s3, env, sources, status } = await rolloutScene(60, { stages: [stageOf(percentage)] })
    expectCode(await ws.run('upload in', { env }), 0)
    const ofCandidate = sources.filter((source) => isOfCandidate(source, percentage)).toSorted()
    expect(s3.keys('cand')).toEqual(ofCandidate)
    expect(s3.keys('base')).toEqual(sources.filter((source) => !ofCandidate.includes(source)).toSorted())
    if (percentage % 100 !== 0) expect(ofCandidate.length).toBeGreaterThan(0)
    const { files } = await ws.journal()
    for (const { source, side, stage } of files) {
      expect({ source, side, stage }).toEqual({
        source,
        side: isOfCandidate(source, percentage) ? 'candidate' : 'baseline',
        stage: percentage,
      })
    }
    expect(await status()).toMatchObject({
      stage: percentage,
      percentage,
      candidate: { files: ofCandidate.length, failures: 0 },
      baseline: { files: sources.length - ofCandidate.length, failures: 0 },
    })
  })

  it('is what the environment says, and those before are among those after', async () => {
    const { ws, s3, env, sources } = await rolloutScene(60, { stages: [stageOf(0)] })
    let before: string[] = []
    for (const share of ['2.5', '20', '60']) {
      expectCode(await ws.run('upload in', { env: { ...env, ASYNC_UPLOAD_ROLLOUT: share } }), 0)
      const keys = s3.keys('cand')
      expect(keys).toEqual(sources.filter((source) => isOfCandidate(source, Number(share))).toSorted())
      expect(keys).toEqual(expect.arrayContaining(before))
      before = keys
    }
  })

  it('nobody, where the environment switches it off: nothing is counted, nothing is written', async () => {
    const { ws, s3, env } = await rolloutScene(20, { stages: [stageOf(100)] })
    const off = { ...env, ASYNC_UPLOAD_ENABLED: 'false', ASYNC_UPLOAD_ROLLOUT: '100' }
    expectCode(await ws.run('upload in', { env: off }), 0)
    expect(s3.keys('base')).toHaveLength(20)
    const { run, files } = await ws.journal()
    expect(run).not.toHaveProperty('rollout')
    for (const file of files) expect(file).not.toHaveProperty('side')
    await expect(ws.read('state.json')).rejects.toThrow('ENOENT')
  })

  it('not those that it is not for, which count for neither side', async () => {
    const rollout = { stages: [stageOf(100)], only: ['3/**', '4/**'], never: ['*5.txt'] }
    const { ws, s3, env, sources, status } = await rolloutScene(60, rollout)
    expectCode(await ws.run('upload in', { env }), 0)
    const ofCandidate = sources.filter((source) => /^[34]\//.test(source) && !/5\.txt$/.test(source)).toSorted()
    expect(s3.keys('cand')).toEqual(ofCandidate)
    expect(s3.keys('base')).toHaveLength(60 - ofCandidate.length)
    expect(await status()).toMatchObject({ candidate: { files: ofCandidate.length }, baseline: { files: 0 } })
  })

  it('by the environment alone: all by standard, the share by fast, or all by standard again', async () => {
    const { ws, env, sources } = await rolloutScene(40, {})
    await ws.write('.uploadrc.json', '{ "to": "s3://base/" }')
    const enginesWith = async (variables: Record<string, string>) => {
      const result = await ws.run('upload in --json', { env: { ...env, ...variables } })
      expectCode(result, 0)
      const lines = result.stdout.split('\n').filter((line) => !/"type":"(?:progress|warning)"/.test(line))
      const { files } = parseJournal(lines.join('\n'))
      return new Map(files.map(({ source, engine }) => [source, engine]))
    }
    const at30 = await enginesWith({ ASYNC_UPLOAD_ENABLED: 'true', ASYNC_UPLOAD_ROLLOUT: '30' })
    for (const source of sources) {
      expect(at30.get(source)).toBe(isOfCandidate(source, 30, 'async-upload') ? 'fast' : 'standard')
    }
    expect(new Set(at30.values()).size).toBe(2)
    expect(new Set((await enginesWith({ ASYNC_UPLOAD_ENABLED: 'true' })).values())).toEqual(new Set(['standard']))
    expect(new Set((await enginesWith({ ASYNC_UPLOAD_ENABLED: 'false' })).values())).toEqual(new Set(['standard']))
    expect(new Set((await enginesWith({})).values())).toEqual(new Set(['fast']))
  })

  it('is shown by a dry run, which changes nothing', async () => {
    const { ws, s3, env, sources } = await rolloutScene(20, { stages: [stageOf(50)] })
    const { stdout, code } = await ws.run('upload in --dry-run', { env })
    expect(code).toBe(0)
    const shown = stdout.split('\n').filter((line) => line.includes('s3://cand/') && line.includes('in/'))
    expect(shown).toHaveLength(sources.filter((source) => isOfCandidate(source, 50)).length)
    expect(s3.keys('cand')).toEqual([])
    await expect(ws.read('state.json')).rejects.toThrow('ENOENT')
  })
})

describe('a candidate that fails', () => {
  const triggers = { window: 100, minFiles: 40, minFilesFailing: 20 }

  it('is rolled back in the middle of the run, which ends well', async () => {
    const { ws, s3, env, sources, status } = await rolloutScene(200, { stages: [stageOf(100)], triggers })
    s3.script = refuses((key) => /[27]\.txt$/.test(key))
    const result = await ws.run('upload in --concurrency 4 --retries 0', { env })
    expectCode(result, 0)
    const said = result.stderr.split('\n').filter((line) => line.includes('rolled back'))
    expect(said).toEqual([
      expect.stringMatching(/^upload: (?:warning: )?rollout nightly import was rolled back: .+ by the baseline/),
    ])
    const { files, summary } = await ws.journal()
    expect(summary).toMatchObject({ uploaded: 200, failed: 0 })
    const counted = files.filter(({ side }) => side === 'candidate')
    const fellBack = counted.filter(({ fallback }) => fallback !== undefined)
    // Four at a time: what was in flight when the fortieth was counted ends as it began.
    expect(counted.length).toBeGreaterThanOrEqual(40)
    expect(counted.length).toBeLessThanOrEqual(44)
    expect(fellBack.length / counted.length).toBeGreaterThan(0.1)
    const atCandidate = files.filter(({ destination }) => destination === 's3://cand/').length
    expect(atCandidate).toBeLessThanOrEqual(44 - fellBack.length)
    expect(s3.keys('cand')).toHaveLength(atCandidate)
    expect(s3.keys('base')).toHaveLength(sources.length - atCandidate)
    for (const { side, fallback, destination } of files) {
      if (side === 'candidate') expect(destination).toBe(fallback === undefined ? 's3://cand/' : 's3://base/')
    }
    expect(await status()).toMatchObject({
      state: 'rolled-back',
      stage: 100,
      percentage: 0,
      history: [{ action: 'begin' }, { action: 'rollback', by: 'automatic', from: 100, to: 0 }],
    })

    s3.script = undefined
    const before = s3.requests.length
    expectCode(await ws.run('upload in', { env: { ...env, ASYNC_UPLOAD_ROLLOUT: '100' } }), 0)
    expect(s3.requests.slice(before).some(({ bucket }) => bucket === 'cand')).toBe(false)
  })

  it('as a whole gets no request per file, and the run ends well', async () => {
    const { ws, s3, env, status } = await rolloutScene(60, {
      stages: [stageOf(100)],
      triggers,
      candidate: { to: 's3://gone/' },
    })
    const result = await ws.run('upload in --concurrency 4', { env })
    expectCode(result, 0)
    expect(s3.keys('base')).toHaveLength(60)
    expect(s3.requests.filter(({ bucket }) => bucket === 'gone').length).toBeLessThanOrEqual(12)
    expect(await status()).toMatchObject({ state: 'rolled-back', percentage: 0 })
  })

  it('without fallback its files fail', async () => {
    const { ws, s3, env, status, sources } = await rolloutScene(40, { stages: [stageOf(50)], fallback: false })
    s3.script = refuses((key) => /1\.txt$/.test(key))
    const result = await ws.run('upload in --retries 0', { env })
    expectCode(result, 1)
    const failing = sources.filter((source) => isOfCandidate(source, 50) && /1\.txt$/.test(source))
    expect(failing.length).toBeGreaterThan(0)
    const { files } = await ws.journal()
    const failed = files.filter((file) => file.status === 'failed')
    expect(failed.map(({ source }) => source).toSorted()).toEqual(failing.toSorted())
    for (const file of failed) expect(file).toMatchObject({ side: 'candidate', destination: 's3://cand/' })
    for (const file of files) expect(file).not.toHaveProperty('fallback')
    expect(await status()).toMatchObject({ state: 'running', candidate: { failures: failing.length } })
  })
})

it('a rollback by command reaches a run that is going', async () => {
  const { ws, s3, env, sources, status } = await rolloutScene(60, { stages: [stageOf(100)] })
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  s3.script = ({ bucket }) => (bucket === 'cand' ? { until: held } : undefined)
  const run = ws.start('upload in --concurrency 4', { env })
  await expect.poll(() => s3.inFlight(), { timeout: 30_000 }).toBe(4)
  const rollback = await ws.run('upload rollout rollback --why "the disk is full there"', { env })
  expectCode(rollback, 0)
  await run.seen('stderr', /rolled back by hand: the disk is full there/)
  release()
  const result = await run.result
  expectCode(result, 0)
  // What was in flight ends where it was; nothing that began later did.
  expect(s3.keys('cand')).toHaveLength(4)
  expect(s3.keys('base')).toHaveLength(sources.length - 4)
  const { at } = (await status()).history.at(-1) ?? { at: '' }
  const { files } = await ws.journal()
  const late = files.filter(({ startedAt }) => Date.parse(startedAt ?? '') > Date.parse(at) + 5000)
  expect(late.every(({ side, destination }) => side === undefined && destination === 's3://base/')).toBe(true)
  expect(await status()).toMatchObject({ state: 'rolled-back', candidate: { files: 0 } })
})

it('runs that overlap count all their files', async () => {
  const { ws, env, status, lines } = await rolloutScene(120, { stages: [stageOf(50)] })
  const shards = [0, 1, 2, 3].map((shard) => ws.run(`upload in/${shard} in/${shard + 3} --base in`, { env }))
  for (const result of await Promise.all(shards)) expectCode(result, 0)
  const files = await lines()
  const { candidate, baseline } = await status()
  expect(candidate.files).toBe(files.filter(({ side }) => side === 'candidate').length)
  expect(baseline.files).toBe(files.filter(({ side }) => side === 'baseline').length)
  expect(candidate.files + baseline.files).toBe(files.length)
  expect(files.length).toBeGreaterThan(120)
})
