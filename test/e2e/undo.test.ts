import { appendFile, readFile, rename } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { expectCode } from '../support/command.ts'
import { s3Environment, s3Fake } from '../support/s3-environment.ts'
import { workspace } from '../support/workspace.ts'

describe('upload undo', () => {
  it('upload undo r.jsonl --yes  # a directory, later run from elsewhere', async () => {
    const ws = await workspace()
    await ws.writeAll('in/a.txt', 'in/sub/b.txt', 'elsewhere/x')
    await ws.write('out/mine.txt', 'was here')
    expectCode(await ws.run('upload in --to file:./out/ --undo-on-failure --report r.jsonl'), 0)
    expect(await ws.list('out')).toEqual(['a.txt', 'mine.txt', 'sub/b.txt'])
    const result = await ws.run('upload undo ../r.jsonl --yes', { cwd: ws.path('elsewhere') })
    expectCode(result, 0)
    expect(result.stdout).toMatch(/^Undo of run \S+ \(.*\) → file:\.\/out\/\n {2}delete {3}2 /)
    expect(result.stderr).toBe('upload: 2 undone\n')
    expect(await ws.tree('out')).toEqual({ 'mine.txt': 'was here' })

    const { files, summary } = await ws.journal()
    expect(
      files
        .map(({ source, status }) => [source, status])
        .slice(2)
        .toSorted(),
    ).toEqual([
      ['a.txt', 'undone'],
      ['sub/b.txt', 'undone'],
    ])
    expect(summary).toMatchObject({ exitCode: 0, uploaded: 0, undone: 2 })
    const [journal = ''] = await ws.journals()
    const again = await ws.runArgs(['undo', journal, '--yes'])
    expectCode(again, 0)
    expect(again.stderr).toBe('upload: there is nothing to undo\n')
  })

  it('without a terminal and without --yes: the plan, exit 2, nothing touched', async () => {
    const ws = await workspace()
    await ws.writeAll('in/a.txt')
    await ws.run('upload in --to file:./out/ --undo-on-failure --report r.jsonl')
    const result = await ws.run('upload undo r.jsonl')
    expectCode(result, 2)
    expect(result.stdout).toContain('delete   1   a.txt')
    expect(result.stderr).toContain('--yes')
    expect(await ws.list('out')).toEqual(['a.txt'])
  })

  it('leaves and names what changed since: exit 5', async () => {
    const ws = await workspace()
    await ws.writeAll('in/a.txt', 'in/b.txt')
    await ws.run('upload in --to file:./out/ --undo-on-failure --report r.jsonl')
    await ws.write('out/b.txt', 'IN/B.TXT')
    const result = await ws.run('upload undo r.jsonl --yes --json')
    expectCode(result, 5)
    expect(await ws.tree('out')).toEqual({ 'b.txt': 'IN/B.TXT' })
    const lines = result.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    const destination = `file:${ws.path('out')}/`
    expect(lines).toEqual([
      { type: 'undo-plan', key: 'a.txt', destination, action: 'delete' },
      { type: 'undo-plan', key: 'b.txt', destination, action: 'leave', why: 'changed since by somebody else' },
      { type: 'undone', key: 'a.txt', destination, restored: false },
      { type: 'undo-summary', undone: 1, restored: 0, aborted: 0, failed: 0, left: 1 },
    ])
  })

  it('refuses as a whole what nobody asked about: exit 5, nothing touched', async () => {
    const s3 = await s3Fake()
    const ws = await workspace()
    const env = s3Environment(s3)
    await ws.writeAll('in/a.txt', 'in/b.txt')
    await ws.run('upload in --to s3://bucket/ --report r.jsonl', { env })
    const result = await ws.run('upload undo r.jsonl --yes', { env })
    expectCode(result, 5)
    expect(result.stdout).toMatch(/refuse {3}2 {3}\w\.txt: the run did not ask what it replaced.*--if-exists/)
    expect(result.stderr).toContain('nothing was undone, since 2 objects cannot be')
    expect(s3.keys('bucket')).toEqual(['a.txt', 'b.txt'])
    expect(s3.requests.filter(({ operation }) => operation === 'DeleteObject')).toEqual([])
  })

  it('upload in --to file:./out/ --resume --undo-on-failure  # refused: no run is left to be resumed', async () => {
    const ws = await workspace()
    await ws.writeAll('in/a.txt', 'out/a.txt')
    const refused = await ws.run('upload in --to file:./out/ --resume --undo-on-failure')
    expectCode(refused, 2)
    expect(refused.stderr).toContain('--undo-on-failure cannot be kept')
    expect(await ws.journals()).toEqual([])
  })

  it('is known to a later --resume-from of a journal that lies elsewhere', async () => {
    const ws = await workspace()
    await ws.writeAll('in/a.txt')
    await ws.run('upload in --to file:./out/ --undo-on-failure')
    const [journal = ''] = await ws.journals()
    await rename(journal, ws.path('moved.jsonl'))
    expectCode(await ws.run('upload undo moved.jsonl --yes -q'), 0)
    expect(await ws.list('out')).toEqual([])
    expectCode(await ws.run('upload --resume-from moved.jsonl'), 0)
    expect(await ws.list('out')).toEqual(['a.txt'])
  })

  describe('a run that was cut and gone on with, by the report of its last invocation', () => {
    /** The first invocation came to a.txt only, the second one sent the others and made r.jsonl. */
    async function continued() {
      const s3 = await s3Fake({
        versioning: 'Enabled',
        script: ({ key }) =>
          key === 'a.txt' ? undefined : { status: 403, body: '<Error><Code>ExpiredToken</Code></Error>' },
      })
      const ws = await workspace()
      const env = s3Environment(s3)
      await ws.writeAll('in/a.txt', 'in/b.txt', 'in/c.txt')
      expectCode(await ws.run('upload in --to s3://bucket/ --concurrency 1', { env }), 3)
      expect(s3.keys('bucket')).toEqual(['a.txt'])
      s3.script = undefined
      expectCode(await ws.run('upload --resume --report r.jsonl', { env }), 0)
      const report = await ws.read('r.jsonl')
      expect(JSON.parse(report.split('\n')[0] ?? '')).toMatchObject({ type: 'run', invocation: 2 })
      expect(s3.keys('bucket')).toEqual(['a.txt', 'b.txt', 'c.txt'])
      return { s3, ws, env, report }
    }

    it('takes back the objects of all invocations', async () => {
      const { s3, ws, env } = await continued()
      const result = await ws.run('upload undo r.jsonl --yes', { env })
      expectCode(result, 0)
      expect(result.stdout).toMatch(/\n {2}delete {3}3 /)
      expect(result.stderr).toBe('upload: 3 undone\n')
      expect([s3.keys('bucket'), s3.countVersions('bucket')]).toEqual([[], 0])
      const [journal = ''] = await ws.journals()
      const again = await ws.runArgs(['undo', journal, '--yes'], { env })
      expectCode(again, 0)
      expect(again.stderr).toBe('upload: there is nothing to undo\n')
    })

    it('is refused where its journal is not there, which does it: exit 2, nothing touched', async () => {
      const { s3, ws, env, report } = await continued()
      const [journal = ''] = await ws.journals()
      await rename(journal, ws.path('moved.jsonl'))
      const result = await ws.run('upload undo r.jsonl --yes', { env })
      expectCode(result, 2)
      expect(result.stdout).toBe('')
      expect(result.stderr).toMatch(/r\.jsonl is of a run's invocation 2 alone.*give the run's journal/)
      expect(s3.keys('bucket')).toEqual(['a.txt', 'b.txt', 'c.txt'])
      expect(await ws.read('r.jsonl')).toBe(report)
      expectCode(await ws.run('upload undo moved.jsonl --yes -q', { env }), 0)
      expect([s3.keys('bucket'), s3.countVersions('bucket')]).toEqual([[], 0])
    })
  })

  it('goes where the run went, whatever the environment names now', async () => {
    const [then, now] = [await s3Fake(), await s3Fake()]
    const ws = await workspace()
    await ws.writeAll('in/a.txt')
    await ws.run('upload in --to s3://bucket/ --undo-on-failure --report r.jsonl', { env: s3Environment(then) })
    now.put('bucket', 'a.txt', Buffer.from('in/a.txt'))
    expectCode(await ws.run('upload undo r.jsonl --yes -q', { env: s3Environment(now) }), 0)
    expect([then.keys('bucket'), now.keys('bucket')]).toEqual([[], ['a.txt']])
  })

  it('one object that cannot be deleted stops no other: exit 1', async () => {
    const s3 = await s3Fake()
    const ws = await workspace()
    const env = s3Environment(s3)
    await ws.writeAll('in/a.txt', 'in/b.txt')
    await ws.run('upload in --to s3://bucket/ --undo-on-failure --report r.jsonl', { env })
    s3.script = ({ operation, key }) =>
      operation === 'DeleteObject' && key === 'a.txt'
        ? { status: 403, body: '<Error><Code>AccessDenied</Code></Error>' }
        : undefined
    const result = await ws.run('upload undo r.jsonl --yes', { env })
    expectCode(result, 1)
    expect(result.stderr).toMatch(/a\.txt was not undone: access denied/)
    expect(s3.keys('bucket')).toEqual(['a.txt'])
  })

  it('an unreachable destination: exit 3', async () => {
    const s3 = await s3Fake()
    const ws = await workspace()
    const env = s3Environment(s3)
    await ws.writeAll('in/a.txt')
    await ws.run('upload in --to s3://bucket/ --undo-on-failure --report r.jsonl', { env })
    await s3.close()
    expectCode(await ws.run('upload undo r.jsonl --yes', { env }), 3)
  })

  it.each([
    ['upload undo', 2, /missing required argument/],
    ['upload undo a b', 2, /too many arguments/],
    ['upload undo nowhere.jsonl', 2, /nowhere\.jsonl cannot be read \(ENOENT\)/],
    ['upload undo torn.jsonl', 2, /is no journal or \.jsonl report/],
    ['upload undo torn.jsonl --part-size 8MiB', 2, /unknown option '--part-size'/],
    ['UPLOAD_CONCURRENCY=many upload undo torn.jsonl', 2, /UPLOAD_CONCURRENCY/],
  ])('%s', async (line, code, said) => {
    const ws = await workspace()
    await appendFile(ws.path('torn.jsonl'), '{"type":"run","run')
    const result = await ws.run(line)
    expectCode(result, code)
    expect(result.stderr).toMatch(said)
  })

  it.each(['upload undo --help', 'upload help undo'])('%s', async (line) => {
    const ws = await workspace()
    const result = await ws.run(line)
    expectCode(result, 0)
    for (const said of ['Usage: upload undo [options] <report>', '--yes', '--endpoint-url', 'Exit codes:']) {
      expect(result.stdout).toContain(said)
    }
    expect(result.stdout).not.toContain('--part-size')
  })
})

it('upload in --to file:./out/ --undo-on-failure  # one file fails', async () => {
  const ws = await workspace()
  await ws.writeAll('in/a.txt', 'in/b.txt')
  await ws.write('out/mine.txt', 'was here')
  const result = await ws.run('upload in in/missing.txt --to file:./out/ --undo-on-failure --report r.jsonl --json')
  expectCode(result, 1)
  expect(result.stderr).toMatch(/✔ 0 uploaded {2}✖ 1 failed {2}↶ 2 undone/)
  expect(await ws.tree('out')).toEqual({ 'mine.txt': 'was here' })
  expect(result.stdout.match(/"status":"undone"/g)).toHaveLength(2)
  expect((await readFile(ws.path('r.jsonl'), 'utf8')).match(/"type":"file"/g)).toHaveLength(3)
})
