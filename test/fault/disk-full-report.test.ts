import { expect, it } from 'vitest'
import { expectCode } from '../support/command.ts'
import { mountSmall } from '../support/small-disk.ts'
import { workspace } from '../support/workspace.ts'

const posix = process.platform !== 'win32'
if (!posix) console.log('Not tried on Windows: a report for which there is no room.')

it.runIf(posix)('no room for a report: everything is uploaded, and the exit code tells what is missing', async () => {
  const ws = await workspace()
  const names = Array.from({ length: 200 }, (_, n) => `take-${n}.txt`)
  await ws.writeAll(...names.map((name) => `in/${name}`))
  if (!(await mountSmall(ws.path('reports')))) return
  await ws.write('reports/r.jsonl', 'the report of yesterday')
  const result = await ws.run('upload in --to file:./out/ --report reports/r.jsonl --report here.csv')
  expectCode(result, 3)
  expect(result.stderr.match(/the report is not complete/g)).toHaveLength(1)
  expect(result.stderr).toMatch(/reports\/r\.jsonl.*no space left there/)
  expect(await ws.list('out')).toEqual(names.toSorted())
  // The old one stays until there is a new one as a whole; nothing half-written stays beside it.
  expect(await ws.tree('reports')).toEqual({ 'r.jsonl': 'the report of yesterday' })
  expect((await ws.read('here.csv')).split('\r\n').length).toBeGreaterThan(200)
  const { files, summary } = await ws.journal()
  expect(files).toHaveLength(200)
  expect(summary).toMatchObject({ exitCode: 3, uploaded: 200, failed: 0 })
})
