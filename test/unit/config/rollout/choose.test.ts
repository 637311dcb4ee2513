import { describe, expect, it } from 'vitest'
import type { Environment } from '../../../../src/config/environment.ts'
import type { Settings } from '../../../../src/config/settings.ts'
import { defaultStages } from '../../../../src/rollout/stages.ts'
import { withConfig } from '../loading.ts'

const to = 's3://b/'
const rollout = { name: 'nightly', candidate: { concurrency: 5 } }
const on: Environment = { ASYNC_UPLOAD_ENABLED: 'true' }
const off: Environment = { ASYNC_UPLOAD_ENABLED: 'false' }

const enginesOf = ({ engine, routes }: Settings): readonly string[] => [
  engine,
  ...routes.map(({ settings }) => settings.engine),
]

describe('the environment alone', () => {
  it.each(['1', 'true', 'TRUE', 'True'])('ASYNC_UPLOAD_ENABLED=%s rolls fast out against standard', async (value) => {
    const { load } = await withConfig({ to })
    const settings = await load({ env: { ASYNC_UPLOAD_ENABLED: value } })
    expect(settings.engine).toBe('standard')
    expect(settings.rollout).toMatchObject({
      name: 'async-upload',
      isEnabled: true,
      percentage: undefined,
      fallback: true,
      auto: false,
      stages: defaultStages,
      state: undefined,
    })
    expect(settings.rollout?.candidates).toEqual([{ ...settings, rollout: undefined, engine: 'fast' }])
    expect(settings.warnings).toEqual([])
  })

  it.each(['0', 'false', 'FALSE'])('ASYNC_UPLOAD_ENABLED=%s sends everything by standard', async (value) => {
    const { load } = await withConfig({ to, engine: 'fast', routes: [{ match: '*.a', engine: 'fast' }] })
    const settings = await load({ env: { ASYNC_UPLOAD_ENABLED: value } })
    expect(settings.rollout).toBeUndefined()
    expect(enginesOf(settings)).toEqual(['standard', 'standard'])
  })

  it.each([[{}], [{ ASYNC_UPLOAD_ENABLED: '' }]])('%j changes nothing', async (env) => {
    const { load } = await withConfig({ to })
    expect(await load({ env })).toMatchObject({ engine: 'fast', rollout: undefined, warnings: [] })
  })

  it('is stronger than a config that says fast, and leaves alone what a route sends by standard', async () => {
    const { load } = await withConfig({
      to,
      engine: 'fast',
      routes: [
        { match: '*.a', engine: 'fast' },
        { match: '*.b', engine: 'standard' },
        { match: '*.c', verify: true },
        { match: '*.d', skip: true },
      ],
      presets: { p: { engine: 'fast' } },
    })
    const settings = await load({ env: on, flags: { preset: 'p' } })
    expect(enginesOf(settings)).toEqual(Array(5).fill('standard'))
    expect(settings.rollout?.candidates.map((one) => one?.engine)).toEqual([
      'fast',
      'fast',
      undefined,
      'fast',
      undefined,
    ])
  })

  it('takes share and fallback', async () => {
    const { load } = await withConfig({ to })
    const env = { ...on, ASYNC_UPLOAD_ROLLOUT: '12.5', ASYNC_UPLOAD_FALLBACK: 'False' }
    expect((await load({ env })).rollout).toMatchObject({ percentage: 12.5, fallback: false })
  })

  it.each<[Environment, Partial<Settings> | object, string]>([
    [on, { engine: 'fast' }, '--engine: found "fast", but ASYNC_UPLOAD_ENABLED=true makes standard'],
    [off, { engine: 'fast' }, '--engine: found "fast", but ASYNC_UPLOAD_ENABLED=false makes standard'],
    [
      { ...off, UPLOAD_ENGINE: 'fast' },
      {},
      'UPLOAD_ENGINE: found "fast", but ASYNC_UPLOAD_ENABLED=false makes standard',
    ],
    [{ ...on, UPLOAD_ENGINE: 'fast' }, {}, 'UPLOAD_ENGINE: found "fast", but ASYNC_UPLOAD_ENABLED=true makes standard'],
  ])('%j is contradicted by %j', async (env, flags, said) => {
    const { faults } = await withConfig({ to })
    expect(await faults({ env, flags })).toEqual([expect.stringContaining(said)])
  })

  it('is not contradicted by standard', async () => {
    const { load } = await withConfig({ to })
    const env = { ...off, UPLOAD_ENGINE: 'fast' }
    expect(await load({ env, flags: { engine: 'standard' } })).toMatchObject({ engine: 'standard' })
    expect((await load({ env: on, flags: { engine: 'standard' } })).rollout?.candidates).toMatchObject([
      { engine: 'fast' },
    ])
  })
})

describe("the environment beside a config's rollout", () => {
  it('switches it off', async () => {
    const { load } = await withConfig({ to, rollout })
    const settings = await load({ env: { ...off, ASYNC_UPLOAD_ROLLOUT: '50' } })
    expect(settings.engine).toBe('fast')
    expect(settings.rollout).toMatchObject({ name: 'nightly', isEnabled: false, percentage: 50 })
  })

  it('is needed for nothing, and says nothing of the engine', async () => {
    const { load } = await withConfig({ to, rollout })
    expect((await load({ env: on, flags: { engine: 'fast' } })).rollout).toEqual((await load()).rollout)
  })

  it.each([
    [true, '0', false],
    [false, '1', true],
    [false, '', false],
  ])('has the say about fallback: %j and %j make %j', async (fallback, variable, expected) => {
    const { load } = await withConfig({ to, rollout: { ...rollout, fallback } })
    expect((await load({ env: { ASYNC_UPLOAD_FALLBACK: variable } })).rollout?.fallback).toBe(expected)
  })

  it.each([
    ['0', 0],
    ['100', 100],
    ['33.333', 33.333],
    ['', undefined],
  ])('ASYNC_UPLOAD_ROLLOUT=%s', async (value, percentage) => {
    const { load } = await withConfig({ to, rollout })
    expect((await load({ env: { ASYNC_UPLOAD_ROLLOUT: value } })).rollout?.percentage).toBe(percentage)
  })
})

describe('a bad value is refused, rollout or not', () => {
  it.each([
    ['ASYNC_UPLOAD_ENABLED', 'yes', 'expected true or false'],
    ['ASYNC_UPLOAD_ENABLED', '10', 'expected true or false'],
    ['ASYNC_UPLOAD_FALLBACK', 'on', 'expected true or false'],
    ['ASYNC_UPLOAD_ROLLOUT', '101', 'expected a percentage from 0 to 100, such as 10 or 0.5'],
    ['ASYNC_UPLOAD_ROLLOUT', '-1', 'expected a percentage from 0 to 100'],
    ['ASYNC_UPLOAD_ROLLOUT', '10%', 'expected a percentage from 0 to 100'],
    ['ASYNC_UPLOAD_ROLLOUT', 'ten', 'expected a percentage from 0 to 100'],
    ['ASYNC_UPLOAD_ROLLOUT', '1e1', 'expected a percentage from 0 to 100'],
  ])('%s=%s', async (name, value, said) => {
    for (const config of [{ to }, { to, rollout }]) {
      const { faults } = await withConfig(config)
      expect(await faults({ env: { [name]: value } })).toEqual([
        expect.stringContaining(`${name}: found "${value}", ${said}`),
      ])
    }
  })

  it('with all others', async () => {
    const { faults } = await withConfig({ to })
    const env = { ASYNC_UPLOAD_ENABLED: 'x', ASYNC_UPLOAD_ROLLOUT: 'y', ASYNC_UPLOAD_FALLBACK: 'z' }
    expect(await faults({ env })).toHaveLength(3)
  })
})

describe('variables that have no rollout to be about', () => {
  const why = 'no effect, since nothing is rolled out; give the config a "rollout", or set ASYNC_UPLOAD_ENABLED=true'

  it.each([
    [{ ASYNC_UPLOAD_ROLLOUT: '10' }, `ASYNC_UPLOAD_ROLLOUT: ${why}`],
    [{ ASYNC_UPLOAD_ROLLOUT: '10', ASYNC_UPLOAD_FALLBACK: '0' }, `ASYNC_UPLOAD_ROLLOUT, ASYNC_UPLOAD_FALLBACK: ${why}`],
  ])('%j: one warning', async (env, said) => {
    const { load } = await withConfig({ to })
    expect((await load({ env })).warnings).toEqual([said])
  })

  it('are no cause for one beside the switch that turns it off', async () => {
    const { load } = await withConfig({ to })
    expect((await load({ env: { ...off, ASYNC_UPLOAD_ROLLOUT: '10' } })).warnings).toEqual([])
  })
})
