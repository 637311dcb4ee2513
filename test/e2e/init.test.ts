import { lstat, readFile, stat, symlink } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect } from 'vitest'
import { command, expectCode, expectRefused } from '../support/command.ts'

const read = async (path: string): Promise<Record<string, unknown>> => JSON.parse(await readFile(path, 'utf8'))

describe('upload init', () => {
  command('upload init', async ({ ws, run }) => {
    await ws.writeAll('in/a.txt')
    const result = await run()
    expectCode(result, 0)
    expect(result.stdout).toBe('')
    expect(result.stderr).toContain(`wrote ${ws.path('.uploadrc.json')}`)
    const written = await read(ws.path('.uploadrc.json'))
    expect(Object.keys(written)[0]).toBe('$schema')
    const schema = await read(fileURLToPath(String(written.$schema)))
    expect(schema).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object' })
    expect(Object.keys(schema.properties as object)).toEqual(expect.arrayContaining(Object.keys(written)))
    if (process.platform !== 'win32') expect((await stat(ws.path('.uploadrc.json'))).mode & 0o133).toBe(0)
    expectCode(await ws.run('upload in'), 0)
    expect(await ws.list('uploaded')).toEqual(['a.txt'])
  })

  command('upload init --to s3://my-bucket/audio', async ({ ws, run }) => {
    const result = await run()
    expectCode(result, 0)
    expect(await read(ws.path('.uploadrc.json'))).toMatchObject({ to: 's3://my-bucket/audio/' })
  })

  command('upload init --to my-bucket', async ({ ws, run }) => {
    expectRefused(await run(), '--to: found "my-bucket"', 's3://bucket/prefix/')
    expect(await ws.list('.')).toEqual([])
  })

  command(
    'upload init',
    async ({ ws, run }) => {
      await ws.write('.uploadrc.json', 'not even JSON')
      expectRefused(await run(), '.uploadrc.json', 'there already')
      expect(await ws.read('.uploadrc.json')).toBe('not even JSON')
    },
    'beside one that is there',
  )

  command(
    'upload init',
    async ({ ws, run }) => {
      await symlink('nowhere.json', ws.path('.uploadrc.json'))
      expectRefused(await run(), '.uploadrc.json', 'there already')
      expect((await lstat(ws.path('.uploadrc.json'))).isSymbolicLink()).toBe(true)
      await expect(stat(ws.path('nowhere.json'))).rejects.toThrow(/ENOENT/)
    },
    'beside a link to nothing',
  )

  command('upload init --help', async ({ ws, run }) => {
    const result = await run()
    expectCode(result, 0)
    expect(result.stdout).toContain('Usage: upload init [options]')
    expect(await ws.list('.')).toEqual([])
  })

  command('upload ./init --to file:./out', async ({ ws, run }) => {
    await ws.writeAll('init')
    expectCode(await run(), 0)
    expect(await ws.list('out')).toEqual(['init'])
  })
})
