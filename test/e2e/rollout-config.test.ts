import { describe, expect } from 'vitest'
import { command, expectCode, expectRefused } from '../support/command.ts'

const to = 'file:./out'
const config = (value: object) => JSON.stringify({ to, ...value })
const rollout = { name: 'nightly', candidate: { engine: 'standard' } }

describe('a rollout that cannot be read is refused, with every fault at once', () => {
  command('upload a.txt', async ({ ws, run }) => {
    await ws.writeAll('a.txt')
    await ws.write(
      '.uploadrc.json',
      config({
        rollout: {
          nam: 'x',
          candidate: { partSize: '1KiB', limitRate: '1MB', s3: { secretAccessKey: 'hunter2' } },
          stages: [{ percentage: 10 }, { percentage: 5 }, { percentage: 200 }],
          triggers: { maxErrors: 5 },
        },
      }),
    )
    const result = await run({ env: { ASYNC_UPLOAD_ROLLOUT: 'half' } })
    expectRefused(
      result,
      'rollout.nam: unknown key; did you mean name?',
      'rollout: has no name',
      'rollout.candidate.partSize: found "1KiB", expected a size',
      'rollout.candidate.limitRate: holds for the whole run',
      'rollout.candidate.s3.secretAccessKey: a secret does not belong',
      'rollout.stages[1].percentage: found 5, expected more than the 10 before it',
      'rollout.stages[2].percentage: found 200, expected a percentage',
      'rollout.triggers.maxErrors: found 5, expected a percentage',
      'ASYNC_UPLOAD_ROLLOUT: found "half", expected a percentage from 0 to 100',
    )
    expect(result.stderr).not.toContain('hunter2')
    expect(await ws.list('out')).toEqual([])
    expect(await ws.journals()).toEqual([])
  })

  command(
    'upload a.txt --preset p',
    async ({ ws, run }) => {
      await ws.writeAll('a.txt')
      await ws.write('.uploadrc.json', config({ presets: { p: { rollout } } }))
      expectRefused(await run(), 'presets.p.rollout: belongs at the top of the config')
    },
    'in a preset',
  )

  command(
    'upload a.txt',
    async ({ ws, run }) => {
      await ws.writeAll('a.txt')
      await ws.write('.uploadrc.json', config({ rollout: { name: 'r', candidate: { to: 'supabase://b/' } } }))
      expectRefused(await run(), 'rollout.candidate.to: supabase:// needs the project')
    },
    'a candidate that cannot be reached',
  )
})

describe('a bad value in the environment is refused, rollout or not', () => {
  for (const [variable, value] of [
    ['ASYNC_UPLOAD_ENABLED', 'yes'],
    ['ASYNC_UPLOAD_ROLLOUT', '101'],
    ['ASYNC_UPLOAD_FALLBACK', '2'],
  ] as const) {
    command(`${variable}=${value} upload a.txt --to file:./out`, async ({ ws, run }) => {
      await ws.writeAll('a.txt')
      expectRefused(await run(), `${variable}: found "${value}", expected`)
      expect(await ws.list('out')).toEqual([])
    })
  }
})

describe('the environment alone', () => {
  for (const line of [
    'ASYNC_UPLOAD_ENABLED=false upload a.txt --to file:./out --engine fast',
    'ASYNC_UPLOAD_ENABLED=0 UPLOAD_ENGINE=fast upload a.txt --to file:./out',
    'ASYNC_UPLOAD_ENABLED=true upload a.txt --to file:./out --engine fast',
  ]) {
    command(line, async ({ ws, run }) => {
      await ws.writeAll('a.txt')
      expectRefused(await run(), line.includes('UPLOAD_ENGINE') ? 'UPLOAD_ENGINE' : '--engine', 'ASYNC_UPLOAD_ENABLED=')
    })
  }

  command('ASYNC_UPLOAD_ENABLED=false upload a.txt --to file:./out', async ({ ws, run }) => {
    await ws.writeAll('a.txt')
    await ws.write('.uploadrc.json', JSON.stringify({ engine: 'fast' }))
    expectCode(await run(), 0)
    const { run: line } = await ws.journal()
    expect(line.config).toMatchObject({ engine: 'standard' })
    expect(line.config).not.toHaveProperty('rollout')
    expect(line).not.toHaveProperty('rollout')
  })

  command('ASYNC_UPLOAD_ENABLED=1 upload a.txt --to file:./out', async ({ ws, run }) => {
    await ws.writeAll('a.txt')
    expectCode(await run(), 0)
    const { run: line } = await ws.journal()
    expect(line.config).toMatchObject({
      engine: 'standard',
      rollout: { name: 'async-upload', isEnabled: true, fallback: true, candidates: [{ engine: 'fast' }] },
    })
    expect(line).toMatchObject({ rollout: { name: 'async-upload', percentage: 0 } })
  })

  command(
    'ASYNC_UPLOAD_ROLLOUT=10 ASYNC_UPLOAD_FALLBACK=0 upload a.txt --to file:./out',
    async ({ ws, run }) => {
      await ws.writeAll('a.txt')
      const result = await run()
      expectCode(result, 0)
      expect(result.stderr.match(/nothing is rolled out/g)).toHaveLength(1)
      expect(result.stderr).toContain('ASYNC_UPLOAD_ROLLOUT, ASYNC_UPLOAD_FALLBACK: no effect')
      expect(await ws.list('out')).toEqual(['a.txt'])
    },
    'without a rollout: one warning',
  )
})

describe('what the journal has of a rollout', () => {
  command('upload a.txt b.mp4 --region eu', async ({ ws, run }) => {
    await ws.writeAll('a.txt', 'b.mp4')
    await ws.write(
      '.uploadrc.json',
      config({
        routes: [
          { match: '*.mp4', to: 'file:./videos' },
          { match: '*.tmp', skip: true },
        ],
        rollout: { ...rollout, candidate: { to: 'file:./new', concurrency: 3 }, never: '*.doc', state: 'state/r.json' },
      }),
    )
    expectCode(await run(), 0)
    const { run: line } = await ws.journal()
    expect(line.config.rollout).toMatchObject({
      name: 'nightly',
      fallback: true,
      auto: false,
      only: [],
      never: ['*.doc'],
      state: ws.path('state/r.json'),
      candidates: [
        { to: 'file:./new/', engine: 'fast', s3: { region: 'eu' }, concurrency: 3 },
        { to: 'file:./videos/', engine: 'fast', concurrency: 3 },
        null,
      ],
    })
  })

  command(
    'upload a.txt',
    async ({ ws, run }) => {
      await ws.writeAll('a.txt')
      await ws.write('.uploadrc.json', config({ engine: 'standard', rollout }))
      const result = await run()
      expectCode(result, 0)
      expect(result.stderr).toContain('rollout "nightly": the candidate changes nothing')
    },
    'a candidate that changes nothing is worth a warning',
  )

  command(
    'ASYNC_UPLOAD_ENABLED=false upload a.txt',
    async ({ ws, run }) => {
      await ws.writeAll('a.txt')
      await ws.write('.uploadrc.json', config({ rollout: { ...rollout, state: 'r.json' } }))
      expectCode(await run(), 0)
      const { run: line } = await ws.journal()
      expect(line.config).toMatchObject({ engine: 'fast', rollout: { isEnabled: false } })
      expect(line).not.toHaveProperty('rollout')
      expect(await ws.list('.')).toEqual(['.uploadrc.json', 'a.txt', 'out/a.txt'])
    },
    'switched off: nothing is counted, and no state kept',
  )
})
