import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type LoadedRollout, loadRollout } from '../../../../src/config/rollout/load.ts'
import { UsageError } from '../../../../src/errors.ts'
import { defaultStages } from '../../../../src/rollout/stages.ts'

type Input = Parameters<typeof loadRollout>[0]

async function loaded(config: string | undefined, input: Partial<Input> = {}): Promise<LoadedRollout | undefined> {
  const cwd = await mkdtemp(join(tmpdir(), 'rollout-'))
  onTestFinished(() => rm(cwd, { recursive: true }))
  if (config !== undefined) await writeFile(join(cwd, '.uploadrc.json'), config, { mode: 0o644 })
  const found = await loadRollout({ flags: {}, env: {}, cwd, home: cwd, uid: process.getuid?.(), ...input })
  return found?.configPath === undefined ? found : { ...found, configPath: found.configPath.replace(cwd, 'CWD') }
}

async function faultsOf(config: string, env: Input['env'] = {}): Promise<readonly string[]> {
  const thrown: unknown = await loaded(config, { env }).catch((error: unknown) => error)
  expect(thrown).toBeInstanceOf(UsageError)
  return (thrown as UsageError).faults
}

const json = { rollout: { name: 'r', candidate: { engine: 'standard', s3: { region: 'x' } }, auto: true } }

describe('the rollout that is looked after', () => {
  it('is that of the config, with neither sources nor a destination', async () => {
    const found = await loaded(JSON.stringify(json), { env: { ASYNC_UPLOAD_ROLLOUT: '5' } })
    expect(found).toMatchObject({
      rollout: { name: 'r', isEnabled: true, percentage: 5, auto: true, fallback: true, stages: defaultStages },
      candidateGiven: json.rollout.candidate,
      configPath: 'CWD/.uploadrc.json',
      configJson: json,
    })
    expect(found?.rollout).not.toHaveProperty('candidates')
  })

  it('is not disturbed by what a run alone would refuse', async () => {
    const config = { to: 'nowhere', routes: [{ partSize: 1 }], rollout: { name: 'r', candidate: { to: 's3://x/' } } }
    expect((await loaded(JSON.stringify(config)))?.rollout.name).toBe('r')
  })

  it.each([
    ['{}', 'CWD/.uploadrc.json', {}],
    [undefined, undefined, undefined],
  ])('is that of the environment, beside the config %s', async (config, configPath, configJson) => {
    expect(await loaded(config, { env: { ASYNC_UPLOAD_ENABLED: '1' } })).toMatchObject({
      rollout: { name: 'async-upload', isEnabled: true, stages: defaultStages },
      candidateGiven: { engine: 'fast' },
      configPath,
      configJson,
    })
  })

  it.each([{}, { ASYNC_UPLOAD_ENABLED: 'false' }, { ASYNC_UPLOAD_ROLLOUT: '5' }])(
    'is none with %j alone',
    async (env) => {
      expect(await loaded(undefined, { env })).toBeUndefined()
      expect(await loaded('{}', { env })).toBeUndefined()
    },
  )

  it('is that of the config that is named', async () => {
    await expect(loaded(undefined, { flags: { config: 'none.json' } })).rejects.toThrow(/^--config: .*no such file/)
  })

  it('is refused with every fault in it, and in the config as such', async () => {
    const config = { partsize: 1, rollout: { name: '', candidate: { engine: 'x' }, stages: [] } }
    expect(await faultsOf(JSON.stringify(config), { ASYNC_UPLOAD_FALLBACK: 'x' })).toEqual([
      expect.stringContaining('partsize: unknown key'),
      expect.stringContaining('rollout.stages: expected a list'),
      expect.stringContaining('rollout.name: found ""'),
      expect.stringContaining('rollout.candidate.engine: found "x"'),
      expect.stringContaining('ASYNC_UPLOAD_FALLBACK: found "x"'),
    ])
  })
})
