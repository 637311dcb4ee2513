import { createHash } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Route, Settings } from '../../../src/config/settings.ts'
import { keyFixOf } from '../../../src/plan/keys/key-fix.ts'
import { createPlan, type Plan, type PlanOptions } from '../../../src/plan/plan.ts'
import type { PlanLane } from '../../../src/plan/plan-file.ts'
import type { PlannedFile } from '../../../src/plan/planned-file.ts'
import type { Side } from '../../../src/rollout/side.ts'
import { createSides } from '../../../src/rollout/sides.ts'
import { rolloutOf } from '../../support/rollout-settings.ts'
import { defaultSettings } from '../../support/settings.ts'
import { all, tree } from './tree.ts'

const holdsAll = (): undefined => undefined
const lane = (given: Partial<PlanLane> = {}): PlanLane => ({
  place: 'old/',
  prefix: 'old/',
  keyProblem: holdsAll,
  ...given,
})
/** Another bucket. */
const elsewhere = lane({ place: 'new/', prefix: 'new/' })

interface Given {
  readonly settings?: Partial<PlanOptions['settings']>
  readonly lanes?: readonly PlanLane[]
  readonly candidates?: readonly (Partial<Settings> | undefined)[]
  readonly candidateOf?: readonly (number | undefined)[]
  readonly sides?: (source: string) => Side | undefined
  readonly warn?: (message: string) => void
}

/** Names that begin with `c` are the candidate's, with `b` the baseline's. */
const byInitial = (source: string): Side | undefined => {
  const name = source.slice(source.lastIndexOf('/') + 1)
  if (name.startsWith('c')) return 'candidate'
  return name.startsWith('b') ? 'baseline' : undefined
}

async function made(cwd: string, given: Given = {}): Promise<Plan> {
  const { settings, lanes = [lane(), elsewhere], candidates = [{}], candidateOf = [1], sides = byInitial } = given
  const plan = await createPlan({
    settings: {
      ...defaultSettings,
      sources: ['.'],
      rollout: rolloutOf(...candidates.map((each) => each && { ...defaultSettings, ...each })),
      ...settings,
    },
    lanes,
    sides,
    candidateOf,
    cwd,
    nowMs: 0,
    runId: 'this-run',
    stdin: () => expect.fail('standard input was opened'),
    warn: given.warn ?? ((message) => expect.fail(message)),
    say: () => {},
    isOwn: () => false,
  })
  onTestFinished(plan.dispose)
  return plan
}

async function planned(cwd: string, given: Given = {}): Promise<PlannedFile[]> {
  const plan = await made(cwd, given)
  await plan.survey(() => {})
  return all(plan.files())
}

/** What tells the sides apart: side, lane and key, and what it falls back to. */
function way({ side, lane, key, onBaseline, skip, problem }: PlannedFile): unknown[] {
  const spare = onBaseline === undefined ? [] : [onBaseline.lane, onBaseline.key]
  return [problem?.code ?? skip ?? side ?? 'neither', lane, key, ...spare]
}

const sum = (text: string): string => createHash('sha256').update(text).digest('hex')

describe('a side', () => {
  it('is what the rollout gives a file, by its source name: the candidate’s knows its way back', async () => {
    const files = await planned(await tree('x/c', 'b', 'other'))
    expect(files.map(way)).toEqual([
      ['baseline', 0, 'old/b'],
      ['neither', 0, 'old/other'],
      ['candidate', 1, 'new/x/c', 0, 'old/x/c'],
    ])
  })

  it('is given by a share of the names, the same in every run', async () => {
    const names = Array.from({ length: 400 }, (_, at) => `take ${at}.wav=`)
    const sides = createSides(rolloutOf(), 50)
    const files = await planned(await tree(...names), { sides })
    const candidates = files.filter(({ side }) => side === 'candidate')
    expect(candidates.length).toBeGreaterThan(150)
    expect(candidates.length).toBeLessThan(250)
    for (const { source, side, lane } of files) {
      expect(side, source).toBe(sides(source))
      expect(lane, source).toBe(side === 'candidate' ? 1 : 0)
    }
  })

  it('is that of a file of a lane that has a candidate, though none of these is open', async () => {
    const files = await planned(await tree('b', 'c'), { lanes: [lane()], sides: createSides(rolloutOf(), 0) })
    expect(files.map(way)).toEqual([
      ['baseline', 0, 'old/b'],
      ['baseline', 0, 'old/c'],
    ])
  })

  it('is none where nothing is rolled out, or the file’s route has no candidate', async () => {
    const route: Route = {
      name: 'routes[0]',
      when: { match: ['/r/**'], type: [], minSize: undefined, maxSize: undefined },
      skip: false,
      settings: defaultSettings,
    }
    const dir = await tree('c', 'r/c')
    const routed = lane({ prefix: 'routed/' })
    const given = { settings: { routes: [route] }, lanes: [lane(), routed, elsewhere] }
    const own = { ...given, candidates: [{}, undefined], candidateOf: [2, undefined] }
    expect((await planned(dir, own)).map(way)).toEqual([
      ['candidate', 2, 'new/c', 0, 'old/c'],
      ['neither', 1, 'routed/r/c'],
    ])
    const both = {
      ...given,
      lanes: [...given.lanes, elsewhere],
      candidates: [undefined, {}],
      candidateOf: [undefined, 3],
    }
    expect((await planned(dir, both)).map(way)).toEqual([
      ['neither', 0, 'old/c'],
      ['candidate', 3, 'new/r/c', 1, 'routed/r/c'],
    ])
  })

  it('is none of a file that is passed over by a rule, or cannot be sent', async () => {
    const skipping = {
      name: 'rules[0]',
      when: { match: ['*.tmp'], type: [], minSize: undefined, maxSize: undefined },
      skip: true,
      contentType: undefined,
      properties: {},
    }
    const limits = { ...defaultSettings.limits, maxSize: 3 }
    const files = await planned(await tree('c.tmp=1', 'c1=1', 'c2=1234'), { settings: { rules: [skipping], limits } })
    expect(files.map(way)).toEqual([
      ['excluded-by-rule', 0, 'old/c.tmp'],
      ['candidate', 1, 'new/c1', 0, 'old/c1'],
      ['TOO_LARGE', 0, 'old/c2'],
    ])
  })

  it('is none of a file whose key only one side can hold: it takes the baseline', async () => {
    const noAmpersand = (key: string) => (key.includes('&') ? 'it holds a "&"' : undefined)
    const dir = await tree('b', 'b&', 'c', 'c&')
    const [usual, strict] = [lane(), lane({ place: 'new/', keyProblem: noAmpersand })]
    const warn = () => {}
    expect((await planned(dir, { lanes: [usual, strict], warn })).map(way)).toEqual([
      ['baseline', 0, 'old/b'],
      ['neither', 0, 'old/b&'],
      ['candidate', 1, 'old/c', 0, 'old/c'],
      ['neither', 0, 'old/c&'],
    ])
    expect((await planned(dir, { lanes: [strict, usual] })).map(way)).toEqual([
      ['baseline', 0, 'old/b'],
      ['KEY_INVALID', 0, 'old/b&'],
      ['candidate', 1, 'old/c', 0, 'old/c'],
      ['KEY_INVALID', 0, 'old/c&'],
    ])
    const misplaced = lane({ place: 'new/', prefix: 'new//' })
    const misled = await planned(await tree('c'), { lanes: [usual, misplaced], warn })
    expect(misled.map(way)).toEqual([['neither', 0, 'old/c']])
    const fixing = { ...strict, fixName: keyFixOf({ fixName: (name) => name.replaceAll('&', '=26') }) }
    expect((await planned(dir, { lanes: [usual, fixing], warn })).map(way)).toEqual([
      ['baseline', 0, 'old/b'],
      ['baseline', 0, 'old/b&'],
      ['candidate', 1, 'old/c', 0, 'old/c'],
      ['candidate', 1, 'old/c=26', 0, 'old/c&'],
    ])
  })
})

it.each<[string, readonly string[], string | undefined]>([
  ['two files', ['c', 'b&', 'c&'], '2 files go by the baseline, uncounted, since the candidate'],
  [
    'one',
    ['c&'],
    "1 file goes by the baseline, uncounted, since the candidate's destination cannot hold its key: ./c&;",
  ],
  ['more than are named', ['c1&', 'c2&', 'c3&', 'c4&'], ': ./c1&, ./c2&, ./c3& and 1 more (each with -v); give the'],
  ['a file that is not the rollout’s', ['c', 'other&'], undefined],
])('of files that the candidate never gets the user is told: %s', async (_what, names, text) => {
  const told: string[] = []
  const strict = lane({ place: 'new/', keyProblem: (key) => (key.includes('&') ? 'it holds a "&"' : undefined) })
  await planned(await tree(...names), { lanes: [lane(), strict], warn: (message) => told.push(message) })
  expect(told).toEqual(text === undefined ? [] : [expect.stringContaining(text)])
})

describe('properties', () => {
  const metadata = { by: 'manifest' }
  const manifest = async (): Promise<string> => {
    const dir = await tree('c', 'b')
    const lines = ['b', 'c'].map((path) => JSON.stringify({ path, key: `named/${path}`, metadata }))
    await writeFile(join(dir, 'list.jsonl'), lines.join('\n'))
    return dir
  }
  const rule = {
    name: 'rules[0]',
    when: { match: [], type: [], minSize: undefined, maxSize: undefined },
    skip: false,
    contentType: 'text/x-rule',
    properties: { contentEncoding: 'rule' },
  }

  it('are each side’s own; what rules and a manifest say, and the key that it gives, hold for both', async () => {
    const files = await planned(await manifest(), {
      settings: { sources: [], filesFrom: 'list.jsonl', properties: { cacheControl: 'old' }, rules: [rule] },
      candidates: [{ properties: { cacheControl: 'new' } }],
    })
    expect(files.map(way)).toEqual([
      ['baseline', 0, 'old/named/b'],
      ['candidate', 1, 'new/named/c', 0, 'old/named/c'],
    ])
    const [baseline, candidate] = files
    const old = { cacheControl: 'old', contentEncoding: 'rule', metadata }
    expect(baseline?.properties).toEqual(old)
    expect(candidate).toMatchObject({
      contentType: 'text/x-rule',
      properties: { ...old, cacheControl: 'new' },
      onBaseline: { properties: old, originalKey: undefined },
    })
    expect(candidate?.onBaseline?.properties).toBe(baseline?.properties)
  })

  it('that either side has no place for are told of', async () => {
    const told: string[] = []
    const unkept = (where: string) => ({ where, names: new Set(['metadata'] as const) })
    await planned(await manifest(), {
      settings: { sources: [], filesFrom: 'list.jsonl' },
      lanes: [lane({ unkept: unkept('the old one') }), { ...elsewhere, unkept: unkept('the new one') }],
      sides: () => 'candidate',
      warn: (message) => told.push(message),
    })
    expect(told).toEqual([
      '--files-from: metadata has no effect for the new one',
      '--files-from: metadata has no effect for the old one',
    ])
  })

  it('keep a manifest’s time where a candidate does', async () => {
    const dir = await tree('c')
    await writeFile(join(dir, 'list.jsonl'), JSON.stringify({ path: 'c', metadata: { mtime: '1' } }))
    const given: Given = { settings: { sources: [], filesFrom: 'list.jsonl' } }
    expect(await planned(dir, given)).toHaveLength(1)
    await expect(planned(dir, { ...given, candidates: [undefined, { preserve: 'mtime' }] })).rejects.toThrow(/mtime/)
  })
})

describe('keys', () => {
  const key = '{name}'

  it.each<[string, PlanLane, readonly string[], string | undefined]>([
    [
      'of two files, one on each side, where the first may have to take the baseline',
      elsewhere,
      ['x/c', 'b/c'],
      'old/c',
    ],
    ['of two files of the candidate’s', elsewhere, ['x/c', 'y/c'], 'old/c'],
    ['of two of these, in one bucket', lane({ prefix: 'new/' }), ['x/c', 'y/c'], 'new/c'],
    ['at one destination', lane(), ['x/c', 'y/c'], 'old/c'],
    ['that differ', elsewhere, ['x/c1', 'y/c2'], undefined],
  ])('%s: %s', async (_what, candidate, names, collision) => {
    const sides = (source: string): Side => (source.startsWith('b/') ? 'baseline' : 'candidate')
    const planning = planned(await tree(...names), { settings: { key }, lanes: [lane(), candidate], sides })
    if (collision === undefined) expect(await planning).toHaveLength(2)
    else await expect(planning).rejects.toThrow(`would both become ${collision}`)
  })

  it('of the candidate’s are looked for among the baseline’s, in one bucket', async () => {
    const lanes = [lane({ prefix: '' }), lane({ prefix: 'x/' })]
    await expect(planned(await tree('c', 'x/c', 'x/b'), { lanes, sides: () => 'candidate' })).rejects.toThrow(
      './c and ./x/c would both become x/c',
    )
    const names = ['c', 'x/b']
    expect(await planned(await tree(...names), { lanes })).toHaveLength(2)
  })

  it('that meet only on the candidate are another prefix’s affair', async () => {
    const lanes = [lane({ prefix: '' }), lane({ prefix: 'x/' })]
    const hint = 'give the candidate of the rollout a prefix of its own'
    await expect(planned(await tree('c', 'x/b', 'x/c'), { lanes })).rejects.toThrow(hint)
    const same = planned(await tree('y/c', 'x/c'), { lanes: [lane(), lane({ prefix: 'new/' })], settings: { key } })
    const met = await same.catch((error: Error) => error.message)
    expect(met).toContain('would both become new/c')
    expect(met).not.toContain(hint)
  })

  it('one file reaches in two ways, each on a side of its own: it is sent once', async () => {
    const dir = await tree('x/a')
    const sides = (source: string): Side => (source === 'a' ? 'candidate' : 'baseline')
    for (const sources of [
      ['x', 'x/../x/a', './x/a'],
      ['./x/a', 'x'],
      ['.', 'x'],
    ]) {
      const plan = await made(dir, { settings: { sources, flatten: true }, sides })
      expect(await plan.survey(() => {})).toMatchObject({ files: 1, bytes: 3, toSend: { files: 1, bytes: 3 } })
      expect(await all(plan.files())).toHaveLength(1)
    }
  })

  it('make a scope for each lane that files take, or may have to', async () => {
    const plan = await made(await tree('x/c', 'x/y/c', 'x/y/b'))
    await plan.survey(() => {})
    expect([0, 1].map(plan.scope)).toEqual([
      { files: 3, prefix: 'old/x/' },
      { files: 2, prefix: 'new/x/' },
    ])
  })

  it('with a number are the same on both sides', async () => {
    const files = await planned(await tree('b', 'c'), { settings: { key: '{index}-{uuid}' } })
    const candidate = files.find(({ side }) => side === 'candidate')
    expect(candidate?.key.slice('new/'.length)).toBe(candidate?.onBaseline?.key.slice('old/'.length))
  })
})

describe('keys made of bytes', () => {
  const settings = { key: '{sha256}' }

  it('are those of one reading on both sides, and what falls back is what was read', async () => {
    const plan = await made(await tree('c=1'), { settings: { ...settings, sources: ['c', './c'] } })
    await plan.survey(() => {})
    expect([0, 1].map(plan.scope)).toEqual([
      { files: 2, prefix: 'old/' },
      { files: 2, prefix: 'new/' },
    ])
    const [first, again] = await all(plan.files())
    expect(first).toMatchObject({ key: `new/${sum('1')}`, onBaseline: { key: `old/${sum('1')}` }, pinned: true })
    expect(again).toMatchObject({ skip: 'duplicate-content', occurrence: 2, side: undefined, onBaseline: undefined })
  })

  it('are sent once on each side', async () => {
    const dir = await tree('b1=same', 'b2=same', 'c1=same', 'c2=same')
    const [at0, at1] = [`old/${sum('same')}`, `new/${sum('same')}`]
    expect((await planned(dir, { settings })).map(way)).toEqual([
      ['baseline', 0, at0],
      ['duplicate-content', 0, at0],
      ['candidate', 1, at1, 0, at0],
      ['duplicate-content', 1, at1],
    ])
    const first = await tree('a/c=same', 'b1=same', 'b2=same')
    expect((await planned(first, { settings })).map(way)).toEqual([
      ['candidate', 1, at1, 0, at0],
      ['baseline', 0, at0],
      ['duplicate-content', 0, at0],
    ])
  })

  it('are sent once to one destination, whichever the side', async () => {
    const files = await planned(await tree('b1=same', 'c1=same'), { settings, lanes: [lane(), lane()] })
    expect(files.map(way)).toEqual([
      ['baseline', 0, `old/${sum('same')}`],
      ['duplicate-content', 1, `old/${sum('same')}`],
    ])
  })

  it('are no reason to overwrite what another file falls back to', async () => {
    const [one, two] = [sum('1'), sum('2')]
    // Both become n + the first's sum + x + the second's sum + y.
    const dir = await tree(`x${two}y/n=1`, `y/n${one}x=2`)
    const given = { settings: { key: '{name}{sha256}{dir}' } }
    const isFirst = (source: string): boolean => source.startsWith('x')
    for (const sides of [
      (source: string): Side => (isFirst(source) ? 'candidate' : 'baseline'),
      (source: string): Side => (isFirst(source) ? 'baseline' : 'candidate'),
    ]) {
      const [sent, refused] = await planned(dir, { ...given, sides })
      expect(sent?.problem).toBeUndefined()
      expect(refused).toMatchObject({
        problem: { code: 'KEY_INVALID' },
        lane: 0,
        side: undefined,
        onBaseline: undefined,
      })
      expect(refused?.problem?.message).toContain(`its key old/n${one}x${two}y is that of another file`)
    }
  })

  it('are not known of a file that is gone: it is told of as the baseline’s', async () => {
    const dir = await tree('c=1')
    const plan = await made(dir, { settings })
    await plan.survey(() => {})
    await rm(join(dir, 'c'))
    expect((await all(plan.files())).map(way)).toEqual([['SOURCE_NOT_FOUND', 0, `old/${'0'.repeat(64)}`]])
  })
})
