import { dirname, join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { defaultStages } from '../../../../src/rollout/stages.ts'
import { defaultTriggers } from '../../../../src/rollout/triggers.ts'
import { withConfig } from '../loading.ts'

const to = 's3://b/'
const hourMs = 3_600_000
const rollout = { name: 'nightly', candidate: { engine: 'standard' } }
const form = '{ "name": "nightly-import", "candidate": { "engine": "fast" } }'

describe('a rollout', () => {
  it('has defaults for all but its name and its candidate', async () => {
    const { load } = await withConfig({ to, rollout })
    const { rollout: settings } = await load()
    expect(settings).toMatchObject({
      name: 'nightly',
      isEnabled: true,
      percentage: undefined,
      fallback: true,
      auto: false,
      only: [],
      never: [],
      stages: defaultStages,
      triggers: defaultTriggers,
      state: undefined,
    })
    expect(settings?.candidates).toMatchObject([{ engine: 'standard', to }])
  })

  it('takes everything it can be told', async () => {
    const { load, file } = await withConfig({
      to,
      rollout: {
        ...rollout,
        fallback: 'false',
        auto: true,
        only: ['*.wav', '!x.wav'],
        never: 'drafts/',
        state: '../state/nightly.json',
        stages: [
          { percentage: 0, duration: '90m' },
          { percentage: 0.25 },
          { percentage: '7', duration: '2d', minSuccess: '99.9%', minFiles: 50 },
          { percentage: 100, duration: 0, minFiles: '0', minSuccess: '0%' },
        ],
        triggers: {
          window: 300,
          minFiles: '40',
          minFilesFailing: 20,
          minSuccess: '90%',
          maxErrors: '7.5%',
          maxLatency: '150%',
        },
      },
    })
    expect((await load()).rollout).toMatchObject({
      fallback: false,
      auto: true,
      only: ['*.wav', '!x.wav'],
      never: ['drafts/'],
      state: resolve(dirname(file), '../state/nightly.json'),
      stages: [
        { percentage: 0, durationMs: 1.5 * hourMs, minSuccess: 0, minFiles: 0 },
        { percentage: 0.25, durationMs: 24 * hourMs, minSuccess: 0.995, minFiles: 200 },
        { percentage: 7, durationMs: 48 * hourMs, minSuccess: 0.999, minFiles: 50 },
        { percentage: 100, durationMs: 0, minSuccess: 0, minFiles: 0 },
      ],
      triggers: {
        window: 300,
        minFiles: 40,
        minFilesFailing: 20,
        minSuccess: 0.9,
        maxErrors: 0.075,
        maxLatencyRatio: 1.5,
      },
    })
  })

  it.each([
    [{ window: 150 }, { window: 150, minFiles: 150, minFilesFailing: 100 }],
    [{ window: 80 }, { window: 80, minFiles: 80, minFilesFailing: 80 }],
    [{ minFiles: 30 }, { window: 500, minFiles: 30, minFilesFailing: 30 }],
    [{ minFilesFailing: 300 }, { window: 500, minFiles: 200, minFilesFailing: 300 }],
    [{}, defaultTriggers],
  ])('with triggers %j asks for no more than is looked at', async (triggers, expected) => {
    const { load } = await withConfig({ to, rollout: { ...rollout, triggers } })
    expect((await load()).rollout?.triggers).toEqual({ ...defaultTriggers, ...expected })
  })

  it('keeps its state where it is said to be, however the config is found', async () => {
    const { load, file } = await withConfig({ to, rollout: { ...rollout, state: 'a.json' } })
    const elsewhere = await load({ cwd: '/', flags: { config: file } })
    expect(elsewhere.rollout?.state).toBe(join(dirname(file), 'a.json'))
    expect((await load()).rollout?.state).toBe(join(dirname(file), 'a.json'))
  })

  it('holds under any preset', async () => {
    const { load } = await withConfig({ to, rollout, presets: { p: { concurrency: 3 } } })
    const { rollout: settings } = await load({ flags: { preset: 'p' } })
    expect(settings?.candidates).toMatchObject([{ engine: 'standard', concurrency: 3 }])
  })
})

describe('faults', () => {
  it.each<[unknown, ...string[]]>([
    [7, `rollout: expected an object: ${form}`],
    [[], `rollout: expected an object: ${form}`],
    [{}, `rollout: has no name; such as ${form}`, `rollout: has no candidate; such as ${form}`],
    [{ name: 'n' }, `rollout: has no candidate; such as ${form}`],
    [{ ...rollout, name: '' }, 'rollout.name: found "", expected a name of 1 to 100 characters such as nightly-import'],
    [{ ...rollout, name: 'a\u202eb' }, 'rollout.name: found "a'],
    [{ ...rollout, name: 7 }, 'rollout.name: found 7, expected a name'],
    [{ ...rollout, nam: 'x' }, 'rollout.nam: unknown key; did you mean name?'],
    [
      { ...rollout, percentage: 5 },
      'rollout.percentage: unknown key; a rollout may hold name, fallback, only, never, state, auto, candidate, stages, triggers',
    ],
    [{ ...rollout, fallback: 'maybe' }, 'rollout.fallback: found "maybe", expected true or false'],
    [{ ...rollout, auto: 1 }, 'rollout.auto: found 1, expected true or false'],
    [{ ...rollout, only: [] }, 'rollout.only: found a list, expected a pattern at least'],
    [{ ...rollout, never: '!x' }, 'rollout.never: found "!x", expected a pattern for files to match'],
    [{ ...rollout, state: 'd/' }, 'rollout.state: found "d/", expected the path of a file, relative to this config'],
    [{ ...rollout, state: '~/s.json' }, 'rollout.state: found "~/s.json", expected the path of a file'],
    [{ ...rollout, state: './x/../.uploadrc.json' }, 'rollout.state: is this config itself; name another file'],
    [
      { name: 'n', candidate: 7 },
      'rollout.candidate: expected an object: a candidate may hold to, engine, concurrency',
    ],
    [{ name: 'n', candidate: { partSize: 1 } }, 'rollout.candidate.partSize: found 1, expected a size from 5MiB'],
    [{ name: 'n', candidate: { to: 'x' } }, 'rollout.candidate.to: found "x", expected s3://'],
    [{ name: 'n', candidate: { engin: 'x' } }, 'rollout.candidate.engin: unknown key; did you mean engine?'],
    [{ name: 'n', candidate: { s3: 7 } }, 'rollout.candidate.s3: expected an object with endpointUrl'],
    [{ name: 'n', candidate: { region: 'eu' } }, 'rollout.candidate.region: belongs under s3: "s3": { "region": … }'],
    [{ name: 'n', candidate: { supabase: {} } }, 'rollout.candidate.supabase: a run goes to one Supabase project'],
    [
      { name: 'n', candidate: { supabaseUrl: 'x' } },
      'rollout.candidate.supabaseUrl: a run goes to one Supabase project',
    ],
    [
      { name: 'n', candidate: { contentType: 'a/b' } },
      'rollout.candidate.contentType: holds for both sides; a candidate',
    ],
    [{ name: 'n', candidate: { rules: [] } }, 'rollout.candidate.rules: holds for both sides; a candidate may hold'],
    [{ name: 'n', candidate: { limitRate: 1 } }, 'rollout.candidate.limitRate: holds for the whole run; a candidate'],
    [
      { name: 'n', candidate: { match: '*' } },
      'rollout.candidate.match: which files it is about is a matter of "only"',
    ],
    [{ name: 'n', candidate: { nonsense: 1 } }, 'rollout.candidate.nonsense: unknown key; a candidate may hold to,'],
    [{ name: 'n', candidate: { s3: { secretKey: 'hunter2' } } }, 'rollout.candidate.s3.secretKey: a secret does not'],
    [{ ...rollout, name: 'AKIAIOSFODNN7EXAMPLE' }, 'rollout.name: a secret does not belong'],
    [{ ...rollout, stages: {} }, 'rollout.stages: expected a list of 1 to 100 stages: [{ "percentage": 1'],
    [{ ...rollout, stages: [] }, 'rollout.stages: expected a list of 1 to 100 stages'],
    [{ ...rollout, stages: Array(101).fill({ percentage: 1 }) }, 'rollout.stages: expected a list of 1 to 100 stages'],
    [
      { ...rollout, stages: [5] },
      'rollout.stages[0]: expected an object with percentage, duration, minSuccess, minFiles',
    ],
    [{ ...rollout, stages: [{}] }, 'rollout.stages[0]: has no percentage; such as { "percentage": 10 }'],
    [
      { ...rollout, stages: [{ percentage: 1 }, { percentage: 101 }] },
      'rollout.stages[1].percentage: found 101, expected a percentage from 0 to 100, such as 10 or 0.5',
    ],
    [{ ...rollout, stages: [{ percentage: '5%' }] }, 'rollout.stages[0].percentage: found "5%", expected a percentage'],
    [
      { ...rollout, stages: [{ percentage: 0.001 }] },
      'rollout.stages[0].percentage: found 0.001, expected a percentage in',
    ],
    [
      { ...rollout, stages: [{ percentage: 0 }, { percentage: 10 }, { percentage: 5 }, { percentage: 50 }] },
      'rollout.stages[2].percentage: found 5, expected more than the 10 before it',
    ],
    [
      { ...rollout, stages: [{ percentage: 10 }, { percentage: 10 }] },
      'rollout.stages[1].percentage: found 10, expected more than the 10 before it',
    ],
    [
      { ...rollout, stages: [{ percentage: 1, duration: 24 }] },
      'rollout.stages[0].duration: found 24, expected a duration',
    ],
    [
      { ...rollout, stages: [{ percentage: 1, minSuccess: 0.9 }] },
      'rollout.stages[0].minSuccess: found 0.9, expected a',
    ],
    [
      { ...rollout, stages: [{ percentage: 1, minFiles: -1 }] },
      'rollout.stages[0].minFiles: found -1, expected a whole',
    ],
    [
      { ...rollout, stages: [{ percentage: 1, min: 1 }] },
      'rollout.stages[0].min: unknown key; a stage may hold percentage',
    ],
    [
      { ...rollout, stages: [{ percentage: 0, minSuccess: '90%', minFiles: 1 }] },
      'rollout.stages[0].minSuccess: at 0 % the candidate gets no files, so none can be asked of it; leave it out',
      'rollout.stages[0].minFiles: at 0 % the candidate gets no files, so none can be asked of it; leave it out',
    ],
    [{ ...rollout, triggers: [] }, 'rollout.triggers: expected an object with window, minFiles'],
    [{ ...rollout, triggers: { window: 5001 } }, 'rollout.triggers.window: found 5001, expected a whole number from 1'],
    [{ ...rollout, triggers: { windw: 1 } }, 'rollout.triggers.windw: unknown key; did you mean window?'],
    [
      { ...rollout, triggers: { maxErrors: '101%' } },
      'rollout.triggers.maxErrors: found "101%", expected a percentage',
    ],
    [
      { ...rollout, triggers: { maxLatency: '0%' } },
      'rollout.triggers.maxLatency: found "0%", expected a percentage such',
    ],
    [{ ...rollout, triggers: { maxLatency: '1001%' } }, 'rollout.triggers.maxLatency: found "1001%", expected a'],
    [
      { ...rollout, triggers: { maxLatency: 'x' } },
      'rollout.triggers.maxLatency: found "x", expected a percentage such',
    ],
    [
      { ...rollout, triggers: { minFiles: 501 } },
      'rollout.triggers.minFiles: found 501, but only the last 500 files are looked at (window)',
    ],
    [
      { ...rollout, triggers: { window: 10, minFiles: 11, minFilesFailing: 12 } },
      'rollout.triggers.minFiles: found 11, but only the last 10 files are looked at (window)',
      'rollout.triggers.minFilesFailing: found 12, but only the last 10 files are looked at (window)',
    ],
  ])('%j', async (json, ...said) => {
    const { faults } = await withConfig({ to, rollout: json })
    const found = await faults()
    expect(found).toEqual(said.map((line) => expect.stringContaining(line)))
    expect(found.join()).not.toMatch(/hunter2|AKIA/)
  })

  it('are said all at once, with those of the rest', async () => {
    const { faults } = await withConfig({
      to,
      concurrency: 0,
      rollout: {
        name: '',
        candidate: { partSize: 1, acl: 'x' },
        stages: [{ percentage: 200 }],
        triggers: { window: 0 },
      },
    })
    expect(await faults()).toEqual([
      expect.stringMatching(/^concurrency: /),
      expect.stringMatching(/^rollout\.name: /),
      expect.stringMatching(/^rollout\.candidate\.partSize: /),
      expect.stringMatching(/^rollout\.candidate\.acl: /),
      expect.stringMatching(/^rollout\.stages\[0\]\.percentage: /),
      expect.stringMatching(/^rollout\.triggers\.window: /),
    ])
  })
})
