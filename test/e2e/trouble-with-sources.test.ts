import { execFileSync } from 'node:child_process'
import { chmod, mkdir, symlink } from 'node:fs/promises'
import { describe, expect } from 'vitest'
import { command, expectCode, expectRefused } from '../support/command.ts'
import { canRunAs, nobody } from '../support/privileges.ts'

const posix = process.platform !== 'win32'
if (!posix) console.log('Not tried on Windows: symbolic links, FIFOs and unreadable files.')

describe('nothing, or not everything, is there', () => {
  for (const source of ['missing.wav', './no/such/dir/', "'audio/*.wav'", "'**/*.wav'"]) {
    command(`upload ${source} --to file:./out`, async ({ ws, run }) => {
      await ws.writeAll('audio/readme.txt')
      expectRefused(await run(), source.replaceAll("'", ''))
      expect(await ws.list('out')).toEqual([])
    })
  }

  command("upload 'audio/*.wav' --allow-empty --to file:./out", async ({ ws, run }) => {
    await ws.writeAll('audio/readme.txt')
    expectCode(await run(), 0)
    expect((await ws.journal()).summary).toMatchObject({ files: 0, uploaded: 0, exitCode: 0, successRate: null })
  })

  command('upload empty-dir --to file:./out', async ({ ws, run }) => {
    await mkdir(ws.path('empty-dir'))
    expectRefused(await run(), '--allow-empty')
  })

  command('upload a.wav missing.wav --to file:./out', async ({ ws, run }) => {
    await ws.writeAll('a.wav')
    const result = await run()
    expectCode(result, 1)
    expect(await ws.list('out')).toEqual(['a.wav'])
    expect(result.stderr).toContain('SOURCE_NOT_FOUND')
    expect(result.stderr).toContain('missing.wav')
    const journal = await ws.journal()
    expect(journal.file('missing.wav')).toMatchObject({
      status: 'failed',
      size: null,
      error: { code: 'SOURCE_NOT_FOUND' },
    })
    expect(journal.summary).toMatchObject({ uploaded: 1, failed: 1, outcome: 'partial', exitCode: 1 })
  })

  command(
    "upload a.wav 'no-such-*.wav' --to file:./out",
    async ({ ws, run }) => {
      await ws.writeAll('a.wav')
      const result = await run()
      expect(await ws.list('out')).toEqual(['a.wav'])
      expect(result.stderr).toContain('no-such-*.wav')
    },
    'a pattern that matches nothing is named',
  )
})

describe.runIf(posix)('links and special files', () => {
  command(
    'upload audio --to file:./out',
    async ({ ws, run }) => {
      await ws.writeAll('elsewhere/real.wav', 'elsewhere/dir/x.wav', 'audio/a.wav')
      await symlink(ws.path('elsewhere/real.wav'), ws.path('audio/link.wav'))
      await symlink(ws.path('elsewhere/dir'), ws.path('audio/linked-dir'))
      await symlink('..', ws.path('audio/loop'))
      expectCode(await run(), 0)
      expect(await ws.tree('out')).toEqual({ 'a.wav': 'audio/a.wav', 'link.wav': 'elsewhere/real.wav' })
    },
    'linked files are followed, linked directories are not',
  )

  command(
    "upload 'audio/**/*.wav' --to file:./out",
    async ({ ws, run }) => {
      await ws.writeAll('elsewhere/real.wav', 'elsewhere/dir/x.wav', 'audio/a.wav')
      await symlink(ws.path('elsewhere/real.wav'), ws.path('audio/link.wav'))
      await symlink(ws.path('elsewhere/dir'), ws.path('audio/linked-dir'))
      expectCode(await run(), 0)
      expect(await ws.list('out')).toEqual(['a.wav', 'link.wav'])
    },
    'linked files are followed, linked directories are not',
  )

  command('upload link.wav --to file:./out', async ({ ws, run }) => {
    await ws.writeAll('elsewhere/real.wav')
    await symlink('elsewhere/real.wav', ws.path('link.wav'))
    expectCode(await run(), 0)
    expect(await ws.tree('out')).toEqual({ 'link.wav': 'elsewhere/real.wav' })
  })

  command(
    'upload audio --to file:./out',
    async ({ ws, run }) => {
      await ws.writeAll('audio/a.wav', 'audio/z.wav')
      await symlink('nowhere.wav', ws.path('audio/broken.wav'))
      const result = await run()
      expectCode(result, 1)
      expect(await ws.list('out')).toEqual(['a.wav', 'z.wav'])
      expect(result.stderr).toContain('broken.wav')
      expect((await ws.journal()).file('broken.wav')).toMatchObject({
        status: 'failed',
        error: { code: 'SOURCE_NOT_FOUND', retryable: false },
      })
    },
    'a broken link',
  )

  command(
    'upload audio --to file:./out',
    async ({ ws, run }) => {
      await ws.writeAll('audio/a.wav')
      execFileSync('mkfifo', [ws.path('audio/pipe')])
      const result = await run()
      expectCode(result, 0)
      expect(await ws.list('out')).toEqual(['a.wav'])
      expect(result.stderr).toContain('audio/pipe')
      expect((await ws.journal()).files).toHaveLength(1)
    },
    'a FIFO',
  )

  command(
    'upload audio --to file:./out',
    async ({ ws, run }) => {
      const user = nobody()
      if (!(await canRunAs(user))) return
      await ws.writeAll('audio/a.wav', 'audio/secret.wav', 'audio/closed/b.wav', 'audio/z.wav')
      await chmod(ws.path('audio/secret.wav'), 0)
      await chmod(ws.path('audio/closed'), 0)
      await mkdir(ws.path('out'))
      for (const dir of [ws.path('out'), ws.state, `${ws.root}/tmp`]) await chmod(dir, 0o777)
      const result = await run(user === undefined ? {} : { uid: user })
      await chmod(ws.path('audio/closed'), 0o755)
      expectCode(result, 1)
      expect(await ws.list('out')).toEqual(['a.wav', 'z.wav'])
      const { files } = await ws.journal()
      expect(files.filter((file) => file.status === 'failed').map((file) => [file.source, file.error?.code])).toEqual([
        ['closed', 'SOURCE_UNREADABLE'],
        ['secret.wav', 'SOURCE_UNREADABLE'],
      ])
    },
    'a file and a directory without permission',
  )
})
