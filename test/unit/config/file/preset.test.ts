import { describe, expect, it } from 'vitest'
import { loadCommandSettings } from '../../../../src/config/command-settings.ts'
import { withConfig } from '../loading.ts'

const to = 's3://b/'

describe('a preset', () => {
  const json = {
    to,
    concurrency: 1,
    retries: 1,
    partSize: '5MiB',
    verify: true,
    rules: [{ match: 'top' }],
    routes: [{ match: 'top', engine: 'standard' }],
    presets: {
      nightly: { concurrency: 2, retries: 2, partSize: '6MiB', rules: [{ match: 'preset' }], routes: [] },
      elsewhere: { to: 's3://other/', s3: { region: 'eu-1' } },
    },
  }

  it('lies between the environment and the top of the config', async () => {
    const { load } = await withConfig(json)
    const settings = await load({
      flags: { preset: 'nightly', concurrency: '4' },
      env: { UPLOAD_RETRIES: '3', UPLOAD_PRESET: 'elsewhere' },
    })
    expect(settings).toMatchObject({ to, concurrency: 4, retry: { retries: 3 }, partSize: 6 * 2 ** 20, verify: true })
  })

  it('replaces rules and routes, where it has any', async () => {
    const { load } = await withConfig(json)
    const nightly = await load({ flags: { preset: 'nightly' } })
    expect(nightly.rules).toMatchObject([{ name: 'presets.nightly.rules[0]', when: { match: ['preset'] } }])
    expect(nightly.routes).toEqual([])
    const elsewhere = await load({ env: { UPLOAD_PRESET: 'elsewhere' } })
    expect(elsewhere).toMatchObject({ to: 's3://other/', s3: { region: 'eu-1' }, rules: [{ name: 'rules[0]' }] })
    expect(elsewhere.routes).toMatchObject([{ name: 'routes[0]', settings: { to: 's3://other/', engine: 'standard' } }])
  })

  it('is none where nobody names one', async () => {
    const { load } = await withConfig(json)
    expect(await load({ env: { UPLOAD_PRESET: '' } })).toMatchObject({ concurrency: 1, rules: [{ name: 'rules[0]' }] })
  })

  it('holds for the other commands, too', async () => {
    const { file } = await withConfig(json)
    const { settings } = await loadCommandSettings({
      flags: { config: file },
      env: { UPLOAD_PRESET: 'elsewhere' },
      cwd: '/nowhere',
      home: '/nowhere',
      uid: undefined,
    })
    expect(settings).toMatchObject({ concurrency: 1, s3: { region: 'eu-1' } })
    await expect(
      loadCommandSettings({ flags: { preset: 'x' }, env: {}, cwd: '/nowhere', home: '/nowhere', uid: undefined }),
    ).rejects.toThrow('--preset: found "x", but there is no config to take it from')
  })
})

describe('faults', () => {
  it.each<[json: object, flags: object, said: string]>([
    [
      { presets: { nightly: {}, weekly: {} } },
      { preset: 'nigtly' },
      '--preset: found "nigtly", expected one of the presets in CONFIG: nightly, weekly; did you mean nightly?',
    ],
    [{ presets: { a: {} } }, { preset: 'other' }, '--preset: found "other", expected one of the presets in CONFIG: a'],
    [{ presets: {} }, { preset: 'x' }, '--preset: found "x", but CONFIG has no presets'],
    [{}, { preset: 'x' }, '--preset: found "x", but CONFIG has no presets'],
    [{ presets: [] }, {}, 'presets: expected an object: { "nightly": { "concurrency": 8 } }'],
    [{ presets: { a: 7 } }, { preset: 'a' }, 'presets.a: expected an object of options, as at the top of the config'],
    [{ presets: { a: { concurrency: 0 } } }, {}, 'presets.a.concurrency: found 0, expected a whole number'],
    [{ presets: { a: { concurency: 1 } } }, {}, 'presets.a.concurency: unknown key; did you mean concurrency?'],
    [{ presets: { a: { presets: {} } } }, {}, 'presets.a.presets: belongs at the top of the config'],
    [{ presets: { a: { rollout: {} } } }, {}, 'presets.a.rollout: belongs at the top of the config'],
    [{ presets: { a: { $schema: 'x' } } }, {}, 'presets.a.$schema: belongs at the top of the config'],
    [{ presets: { a: { rules: [{ type: 'x' }] } } }, {}, 'presets.a.rules[0].type: found "x", expected a media type'],
    [
      { presets: { a: { routes: [{ engin: 'x' }] } } },
      {},
      'presets.a.routes[0].engin: unknown key; did you mean engine?',
    ],
    [{ presets: { a: { s3: { regoin: 'x' } } } }, {}, 'presets.a.s3.regoin: unknown key; did you mean s3.region?'],
    [
      { presets: { a: { region: 'x', s3: { region: 'x' } } } },
      {},
      'presets.a.s3.region: is given twice; also as region; keep one',
    ],
    [{ presets: { a: { s3: { secretKey: 'hunter2' } } } }, {}, 'presets.a.s3.secretKey: a secret does not belong'],
    [{ presets: { a: { noVerifySsl: true } } }, {}, 'presets.a.noVerifySsl: cannot be set in a config that was found'],
    [{ presets: { a: { preset: 'b' } } }, {}, 'presets.a.preset: cannot be set in a config file; use --preset or'],
    [{ prests: {} }, {}, 'prests: unknown key; did you mean presets?'],
  ])('%j %j', async (json, flags, said) => {
    const { faults } = await withConfig({ to, ...json })
    expect(await faults({ flags })).toEqual([expect.stringContaining(said)])
  })

  it('of a preset without a config', async () => {
    const { faults } = await withConfig({})
    expect(await faults({ args: ['a', to], env: { UPLOAD_PRESET: 'x' }, findConfig: false })).toEqual([
      'UPLOAD_PRESET: found "x", but there is no config to take it from; name one with --config, or write one (upload init)',
    ])
  })

  it('of a config that cannot be read do not blame the preset', async () => {
    const { faults } = await withConfig({})
    expect(await faults({ args: ['a', to], flags: { preset: 'x', config: 'none.json' } })).toEqual([
      expect.stringMatching(/^--config: /),
    ])
  })
})
