import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { describe, expect } from 'vitest'
import { command, expectCode, expectRefused } from '../support/command.ts'
import { bytes } from '../support/data-set.ts'
import { s3Environment, s3Fake } from '../support/s3-environment.ts'
import { engines } from '../support/settings.ts'

const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest('hex')

describe('files and directories', () => {
  command('upload a.wav b.wav notes/c.txt --to file:./out', async ({ ws, run }) => {
    await ws.writeAll('a.wav', 'b.wav', 'notes/c.txt', 'notes/other.txt')
    expectCode(await run(), 0)
    expect(await ws.tree('out')).toEqual({ 'a.wav': 'a.wav', 'b.wav': 'b.wav', 'c.txt': 'notes/c.txt' })
  })

  command('upload ./audio --to file:./out', async ({ ws, run }) => {
    await ws.writeAll('audio/a.wav', 'audio/raw/b.wav', 'audio/raw/deep/c.wav', 'else.wav')
    expectCode(await run(), 0)
    expect(await ws.tree('out')).toEqual({
      'a.wav': 'audio/a.wav',
      'raw/b.wav': 'audio/raw/b.wav',
      'raw/deep/c.wav': 'audio/raw/deep/c.wav',
    })
  })

  command('upload audio/ video/ --to file:./out/2026', async ({ ws, run }) => {
    await ws.writeAll('audio/a.wav', 'video/b.mp4')
    expectCode(await run(), 0)
    expect(await ws.list('out')).toEqual(['2026/a.wav', '2026/b.mp4'])
  })

  command('upload run a.wav --to file:./out', async ({ ws, run }) => {
    await ws.writeAll('a.wav')
    expectCode(await run(), 0)
    expect(await ws.list('out')).toEqual(['a.wav'])
  })

  command(
    'upload ./report --to file:./out',
    async ({ ws, run }) => {
      await ws.writeAll('report')
      expectCode(await run(), 0)
      expect(await ws.list('out')).toEqual(['report'])
    },
    'a file that has the name of a command',
  )

  command('upload --to file:./out -- -dash.wav', async ({ ws, run }) => {
    await ws.writeAll('-dash.wav')
    expectCode(await run(), 0)
    expect(await ws.list('out')).toEqual(['-dash.wav'])
  })

  command('upload empty.txt --to file:./out', async ({ ws, run }) => {
    await ws.write('empty.txt', '')
    expectCode(await run(), 0)
    expect(await ws.tree('out')).toEqual({ 'empty.txt': '' })
  })
})

describe('globs', () => {
  command("upload 'audio/**/*.wav' --to file:./out", async ({ ws, run }) => {
    await ws.writeAll('audio/a.wav', 'audio/x/y/b.wav', 'audio/x/c.txt')
    expectCode(await run(), 0)
    expect(await ws.list('out')).toEqual(['a.wav', 'x/y/b.wav'])
  })

  command("upload './audio/*.{wav,mp3}' --to file:./out", async ({ ws, run }) => {
    await ws.writeAll('audio/a.wav', 'audio/b.mp3', 'audio/c.txt', 'audio/x/d.wav')
    expectCode(await run(), 0)
    expect(await ws.list('out')).toEqual(['a.wav', 'b.mp3'])
  })

  command("upload 'audio/take-?[0-9].wav' --to file:./out", async ({ ws, run }) => {
    await ws.writeAll('audio/take-01.wav', 'audio/take-xy.wav', 'audio/take-001.wav')
    expectCode(await run(), 0)
    expect(await ws.list('out')).toEqual(['take-01.wav'])
  })

  command("upload 'audio/**/*.wav' '!audio/raw/**' '!**/draft.wav' --to file:./out", async ({ ws, run }) => {
    await ws.writeAll('audio/a.wav', 'audio/raw/b.wav', 'audio/x/draft.wav', 'audio/x/c.wav')
    expectCode(await run(), 0)
    expect(await ws.list('out')).toEqual(['a.wav', 'x/c.wav'])
  })

  command("upload audio '!audio/raw/**' --to file:./out", async ({ ws, run }) => {
    await ws.writeAll('audio/a.wav', 'audio/raw/b.wav')
    expectCode(await run(), 0)
    expect(await ws.list('out')).toEqual(['a.wav'])
  })

  command(
    "upload 'take[1].wav' 'x*.wav' '{a,b}.wav' --to file:./out",
    async ({ ws, run }) => {
      await ws.writeAll('take[1].wav', 'take1.wav', 'x*.wav', 'xy.wav', '{a,b}.wav', 'a.wav', 'b.wav')
      expectCode(await run(), 0)
      expect(await ws.list('out')).toEqual(['take[1].wav', 'x*.wav', '{a,b}.wav'])
    },
    'names that exist are no patterns',
  )

  command("upload '[odd] dir' --to file:./out", async ({ ws, run }) => {
    await ws.writeAll('[odd] dir/a.wav', 'o/b.wav')
    expectCode(await run(), 0)
    expect(await ws.list('out')).toEqual(['a.wav'])
  })
})

describe('lists', () => {
  command('upload --files-from list.txt --to file:./out', async ({ ws, run }) => {
    await ws.writeAll('audio/a.wav', 'audio/x/b b.wav', '[c].wav', 'not-listed.wav')
    await ws.write('list.txt', 'audio/a.wav\n./audio/x/b b.wav\n\n[c].wav\naudio/a.wav\n')
    expectCode(await run(), 0)
    expect(await ws.tree('out')).toEqual({
      '[c].wav': '[c].wav',
      'audio/a.wav': 'audio/a.wav',
      'audio/x/b b.wav': 'audio/x/b b.wav',
    })
  })

  command('upload --files-from - --to file:./out', async ({ ws, run }) => {
    await ws.writeAll('audio/a.wav', 'b.wav')
    expectCode(await run({ stdin: 'audio/a.wav\nb.wav' }), 0)
    expect(await ws.list('out')).toEqual(['audio/a.wav', 'b.wav'])
  })

  command('upload --files-from - --null --to file:./out', async ({ ws, run }) => {
    await ws.writeAll('audio/a.wav', ' b .wav')
    expectCode(await run({ stdin: 'audio/a.wav\0 b .wav\0' }), 0)
    expect(await ws.list('out')).toEqual([' b .wav', 'audio/a.wav'])
  })

  command(
    'upload --files-from list.txt --base audio --to file:./out',
    async ({ ws, run }) => {
      await ws.writeAll('audio/a.wav', 'audio/x/b.wav')
      await ws.write('list.txt', 'a.wav\nx/b.wav\n')
      expectCode(await run(), 0)
      expect(await ws.tree('out')).toEqual({ 'a.wav': 'audio/a.wav', 'x/b.wav': 'audio/x/b.wav' })
    },
    'lines are relative to the base',
  )

  command('upload c.wav --files-from list.txt --to file:./out', async ({ ws, run }) => {
    await ws.writeAll('audio/a.wav', 'c.wav')
    await ws.write('list.txt', 'audio/a.wav\n')
    expectCode(await run(), 0)
    expect(await ws.list('out')).toEqual(['audio/a.wav', 'c.wav'])
  })

  command(
    'upload --files-from list.txt --to file:./out',
    async ({ ws, run }) => {
      await ws.write('list.txt', `${await ws.write('audio/a.wav')}\n`)
      expectRefused(await run(), '--base', '--flatten', '--key')
      expect(await ws.list('out')).toEqual([])
    },
    'an absolute line alone',
  )

  for (const [option, key] of [
    ['--base .', 'audio/x/a.wav'],
    ['--flatten', 'a.wav'],
    ['--key {name}-{index}{ext}', 'a-1.wav'],
  ] as const) {
    command(
      `upload --files-from list.txt ${option} --to file:./out`,
      async ({ ws, run }) => {
        await ws.write('list.txt', `${await ws.write('audio/x/a.wav')}\n`)
        expectCode(await run(), 0)
        expect(await ws.list('out')).toEqual([key])
      },
      'an absolute line',
    )
  }

  command(
    'upload --files-from list.txt --to file:./out',
    async ({ ws, run }) => {
      await ws.writeAll('a.wav')
      await ws.write('list.txt', 'a.wav\ngone.wav\n')
      expectCode(await run(), 1)
      expect(await ws.list('out')).toEqual(['a.wav'])
      expect((await ws.journal()).file('gone.wav')).toMatchObject({
        status: 'failed',
        error: { code: 'SOURCE_NOT_FOUND' },
      })
    },
    'a line that names nothing',
  )

  command('upload --files-from nowhere.txt --to file:./out', async ({ run }) => {
    expectRefused(await run(), 'nowhere.txt')
  })
})

describe('manifests', () => {
  const lines = (...each: readonly object[]) => each.map((line) => `${JSON.stringify(line)}\n`).join('')

  for (const engine of engines) {
    command(`upload --files-from list.jsonl --to s3://bucket/p/ --engine ${engine}`, async ({ ws, run }) => {
      const s3 = await s3Fake()
      await ws.writeAll('audio/a.wav', 'audio/x/b.wav', 'c.bin')
      await ws.write(
        'list.jsonl',
        lines(
          { path: 'c.bin', key: 'takes/{1}.flac', contentType: 'audio/flac', metadata: { take: '7' } },
          { path: 'audio', cacheControl: 'max-age=60' },
          { path: ws.path('c.bin'), key: 'again.bin' },
        ),
      )
      expectCode(await run({ env: s3Environment(s3) }), 0)
      expect(s3.keys('bucket')).toEqual(['p/again.bin', 'p/audio/a.wav', 'p/audio/x/b.wav', 'p/takes/{1}.flac'])
      const sent = Object.fromEntries(
        s3.requests.filter(({ operation }) => operation === 'PutObject').map(({ key, headers }) => [key, headers]),
      )
      expect(sent['p/takes/{1}.flac']).toMatchObject({ 'content-type': 'audio/flac', 'x-amz-meta-take': '7' })
      expect(sent['p/takes/{1}.flac']?.['cache-control']).toBeUndefined()
      expect(sent['p/audio/x/b.wav']).toMatchObject({ 'content-type': 'audio/wav', 'cache-control': 'max-age=60' })
      expect(sent['p/again.bin']?.['x-amz-meta-take']).toBeUndefined()
    })
  }

  command('upload --files-from list.jsonl --to file:./out', async ({ ws, run }) => {
    await ws.writeAll('a.wav')
    const faulty = [
      '',
      '{"path":"a.wav","ky":"x"}',
      '{"path":""}',
      '{"path":',
      '{"path":"a.wav","metadata":{"a b":"c"}}',
    ]
    await ws.write('list.jsonl', `{"path":"a.wav"}\n${faulty.join('\n')}`)
    expectRefused(
      await run(),
      'list.jsonl:3: unknown key "ky"; a line may have path, key,',
      'list.jsonl:4: path: found "", expected the path',
      'list.jsonl:5:9: expected a value; a line is one JSON object',
      'list.jsonl:6: metadata.a b: found "c", expected NAME=VALUE',
    )
    expect(await ws.list('out')).toEqual([])
    expect(await ws.journals()).toEqual([])
  })

  command(
    'upload --files-from list.jsonl --to file:./out',
    async ({ ws, run }) => {
      await ws.writeAll('audio/a.wav', 'b.wav')
      await ws.write(
        'list.jsonl',
        lines({ path: 'audio', key: 'x' }, { path: 'b.wav', key: '../b' }, { path: 'b.wav' }),
      )
      expectCode(await run(), 1)
      expect(await ws.list('out')).toEqual(['b.wav'])
      expect((await ws.journal()).files.map(({ path, error }) => [path, error?.code])).toEqual(
        expect.arrayContaining([
          ['audio', 'KEY_INVALID'],
          ['b.wav', 'KEY_INVALID'],
          ['b.wav', undefined],
        ]),
      )
    },
    'lines that fail alone',
  )

  command('upload --files-from list.jsonl --null --to file:./out', async ({ ws, run }) => {
    await ws.write('list.jsonl', lines({ path: 'list.jsonl' }))
    expectRefused(await run(), '--null: a .jsonl list has one JSON object a line; leave this out')
  })

  command(
    'upload --files-from list.jsonl --to file:./out --resume',
    async ({ ws, run }) => {
      await ws.writeAll('a.wav')
      await ws.write(
        'list.jsonl',
        lines({ path: 'a.wav', key: '1' }, { path: 'gone', key: 'x' }, { path: 'a.wav', key: '2' }),
      )
      expectCode(await run(), 1)
      expectCode(await run({ env: { UPLOAD_RESUME: '1' } }), 1)
      expect(await ws.list('out')).toEqual(['1', '2'])
    },
    'one file under two keys',
  )
})

describe('standard input', () => {
  command('upload - --key notes/x.txt --to file:./out', async ({ ws, run }) => {
    expectCode(await run({ stdin: 'from a pipe\n' }), 0)
    expect(await ws.tree('out')).toEqual({ 'notes/x.txt': 'from a pipe\n' })
  })

  command('upload - --key empty.bin --to file:./out', async ({ ws, run }) => {
    expectCode(await run({ stdin: '' }), 0)
    expect(await ws.tree('out')).toEqual({ 'empty.bin': '' })
  })

  command(
    'upload - --key big.bin --to file:./out',
    async ({ ws, run }) => {
      const data = bytes('bin', 20_000_001)
      expectCode(await run({ stdin: data }), 0)
      expect(sha256(await readFile(ws.path('out/big.bin')))).toBe(sha256(data))
      expect(await ws.list('../../tmp')).toEqual([])
      expect((await ws.journal()).files).toMatchObject([
        { path: '-', key: 'big.bin', size: data.length, status: 'uploaded' },
      ])
    },
    '20 MB',
  )

  command('upload - --to file:./out', async ({ ws, run }) => {
    expectRefused(await run({ stdin: 'x' }), '--key')
    expect(await ws.list('out')).toEqual([])
  })

  command('upload - --files-from - --key x.txt --to file:./out', async ({ ws, run }) => {
    expectRefused(await run({ stdin: 'x' }), '--files-from')
    expect(await ws.list('out')).toEqual([])
  })

  command('upload - a.txt --key {index}.txt --to file:./out', async ({ ws, run }) => {
    await ws.writeAll('a.txt')
    expectCode(await run({ stdin: 'from a pipe' }), 0)
    expect(await ws.tree('out')).toEqual({ '1.txt': 'from a pipe', '2.txt': 'a.txt' })
  })
})
