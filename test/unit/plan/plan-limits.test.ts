import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { LimitSettings } from '../../../src/config/settings.ts'
import { UsageError } from '../../../src/errors.ts'
import { createPlan, type Plan } from '../../../src/plan/plan.ts'
import { files } from '../../support/file-heads.ts'
import { defaultSettings } from '../../support/settings.ts'
import { all, tree } from './tree.ts'

function plan(cwd: string, limits: Partial<LimitSettings>, sources: readonly string[] = ['in']): Promise<Plan> {
  const skipped = {
    name: 'rules[0]',
    when: { match: ['left-out.*'], type: [], minSize: undefined, maxSize: undefined },
    skip: true,
    contentType: undefined,
    properties: {},
  }
  return createPlan({
    settings: { ...defaultSettings, sources, rules: [skipped], limits: { ...defaultSettings.limits, ...limits } },
    lanes: [{ place: 'here', prefix: '', keyProblem: () => undefined, fixName: undefined }],
    cwd,
    nowMs: 0,
    runId: 'run',
    stdin: () => expect.fail('standard input was opened'),
    warn: () => {},
    say: () => {},
    isOwn: () => false,
  })
}

it('sets apart what must not be sent, in both passes', async () => {
  const dir = await tree('in/a.wav=12345', 'in/b.wav=123456', 'in/left-out.wav=1234567', 'in/none.txt=1')
  await writeFile(join(dir, 'in', 'a.wav'), files.wav)
  const made = await plan(dir, { allowType: ['audio/*'], allowExt: ['.wav'] })
  const { files: count, toSend } = await made.survey(() => {})
  expect(count).toBe(4)
  expect(toSend).toEqual({ files: 1, bytes: files.wav.length })
  expect((await all(made.files())).map(({ source, problem, skip }) => [source, problem?.code ?? skip])).toEqual([
    ['a.wav', undefined],
    ['b.wav', 'TYPE_NOT_ALLOWED'],
    ['left-out.wav', 'excluded-by-rule'],
    ['none.txt', 'TYPE_NOT_ALLOWED'],
  ])
  await made.dispose()
})

it('counts a file that is reached twice once, and none that fails or is left out', async () => {
  const dir = await tree('in/a=12345', 'in/b=1234', 'in/left-out.wav=1', 'in/large=1234567')
  const limits = { maxSize: 6, maxFiles: 2, maxTotalSize: 9 }
  const made = await plan(dir, limits, ['in', 'in/a'])
  expect((await made.survey(() => {})).toSend).toEqual({ files: 2, bytes: 9 })
  await made.dispose()
})

it.each([
  [{ maxFiles: 1 }, '2 files are to be sent, and --max-files allows 1'],
  [{ maxTotalSize: 8 }, 'the files to be sent have 9 bytes together, and --max-total-size allows 8'],
])('refuses what is too much as a whole: %j', async (limits, message) => {
  const made = await plan(await tree('in/a=12345', 'in/b=1234'), limits)
  const refused = await made.survey(() => {}).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(UsageError)
  expect((refused as UsageError).message).toContain(message)
  await made.dispose()
})
