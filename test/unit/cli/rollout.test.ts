import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { runRollout } from '../../../src/cli/rollout.ts'
import { UsageError } from '../../../src/errors.ts'
import { begun, promoted, underReview } from '../../../src/rollout/changes.ts'
import { defaultStages } from '../../../src/rollout/stages.ts'
import type { RolloutState } from '../../../src/rollout/state.ts'
import { hourMs, withFiles } from '../../support/rollout-state.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { type FakeHost, fakeHost } from './fake-host.ts'

const startMs = Date.UTC(2026, 10, 20, 2)
const name = 'nightly'
const reason = { by: 'automatic', cause: 'all criteria met' } as const

let cwd: string
/** Undefined: there is none. */
let config: Record<string, unknown> | undefined

beforeEach(async () => {
  cwd = await tempDir()
  config = { engine: 'standard', rollout: { name, candidate: { engine: 'fast' }, state: 'state.json' } }
})

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** @param hours since the rollout was begun */
async function rollout(args: string, { hours = 0, env = {} as Record<string, string> } = {}): Promise<Ran> {
  if (config !== undefined) await writeFile(join(cwd, '.uploadrc.json'), JSON.stringify(config))
  const home = join(cwd, 'home')
  const host: FakeHost = fakeHost({ cwd, home, env: { HOME: home, XDG_STATE_HOME: join(cwd, 'xdg'), ...env } })
  const argv = args.match(/"[^"]*"|\S+/g)?.map((arg) => arg.replaceAll('"', '')) ?? []
  const code = await runRollout(argv, host, { now: () => startMs + hours * hourMs })
  return { code, stdout: host.stdout.text(), stderr: host.stderr.text() }
}

async function keep(state: RolloutState, path = 'state.json'): Promise<void> {
  await writeFile(join(cwd, path), JSON.stringify(state))
}

async function kept(path = 'state.json'): Promise<RolloutState> {
  return JSON.parse(await readFile(join(cwd, path), 'utf8'))
}

const first = begun(name, defaultStages, startMs)
const atTen = promoted(promoted(first, defaultStages, startMs, reason), defaultStages, startMs, reason)
const ready = withFiles(atTen, { side: 'candidate', files: 250 })

describe('upload rollout status', () => {
  it('before any run writes nothing', async () => {
    const { code, stdout, stderr } = await rollout('status')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^rollout nightly: no run has taken part yet; the first one begins it at 0 %\n/)
    expect(stderr).toBe('')
    await expect(stat(join(cwd, 'state.json'))).rejects.toThrow('ENOENT')
    const { stdout: json } = await rollout('status --json')
    expect(JSON.parse(json)).toMatchObject({
      name,
      state: 'baseline',
      stage: 0,
      percentage: 0,
      since: null,
      history: [],
    })
  })

  it('in the middle', async () => {
    await keep(ready)
    expect((await rollout('status', { hours: 20 })).stdout).toMatch(
      /^rollout nightly: running at 10 % since 2026-11-20 02:00 UTC\n/,
    )
    const { code, stdout } = await rollout('status --json', { hours: 20 })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      name,
      state: 'running',
      stage: 10,
      percentage: 10,
      since: '2026-11-20T02:00:00.000Z',
      candidate: { files: 250, failures: 0, successRate: 1 },
      baseline: { files: 0 },
      unmet: ['20 h of 48 h in stage'],
    })
    expect((await rollout('status', { hours: 20, env: { UPLOAD_JSON: '1' } })).stdout).toBe(stdout)
  })

  it('of the environment alone, with and without its variable', async () => {
    config = {}
    const env = { ASYNC_UPLOAD_ENABLED: 'true' }
    expect((await rollout('status', { env })).stdout).toContain('rollout async-upload: no run has taken part yet')
    const nothing = 'nothing is rolled out: give the config a "rollout"'
    await expect(rollout('status')).rejects.toThrow(nothing)
    expect((await rollout('rollback', { env })).code).toBe(0)
    expect((await rollout('status')).stdout).toContain('rollout async-upload: rolled back from 0 %')
    expect((await rollout('status', { env: { ASYNC_UPLOAD_ENABLED: 'false' } })).stdout).toContain('switches it off')
  })
})

describe('upload rollout promote', () => {
  it('is refused while criteria are not met, and writes nothing', async () => {
    await keep(withFiles(atTen, { side: 'candidate', files: 150 }))
    const before = await kept()
    expect(await rollout('promote', { hours: 10 })).toEqual({
      code: 5,
      stdout: '',
      stderr: [
        'upload: rollout nightly: not promoted from 10 % to 50 %',
        'upload:   10 h of 48 h in stage',
        'upload:   150 of 200 candidate files',
        'upload: wait (upload rollout status), or go on all the same: upload rollout promote --force --why TEXT',
        '',
      ].join('\n'),
    })
    expect(await kept()).toEqual(before)
  })

  it('is refused before any run, and writes nothing', async () => {
    expect((await rollout('promote')).code).toBe(5)
    await expect(stat(join(cwd, 'state.json'))).rejects.toThrow('ENOENT')
  })

  it('goes on where they are met', async () => {
    await keep(ready)
    const { code, stdout, stderr } = await rollout('promote', { hours: 48 })
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: '',
      stderr: 'upload: rollout nightly: promoted from 10 % to 50 %\n',
    })
    expect(await kept()).toMatchObject({ stage: 50, stageSince: '2026-11-22T02:00:00.000Z', revision: 1 })
  })

  it('is forced with a reason, which is kept', async () => {
    await keep(underReview(ready, startMs, 'slow'))
    const { code } = await rollout('promote --force --why "slower at night, as before"', { hours: 20 })
    expect(code).toBe(0)
    const state = await kept()
    expect(state).toMatchObject({ status: 'active', stage: 50 })
    expect(state.history.at(-1)).toMatchObject({
      at: '2026-11-20T22:00:00.000Z',
      action: 'promote',
      by: 'person',
      cause: 'slower at night, as before',
      unmet: ['20 h of 48 h in stage', 'under review: slow'],
      figures: { candidate: { files: 250, successRate: 1 } },
    })
  })

  it('tells the status after it as JSON, also where it is refused', async () => {
    await keep(ready)
    const refused = await rollout('promote --json', { hours: 20 })
    expect(refused.code).toBe(5)
    expect(JSON.parse(refused.stdout)).toMatchObject({ stage: 10, unmet: ['20 h of 48 h in stage'] })
    const done = await rollout('promote --json -q', { hours: 48 })
    expect(done.stderr).toBe('')
    expect(JSON.parse(done.stdout)).toMatchObject({ stage: 50, state: 'running' })
  })
})

it('upload rollout rollback, twice, and reset', async () => {
  await keep(ready)
  expect((await rollout('rollback --why "too many timeouts"')).stderr).toContain('rolled back from 10 % to 0 %')
  const { revision, history } = await kept()
  expect(history.at(-1)).toMatchObject({ action: 'rollback', by: 'person', cause: 'too many timeouts' })
  expect(await rollout('rollback')).toMatchObject({
    code: 0,
    stderr: 'upload: rollout nightly: rolled back already, from 10 %\n',
  })
  expect((await kept()).revision).toBe(revision)
  expect(await rollout('reset', { hours: 1 })).toMatchObject({ code: 0 })
  const anew = await kept()
  expect(anew).toMatchObject({ status: 'active', stage: 0, figures: [], begunAt: '2026-11-20T03:00:00.000Z' })
  expect(anew.history.slice(0, -1)).toEqual(history)
})

describe('upload rollout complete', () => {
  const last = promoted(promoted(ready, defaultStages, startMs, reason), defaultStages, startMs, reason)

  it('prints the config with the candidate, and nothing else, on standard output', async () => {
    config = { to: 's3://b/', engine: 'standard', s3: { region: 'r' }, ...config }
    await keep(withFiles(last, { side: 'candidate', files: 200 }))
    const { code, stdout, stderr } = await rollout('complete', { hours: 168 })
    expect(code).toBe(0)
    expect(stdout).toBe('{\n  "to": "s3://b/",\n  "engine": "fast",\n  "s3": {\n    "region": "r"\n  }\n}\n')
    expect(stderr).toBe(
      [
        'upload: rollout nightly: complete: every file goes by the candidate',
        `upload: put what was printed in place of ${join(cwd, '.uploadrc.json')}, and unset ASYNC_UPLOAD_ENABLED, ASYNC_UPLOAD_ROLLOUT and ASYNC_UPLOAD_FALLBACK`,
        '',
      ].join('\n'),
    )
    expect(await kept()).toMatchObject({ status: 'complete' })
    const again = await rollout('complete -q')
    expect(again).toEqual({ code: 0, stdout, stderr: '' })
  })

  it('names what would be stronger', async () => {
    config = { ...config, presets: { night: { engine: 'standard' } } }
    await keep(last)
    const { stderr } = await rollout('complete --force --why x -q')
    expect(stderr).toBe('upload: presets.night.engine: stronger than what the candidate had there; change it by hand\n')
  })

  it('is refused before the end, and prints no config', async () => {
    await keep(ready)
    const { code, stdout, stderr } = await rollout('complete', { hours: 48 })
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' })
    expect(stderr).toContain('upload:   at 10 %, and the last stage is 100 %\n')
  })

  describe('of the environment alone', () => {
    const env = { ASYNC_UPLOAD_ENABLED: 'true' }

    it('without a config', async () => {
      config = undefined
      const { stdout, stderr } = await rollout('complete --force --why x', { env })
      expect(stdout).toBe('{\n  "engine": "fast"\n}\n')
      expect(stderr).toContain('put what was printed into .uploadrc.json, and unset ASYNC_UPLOAD_ENABLED')
    })

    it('keeps what the config says otherwise', async () => {
      config = { to: 's3://b/', engine: 'standard', presets: { night: { engine: 'standard' } } }
      const { stdout, stderr } = await rollout('complete --force --why x', { env })
      expect(JSON.parse(stdout)).toEqual({ ...config, engine: 'fast' })
      expect(stderr).toContain(`put what was printed in place of ${join(cwd, '.uploadrc.json')}, and unset`)
      expect(stderr).toContain('presets.night.engine: stronger than what the candidate had there')
    })
  })
})

describe('a state that cannot be used', () => {
  it('is named with the remedy, which mends it', async () => {
    await writeFile(join(cwd, 'state.json'), '{"version":1')
    for (const action of ['status', 'promote', 'rollback', 'complete']) {
      await expect(rollout(action)).rejects.toThrow(/state\.json.*upload rollout reset/s)
    }
    const reset = await rollout('reset --why "the disk was full"')
    expect(reset).toMatchObject({ code: 0, stderr: 'upload: rollout nightly: begun at 0 %\n' })
    const history = [{ action: 'begin', by: 'person', cause: 'the disk was full' }]
    expect(await kept()).toMatchObject({ name, stage: 0, revision: 1, history })
    expect(await readFile(join(cwd, 'state.json.damaged'), 'utf8')).toBe('{"version":1')
  })

  it("is left alone where it is another rollout's", async () => {
    await keep({ ...ready, name: 'other' })
    for (const action of ['status', 'rollback', 'reset']) {
      await expect(rollout(action)).rejects.toThrow(/state\.json is the state of the rollout other, not of nightly/)
    }
    expect((await kept()).name).toBe('other')
  })

  it('ends nothing quietly where its folder is missing and cannot be made', async () => {
    await mkdir(join(cwd, 'taken'), { recursive: true })
    await writeFile(join(cwd, 'taken', 'file'), '')
    config = { rollout: { name, candidate: { engine: 'fast' }, state: 'taken/file/state.json' } }
    await expect(rollout('rollback')).rejects.toThrow(/taken\/file\/state\.json.*ENOTDIR/)
  })
})

describe('refused as it stands', () => {
  it.each([
    ['', /missing required argument 'status\|promote\|rollback\|reset\|complete'/],
    ['stat', /upload rollout: found "stat", did you mean status\?/],
    ['xyz', /upload rollout: found "xyz", expected status, promote, rollback, reset, complete/],
    ['status promote', /too many arguments/],
    ['promote --force', /--force: needs --why TEXT/],
    ['rollback --force --why x', /--force: has no meaning for rollback/],
    ['status --why x', /--why: has no meaning for status/],
    ['reset --why " "', /--why: expected one line of text, of at most 200 characters/],
    [`reset --why ${'x'.repeat(201)}`, /--why: expected one line/],
    ['status --concurrency 8', /unknown option '--concurrency'/],
    ['status --config missing.json', /missing\.json: no such file/],
  ])('upload rollout %s', async (args, said) => {
    const thrown = await rollout(args).catch((error: unknown) => error)
    expect(thrown).toBeInstanceOf(UsageError)
    expect((thrown as UsageError).message).toMatch(said)
  })

  it('with every fault in the rollout', async () => {
    config = { rollout: { name, candidate: { engine: 'quick' }, stages: [] } }
    const env = { ASYNC_UPLOAD_ROLLOUT: '101' }
    await expect(rollout('status', { env })).rejects.toThrow(
      /rollout\.stages[\s\S]*rollout\.candidate\.engine[\s\S]*ASYNC_UPLOAD_ROLLOUT/,
    )
  })
})

it('has a help of its own', async () => {
  const { code, stdout } = await rollout('promote --help')
  expect(code).toBe(0)
  expect(stdout).toContain('Usage: upload rollout [options] <status|promote|rollback|reset|complete>')
  for (const option of ['--force', '--why <TEXT>', '--json', '--config <FILE>', '-q, --quiet']) {
    expect(stdout).toContain(option)
  }
})
