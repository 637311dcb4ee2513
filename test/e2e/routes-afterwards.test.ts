import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { expectCode, expectRefused } from '../support/command.ts'
import { parseNdjson } from '../support/journal.ts'
import { routesScene as scene } from '../support/routes-scene.ts'
import { s3Environment } from '../support/s3-environment.ts'

const MB = 1_000_000

const parsed = (text: string) => parseNdjson(text) as unknown as Record<string, unknown>[]

describe('what comes after a run to several destinations', () => {
  it('upload verify asks each', async () => {
    const { ws, s3, supabase, env } = await scene()
    expectCode(await ws.run('upload in --report r.jsonl', { env }), 0)
    await ws.writeAll('elsewhere/x')
    const all = await ws.run('upload verify ../r.jsonl', { env, cwd: ws.path('elsewhere') })
    expectCode(all, 0)
    expect(all.stderr).toBe('upload: 4 objects as uploaded at s3://bucket/rest/ and 2 more\n')

    s3.put('bucket', 'rest/b.txt', Buffer.from('other'))
    await ws.write('large/x/e.bin', 'short')
    const changed = await ws.run('upload verify r.jsonl', { env })
    expectCode(changed, 5)
    expect(changed.stdout).toContain('in/b.txt → s3://bucket/rest/b.txt: size is')
    expect(changed.stdout).toMatch(/in\/x\/e\.bin → file:\S+\/large\/x\/e\.bin: size is 5 bytes/)

    // One that cannot be asked keeps nobody from asking the others.
    supabase.setExpired(true)
    const partly = await ws.run('upload verify r.jsonl --json', { env })
    expectCode(partly, 3)
    expect(partly.stderr).toContain('stopped at supabase://bucket/audio/: ')
    expect(parsed(partly.stdout)).toContainEqual(expect.objectContaining({ key: 'x/e.bin', what: 'size' }))
  })

  it('what cannot be reached is refused by name', async () => {
    const { ws, s3, env } = await scene()
    expectCode(await ws.run('upload in --report r.jsonl', { env }), 0)
    const before = s3.requests.length
    for (const line of ['upload verify r.jsonl', 'upload undo r.jsonl --yes']) {
      expectRefused(await ws.run(line, { env: s3Environment(s3) }), 'none is named now')
    }
    expect(s3.requests.length).toBe(before)
  })

  it('upload undo takes all of it back', async () => {
    const { ws, s3, supabase, env } = await scene()
    expectCode(await ws.run('upload in --if-exists skip --report r.jsonl', { env }), 0)
    const result = await ws.run('upload undo r.jsonl --yes', { env })
    expectCode(result, 0)
    expect(result.stdout).toMatch(/^Undo of run \S+ \(.*\) → s3:\/\/bucket\/rest\/ and 2 more\n {2}delete {3}4 /)
    expect(result.stdout).toContain('supabase://bucket/audio/a.wav')
    expect(result.stderr).toBe('upload: 4 undone\n')
    expect([s3.keys('bucket'), [...supabase.objects.keys()], await ws.list('large')]).toEqual([[], [], []])
    expect((await ws.journal()).summary).toMatchObject({ uploaded: 0, undone: 4 })
  })

  it('--undo-on-failure takes all of it back', async () => {
    const { ws, s3, supabase, env } = await scene()
    await ws.write('in/z\u0001.txt', 'no key')
    const result = await ws.run('upload in --undo-on-failure', { env })
    expectCode(result, 1)
    expect([s3.keys('bucket'), [...supabase.objects.keys()], await ws.list('large')]).toEqual([[], [], []])
    expect((await ws.journal()).summary).toMatchObject({ uploaded: 0, undone: 4, failed: 1 })
  })

  it('--undo-on-failure leaves nothing half-sent where one of two engines made it', async () => {
    const { ws, s3, env } = await scene({
      to: 's3://bucket/',
      engine: 'standard',
      routes: [{ engine: 'fast', minSize: '1MB' }],
    })
    await ws.write('in/long.bin', Buffer.alloc(24 * MB, 3))
    // More objects than a signal takes listeners for without a word.
    await ws.writeAll(...Array.from({ length: 20 }, (_, n) => `in/t${n}.txt`))
    s3.script = ({ partNumber }) => (partNumber === 3 ? { status: 500 } : undefined)
    const result = await ws.run('upload in --undo-on-failure --retries 0 --retry-failed 0', { env })
    expectCode(result, 1)
    expect([s3.keys('bucket'), s3.uploads.size]).toEqual([[], 0])
    expect(result.stderr).not.toMatch(/kept|MaxListeners/)
  })

  it('--undo-on-failure that one of them could not keep is refused', async () => {
    const { ws, s3, env } = await scene()
    await ws.write('large/x/e.bin', 'was here')
    expectRefused(await ws.run('upload in --undo-on-failure', { env }), '--undo-on-failure cannot be kept', 'x/e.bin')
    expect(s3.keys('bucket')).toEqual([])
  })
})

describe('routes that change between the invocations of a run', () => {
  it('verify and undo go to all that any of them sent to', async () => {
    const to = (wav: string) =>
      JSON.stringify({ to: 's3://bucket/', ifExists: 'skip', routes: [{ match: '*.wav', to: wav }] })
    const { ws, s3, env } = await scene()
    await ws.write('.uploadrc.json', to('s3://gone/'))
    expectCode(await ws.run('upload in', { env }), 3)
    await ws.write('.uploadrc.json', to('s3://other/'))
    expectCode(await ws.run('upload --resume', { env }), 0)
    await ws.write('.uploadrc.json', to('file:./last/'))
    const [journal = ''] = await ws.journals()
    const verified = await ws.run(`upload verify ${journal}`, { env })
    expectCode(verified, 0)
    expect(verified.stderr).toBe('upload: 5 objects as uploaded at s3://bucket/ and 1 more\n')
    const undone = await ws.run(`upload undo ${journal} --yes`, { env })
    expectCode(undone, 0)
    // What failed for want of a bucket is nowhere.
    expect(undone.stderr).toMatch(/^upload: nothing is looked for at s3:\/\/gone\/: there is no bucket "gone".*\n/)
    expect(undone.stderr).toMatch(/\nupload: 5 undone\n$/)
    expect([s3.keys('bucket'), s3.keys('other')]).toEqual([[], []])
  })
})

describe('--resume over several destinations', () => {
  it('sends no file twice, parts included', async () => {
    const config = { to: 's3://bucket/', routes: [{ match: '*.bin', to: 's3://other/big/' }] }
    const { ws, s3, env } = await scene(config)
    await ws.write('in/long.bin', Buffer.alloc(24 * MB, 3))
    // The last part of the large file has no answer until the run is stopped.
    s3.script = ({ partNumber }) => (partNumber === 3 ? 'hang' : undefined)
    const upload = ws.start('upload in --concurrency 4 --order scan -v', { env })
    await upload.seen('stderr', 'uploaded in/x/c.md')
    await upload.seen('stderr', 'uploaded in/x/e.bin')
    const [journal = ''] = await ws.journals()
    const kept = async (type: string) => parsed(await readFile(journal, 'utf8')).filter((line) => line.type === type)
    while ((await kept('part')).length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
    upload.kill('SIGTERM')
    const stopped = await upload.result
    expectCode(stopped, 143)
    s3.script = undefined
    expect(await kept('upload-started')).toMatchObject([{ path: 'in/long.bin', destination: 's3://other/big/' }])

    const before = s3.requests.length
    const resumed = await ws.run('upload --resume', { env })
    expectCode(resumed, 0)
    const sent = s3.requests.slice(before).filter(({ method }) => method === 'PUT')
    expect(sent.map(({ key, partNumber }) => [key, partNumber])).toEqual([['big/long.bin', 3]])
    expect(s3.keys('other')).toEqual(['big/long.bin', 'big/x/e.bin'])
  })

  it('goes by what each destination holds, with --resume-from server', async () => {
    const { ws, s3, env } = await scene()
    expectCode(await ws.run('upload in', { env }), 0)
    const before = s3.requests.length
    const again = await ws.run('upload in --resume-from server --report again.json', { env })
    expectCode(again, 0)
    const { files } = JSON.parse(await ws.read('again.json'))
    const fates = files.map(({ path, reason }: Record<string, string>) => [path, reason])
    expect(Object.fromEntries(fates)).toMatchObject({
      'in/b.txt': 'already-uploaded',
      'in/x/c.md': 'already-uploaded',
      'in/x/e.bin': 'already-uploaded',
      'in/d.tmp': 'excluded-by-rule',
    })
    expect(s3.requests.slice(before).filter(({ method }) => method === 'PUT')).toEqual([])
  })
})
