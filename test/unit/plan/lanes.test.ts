import { expect, it, onTestFinished } from 'vitest'
import type { Route } from '../../../src/config/settings.ts'
import { createPlan } from '../../../src/plan/plan.ts'
import { defaultSettings } from '../../support/settings.ts'
import { all, tree } from './tree.ts'

const route: Route = {
  name: 'routes[0]',
  when: { match: ['/c.md'], type: [], minSize: undefined, maxSize: undefined },
  skip: false,
  settings: defaultSettings,
}

interface Given {
  readonly place: string
  readonly prefix?: string
}

/** The keys of two files, the first of which takes the route. */
async function keys(
  own: Given,
  routed: Given,
  { key, files = ['in/c.md', 'in/x/c.md'] }: { readonly key?: string; readonly files?: readonly string[] } = {},
): Promise<(readonly [lane: number, key: string])[]> {
  const plan = await createPlan({
    settings: { ...defaultSettings, sources: ['in'], key, routes: [route] },
    lanes: [own, routed].map(({ place, prefix = '' }) => ({ place, prefix, keyProblem: () => undefined })),
    cwd: await tree(...files),
    nowMs: 0,
    runId: 'this-run',
    stdin: () => expect.fail('standard input was opened'),
    warn: () => {},
    say: () => {},
    isOwn: () => false,
  })
  onTestFinished(plan.dispose)
  await plan.survey(() => {})
  return (await all(plan.files())).map(({ lane, key }) => [lane, key] as const)
}

it('gives each file the prefix of where it goes', async () => {
  expect(await keys({ place: 'a/', prefix: 'own/' }, { place: 'a/', prefix: 'routed/' })).toEqual([
    [1, 'routed/c.md'],
    [0, 'own/x/c.md'],
  ])
})

it.each<[string, Given, Given]>([
  ['in one bucket', { place: 'a/' }, { place: 'a/', prefix: 'x/' }],
  ['in a directory and one that lies in it', { place: 'file:/out/' }, { place: 'file:/out/x/' }],
])('refuses two files with one key %s', async (_where, own, routed) => {
  await expect(keys(own, routed)).rejects.toThrow(/in\/c\.md and in\/x\/c\.md would both become/)
})

it('refuses two files with one key whose numbers differ, where one prefix is the number of the other', async () => {
  const given = { key: '{index}/{dir}/{name}', files: ['in/c.md', 'in/2/c'] }
  await expect(keys({ place: 'a/' }, { place: 'a/', prefix: '1/' }, given)).rejects.toThrow('would both become 1/2/c')
})

it('takes one key in two buckets for two objects', async () => {
  expect(await keys({ place: 'a/' }, { place: 'b/', prefix: 'x/' })).toEqual([
    [1, 'x/c.md'],
    [0, 'x/c.md'],
  ])
})
