import { execFileSync } from 'node:child_process'
import { mkdirSync, rmdirSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Settings } from '../../src/config/settings.ts'
import { lockPathOf } from '../../src/observe/lock-path.ts'
import { begun, rolledBack } from '../../src/rollout/changes.ts'
import type { RolloutSettings } from '../../src/rollout/rollout-settings.ts'
import { figuresOf } from '../../src/rollout/stage-figures.ts'
import { defaultStages } from '../../src/rollout/stages.ts'
import { readState, updateState } from '../../src/rollout/state-file.ts'
import { inProcess, type Outcome, type UploadOptions } from '../support/in-process.ts'
import { rolloutOf } from '../support/rollout-settings.ts'
import type { Script } from '../support/s3-fake.ts'
import { defaultSettings } from '../support/settings.ts'
import { mountSmall } from '../support/small-disk.ts'

const posix = process.platform !== 'win32'
const names = Array.from({ length: 20 }, (_, n) => `in/take-${n}.txt`)

/** Twenty files, half of which are the candidate's, more or less; it puts them into a bucket of its own. */
async function scene(different: Partial<RolloutSettings> = {}, folder = 'state') {
  const { ws, s3, upload } = await inProcess({ buckets: ['bucket', 'new'] })
  await ws.writeAll(...names)
  const path = ws.path(folder, 'nightly.json')
  const base: Settings = { ...defaultSettings, s3: { ...defaultSettings.s3, endpointUrl: s3.url, region: 'us-east-1' } }
  const rollout = { ...rolloutOf({ ...base, to: 's3://new/' }), state: path, percentage: 50, ...different }
  const run = (script?: Script, options?: UploadOptions): Promise<Outcome> => {
    s3.script = script ?? (() => undefined)
    return upload({ ...base, rollout }, options)
  }
  return { ws, s3, path, run }
}

const warningsOf = ({ events }: Outcome): readonly string[] =>
  events.flatMap((event) => (event.type === 'warning' ? [event.message] : []))
const candidatesOf = ({ files }: Outcome): number => files.filter(({ side }) => side === 'candidate').length

describe('the state of a rollout', () => {
  it('has what the run has counted, and so has its journal', async () => {
    const { ws, s3, path, run } = await scene()
    const outcome = await run()
    expect(outcome.summary).toMatchObject({ exitCode: 0, uploaded: 20 })
    expect(warningsOf(outcome)).toEqual([])
    const state = await readState(path)
    if (state === undefined) throw new Error('there is no state')
    const candidates = candidatesOf(outcome)
    expect(candidates).toBeGreaterThan(0)
    expect(candidates).toBeLessThan(20)
    expect([s3.keys('new').length, s3.keys('bucket').length]).toEqual([candidates, 20 - candidates])
    expect(figuresOf(state, 0)).toMatchObject({
      candidate: { files: candidates, failures: 0 },
      baseline: { files: 20 - candidates, failures: 0 },
    })
    expect(outcome.summary.rollout).toEqual({
      name: 'nightly',
      candidate: { succeeded: candidates, failed: 0 },
      baseline: { succeeded: 20 - candidates, failed: 0 },
      fellBack: 0,
    })
    const runs = join(ws.state, 'upload', 'runs')
    const [journal = ''] = await readdir(runs)
    const [first = ''] = (await readFile(join(runs, journal), 'utf8')).split('\n')
    const { begunAt } = state
    expect(JSON.parse(first)).toMatchObject({ rollout: { name: 'nightly', begunAt, stage: 0, percentage: 50 } })
  })

  it('rolled back: all goes by the baseline, whatever the environment says', async () => {
    const { s3, path, run } = await scene()
    const state = begun('nightly', defaultStages, Date.now())
    await updateState(path, () => rolledBack(state, Date.now(), { by: 'person', cause: 'x' }), { waitMs: 0 })
    const outcome = await run()
    expect(outcome.summary).toMatchObject({ exitCode: 0, uploaded: 20, rollout: undefined })
    expect(s3.keys('bucket')).toHaveLength(20)
    expect(outcome.files.filter((file) => file.stage !== undefined || file.side !== undefined)).toEqual([])
    expect((await readState(path))?.figures).toEqual([])
  })

  it('damaged: the run is refused before its first request', async () => {
    const { s3, ws, path, run } = await scene()
    await mkdir(ws.path('state'))
    await writeFile(path, '{"version":1,')
    await expect(run()).rejects.toMatchObject({
      name: 'UsageError',
      message: expect.stringMatching(/nightly\.json: it is no JSON; begin anew with upload rollout reset/),
    })
    expect(s3.requests).toEqual([])
  })
})

describe('a state that cannot be written', () => {
  it.runIf(posix)('from the beginning: all goes by the baseline, with one warning', async () => {
    const { ws, s3, path, run } = await scene({}, 'small')
    const directory = ws.path('small')
    if (!(await mountSmall(directory))) return
    await updateState(path, () => begun('nightly', defaultStages, Date.now()), { waitMs: 0 })
    execFileSync('mount', ['-o', 'remount,ro', directory])
    const outcome = await run()
    expect(outcome.summary).toMatchObject({ exitCode: 0, uploaded: 20, rollout: undefined })
    expect(s3.keys('bucket')).toHaveLength(20)
    expect(candidatesOf(outcome)).toBe(0)
    expect(warningsOf(outcome)).toEqual([
      `rollout nightly takes no part in this run, which goes by the baseline: the state of the rollout, ${path}, cannot be written (EROFS); see to it that it can be`,
    ])
  })

  it.runIf(posix)('from the middle of the run on: it goes on as it was, and says what is not counted', async () => {
    const { ws, s3, path, run } = await scene({}, 'small')
    const directory = ws.path('small')
    if (!(await mountSmall(directory))) return
    let isFull = false
    const fill: Script = () => {
      if (!isFull) execFileSync('sh', ['-c', 'cat /dev/zero > filler 2>/dev/null || true'], { cwd: directory })
      isFull = true
      return undefined
    }
    const outcome = await run(fill)
    expect(outcome.summary).toMatchObject({ exitCode: 0, uploaded: 20 })
    expect(s3.keys('new')).toHaveLength(candidatesOf(outcome))
    expect(warningsOf(outcome)).toEqual([
      `rollout nightly: 20 files of this run are not counted: the state of the rollout, ${path}, cannot be written (no space left there); see to it that it can be`,
    ])
    expect((await readdir(directory)).sort()).toEqual(['filler', 'nightly.json'])
    expect(await readState(path)).toMatchObject({ revision: 1, figures: [] })
  })

  it('since somebody has its lock when the run is stopped: it ends in time all the same', async () => {
    const { path, run } = await scene()
    const stop = new AbortController()
    let puts = 0
    const script: Script = () => {
      puts += 1
      if (puts === 10) {
        mkdirSync(lockPathOf(path))
        stop.abort('SIGINT')
      }
      return undefined
    }
    const outcome = await run(script, { signal: stop.signal })
    rmdirSync(lockPathOf(path))
    expect(outcome.summary).toMatchObject({ exitCode: 130 })
    expect(warningsOf(outcome).join()).toMatch(/files? of this run are not counted: .* other processes/)
  })
})
