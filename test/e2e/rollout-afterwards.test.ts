import { describe, expect, it } from 'vitest'
import { expectCode, expectRefused } from '../support/command.ts'
import { parseNdjson } from '../support/journal.ts'
import { s3Environment, s3Fake } from '../support/s3-environment.ts'
import type { S3Fake, Script } from '../support/s3-fake.ts'
import { workspace } from '../support/workspace.ts'

/**
 * Two places at one server, and files of which all go to the candidate, one after the other: one that is cut off before
 * any had an answer would speak for all of them.
 */
async function scene(changes: object = {}) {
  const ws = await workspace()
  const s3 = await s3Fake({ buckets: ['old', 'new'] })
  const rollout = { name: 'nightly', candidate: { to: 's3://new/sub/' } }
  const config = { to: 's3://old/', concurrency: 1, retries: 0, retryFailed: 0, rollout, ...changes }
  await ws.write('.uploadrc.json', JSON.stringify(config))
  await ws.writeAll('in/a.wav', 'in/b.wav', 'in/c.wav')
  return { ws, s3, env: { ...s3Environment(s3), ASYNC_UPLOAD_ROLLOUT: '100' } }
}

/** Stored by the candidate, which does not say so, and says nothing of it for as long as the run lasts. */
function storesUnsaid(s3: S3Fake): Script {
  return ({ bucket, method, key }) => {
    if (bucket !== 'new' || key !== 'sub/b.wav') return undefined
    if (method === 'PUT') return 'reset-after-storing'
    // What the baseline has was sent after the candidate had failed.
    return s3.object('new', key) !== undefined && s3.object('old', 'b.wav') === undefined ? { status: 500 } : undefined
  }
}

describe('what comes after a run of a rollout', () => {
  it('the report has where each file is, and how it failed before', async () => {
    const { ws, s3, env } = await scene()
    s3.script = ({ bucket, key }) => (bucket === 'new' && key === 'sub/b.wav' ? { status: 503 } : undefined)
    const result = await ws.run('upload in -v --report r.jsonl --report r.csv', { env })
    expectCode(result, 0)
    expect(result.stderr).toContain('rollout nightly: 100 % by the candidate (stage 0 %)')
    expect(result.stderr).toContain('sending in/b.wav by the baseline, the candidate failed: ')
    expect(result.stderr).toMatch(
      /\nuploaded in\/b\.wav → s3:\/\/old\/b\.wav \(fell back: \w+ at s3:\/\/new\/sub\/\)\n/,
    )
    expect(result.stderr).toContain('\n  rollout  nightly 100 %: 2 of 3 by the candidate, 1 fell back\n')
    const lines = parseNdjson(await ws.read('r.jsonl')) as unknown as Record<string, unknown>[]
    const fellBack = lines.find(({ path }) => path === 'in/b.wav')
    expect(fellBack).toMatchObject({
      destination: 's3://old/',
      key: 'b.wav',
      status: 'uploaded',
      stage: 0,
      side: 'candidate',
      fallback: { destination: 's3://new/sub/', key: 'sub/b.wav', attempts: 1, error: { status: 503 } },
    })
    expect(lines.at(-1)).toMatchObject({
      uploaded: 3,
      failed: 0,
      byDestination: { 's3://old/': { uploaded: 1 }, 's3://new/sub/': { uploaded: 2 } },
      rollout: { name: 'nightly', candidate: { succeeded: 2, failed: 1 }, fellBack: 1 },
    })
    expect(await ws.read('r.csv')).toMatch(/,0,fast,s3:\/\/new\/sub\/,[\d.]+,\w+,/)
  })

  it('upload verify looks for each file where it is', async () => {
    const { ws, s3, env } = await scene()
    s3.script = storesUnsaid(s3)
    expectCode(await ws.run('upload in --report r.jsonl', { env }), 0)
    s3.script = undefined
    const before = s3.requests.length
    const verified = await ws.run('upload verify r.jsonl', { env })
    expectCode(verified, 0)
    expect(verified.stderr).toBe('upload: 3 objects as uploaded at s3://old/ and 1 more\n')
    const asked = s3.requests.slice(before).map(({ bucket, key }) => `${bucket}/${key}`)
    expect(asked.toSorted()).toEqual(['new/sub/a.wav', 'new/sub/c.wav', 'old/b.wav'])
  })

  it.each([
    ['versions are kept', 'Enabled', {}],
    ['what is there is left alone', undefined, { ifExists: 'skip' }],
  ] as const)('upload undo takes back what is at either side where %s', async (_name, versioning, changes) => {
    const { ws, s3, env } = await scene(changes)
    s3.versioning = versioning
    s3.script = storesUnsaid(s3)
    expectCode(await ws.run('upload in --report r.jsonl', { env }), 0)
    expect([s3.keys('old'), s3.keys('new')]).toEqual([['b.wav'], ['sub/a.wav', 'sub/b.wav', 'sub/c.wav']])
    s3.script = undefined
    const shown = await ws.run('upload undo r.jsonl', { env })
    expectCode(shown, 2)
    expect(shown.stdout).toMatch(/ {2}delete {3}4 /)
    expect(shown.stdout).toContain('s3://new/sub/b.wav\n')
    const undone = await ws.run('upload undo r.jsonl --yes --json', { env })
    expectCode(undone, 0)
    const lines = parseNdjson(undone.stdout) as unknown as Record<string, unknown>[]
    const told = lines.filter(({ type }) => type === 'undone').map(({ destination, key }) => [destination, key])
    expect(told.toSorted()).toEqual([
      ['s3://new/sub/', 'sub/a.wav'],
      ['s3://new/sub/', 'sub/b.wav'],
      ['s3://new/sub/', 'sub/c.wav'],
      ['s3://old/', 'b.wav'],
    ])
    expect([s3.keys('old'), s3.keys('new')]).toEqual([[], []])
    // Three files were uploaded, one of them twice.
    expect((await ws.journal()).summary).toMatchObject({ uploaded: 0, undone: 3 })
    const again = await ws.run('upload undo r.jsonl --yes', { env })
    expectCode(again, 0)
    expect(again.stderr).toBe('upload: there is nothing to undo\n')
  })

  it('upload undo leaves and names what the candidate may have had before', async () => {
    const { ws, s3, env } = await scene()
    s3.script = storesUnsaid(s3)
    expectCode(await ws.run('upload in/b.wav --report r.jsonl --if-exists overwrite', { env }), 0)
    s3.script = undefined
    const undone = await ws.run('upload undo r.jsonl --yes', { env })
    expectCode(undone, 5)
    expect(s3.keys('new')).toEqual(['sub/b.wav'])
    expect(undone.stdout).toContain('s3://old/b.wav: the run did not ask what it replaced')
    expect(undone.stdout).toMatch(/ leave {4}1 {3}s3:\/\/new\/sub\/b\.wav: it may be of an attempt that failed/)
  })

  it('upload undo takes every version that the two engines of one destination have made', async () => {
    const rollout = { name: 'nightly', candidate: { engine: 'standard', multipartThreshold: '5MiB', partSize: '5MiB' } }
    const { ws, s3, env } = await scene({ engine: 'fast', multipartThreshold: '64MiB', rollout })
    s3.versioning = 'Enabled'
    s3.put('old', 'long.bin', Buffer.from('was here'))
    await ws.write('in/long.bin', Buffer.alloc(6 * 2 ** 20, 3))
    s3.script = ({ operation }) => (operation === 'CompleteMultipartUpload' ? 'reset-after-storing' : undefined)
    expectCode(await ws.run('upload in/long.bin --report r.jsonl', { env }), 0)
    s3.script = undefined
    expect(s3.countVersions('old')).toBe(3)
    const undone = await ws.run('upload undo r.jsonl --yes', { env })
    expectCode(undone, 0)
    expect(undone.stderr).toBe('upload: 1 undone, 1 of them restored\n')
    expect(s3.read('old', 'long.bin')?.toString()).toBe('was here')
    expect(s3.countVersions('old')).toBe(1)
  })

  it('both engines of one destination leave one object, which is taken back once', async () => {
    const rollout = { name: 'nightly', candidate: { engine: 'standard' } }
    const { ws, s3, env } = await scene({ engine: 'fast', ifExists: 'skip', rollout })
    s3.script = ({ key, method, attempt }) =>
      key === 'b.wav' && method === 'PUT' && attempt === 1 ? { status: 500 } : undefined
    expectCode(await ws.run('upload in --report r.jsonl', { env }), 0)
    const undone = await ws.run('upload undo r.jsonl --yes', { env })
    expectCode(undone, 0)
    expect(undone.stderr).toBe('upload: 3 undone\n')
    expect(s3.keys('old')).toEqual([])
  })
})

describe('--undo-on-failure in a rollout', () => {
  it('takes back what is at either side, what the candidate did not own up to included', async () => {
    const { ws, s3, env } = await scene()
    await ws.write('in/z\u0001.txt', 'no key')
    s3.script = storesUnsaid(s3)
    const result = await ws.run('upload in --undo-on-failure', { env })
    expectCode(result, 1)
    expect([s3.keys('old'), s3.keys('new')]).toEqual([[], []])
    expect((await ws.journal()).summary).toMatchObject({ uploaded: 0, undone: 3, failed: 1 })
  })

  it('is refused where the candidate would replace something', async () => {
    const { ws, s3, env } = await scene()
    s3.put('new', 'sub/b.wav', Buffer.from('was here'))
    const refused = await ws.run('upload in --undo-on-failure', { env })
    expectRefused(refused, '--undo-on-failure cannot be kept', 'sub/b.wav')
    expect([s3.keys('old'), s3.keys('new')]).toEqual([[], ['sub/b.wav']])
  })

  it('goes by the baseline where the candidate cannot be asked what it would replace', async () => {
    const rollout = { name: 'nightly', candidate: { to: 's3://missing/' } }
    const { ws, s3, env } = await scene({ rollout })
    const result = await ws.run('upload in --undo-on-failure', { env })
    expectCode(result, 0)
    expect(result.stderr).toContain('warning: the candidate gets no file of this run, since --undo-on-failure')
    expect(s3.keys('old')).toEqual(['a.wav', 'b.wav', 'c.wav'])
  })
})

describe('a rollout in some invocations of a run', () => {
  it('verify and undo go to what any of them sent to', async () => {
    const { ws, s3, env } = await scene({ ifExists: 'skip' })
    // The last one has no way at all.
    s3.script = ({ key }) => (key?.endsWith('c.wav') ? { status: 503 } : undefined)
    expectCode(await ws.run('upload in', { env }), 1)
    expect([s3.keys('old'), s3.keys('new')]).toEqual([[], ['sub/a.wav', 'sub/b.wav']])
    s3.script = undefined
    await ws.write('.uploadrc.json', JSON.stringify({ to: 's3://old/', ifExists: 'skip' }))
    expectCode(await ws.run('upload --resume', { env: s3Environment(s3) }), 0)
    expect(s3.keys('old')).toEqual(['a.wav', 'b.wav', 'c.wav'])
    const [journal = ''] = await ws.journals()
    const verified = await ws.run(`upload verify ${journal}`, { env: s3Environment(s3) })
    expectCode(verified, 0)
    expect(verified.stderr).toBe('upload: 5 objects as uploaded at s3://old/ and 1 more\n')
    const undone = await ws.run(`upload undo ${journal} --yes`, { env: s3Environment(s3) })
    expectCode(undone, 0)
    expect([s3.keys('old'), s3.keys('new')]).toEqual([[], []])
  })
})
