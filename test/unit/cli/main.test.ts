import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it, vi } from 'vitest'
import packageJson from '../../../package.json' with { type: 'json' }
import { main } from '../../../src/cli/main.ts'

const src = fileURLToPath(new URL('../../../src/', import.meta.url))

/** Everything a module loads as it is loaded itself, directly or by others; types and `import()` load nothing. */
function loadedBy(file: string, seen = new Set<string>()): Set<string> {
  const text = readFileSync(file, 'utf8')
  for (const [, what = '', from = ''] of text.matchAll(/^(?:import|export) ([^;]*?)from '([^']+)'/gms)) {
    const name = from.startsWith('.') ? join(dirname(file), from) : from
    const onlyTypes = what.startsWith('type ') || /^\{(?:\s*type \w+,?)+\s*\}/.test(what)
    if (onlyTypes || seen.has(name)) continue
    seen.add(name)
    if (name.endsWith('.ts')) loadedBy(name, seen)
  }
  return seen
}

describe('start-up stays quick', () => {
  it('upload --version loads no package', () => {
    const loaded = loadedBy(join(src, 'cli/main.ts'))
    expect([...loaded]).toContain(join(src, 'errors.ts'))
    expect([...loaded].filter((name) => !/^node:|\.ts$|package\.json$/.test(name))).toEqual([])
  })

  it('what the command line is checked with loads no destination, no bars and no scanner', () => {
    const loaded = loadedBy(join(src, 'cli/program.ts'))
    const packages = [...loaded].filter((name) => !/^node:|^\/|^[A-Z]:/.test(name))
    // string-width comes with what formats the lines of a dry run.
    expect(packages.sort()).toEqual(['commander', 'fastest-levenshtein', 'string-width', 'zod'])
  })

  it('a run loads what follows a rollout only where there is one', () => {
    const loaded = [...loadedBy(join(src, 'upload.ts'))]
    expect(loaded).toContain(join(src, 'lanes.ts'))
    const ofRollout = loaded.filter((name) => /[\\/]rollout[\\/]|proper-lockfile/.test(name))
    // The summary counts by the same rules.
    expect(ofRollout).toEqual([join(src, 'rollout/outcome.ts')])
  })
})

describe('the process', () => {
  const before = { argv: process.argv, uncaught: process.listeners('uncaughtException') }
  const errorsHeard = [process.stdout, process.stderr].map((stream) => [stream, stream.listeners('error')] as const)

  afterEach(() => {
    process.argv = before.argv
    vi.restoreAllMocks()
    vi.unstubAllEnvs()
    for (const listener of process.listeners('uncaughtException')) {
      if (!before.uncaught.includes(listener)) process.off('uncaughtException', listener)
    }
    for (const [stream, known] of errorsHeard) {
      for (const listener of stream.listeners('error')) {
        if (!known.includes(listener)) stream.off('error', listener as () => void)
      }
    }
  })

  /** Runs the program in this process, which is kept from ending. */
  async function ended(...argv: string[]): Promise<{ stdout: string; stderr: string; codes: unknown[] }> {
    const seen = { stdout: '', stderr: '', codes: [] as unknown[] }
    for (const name of ['stdout', 'stderr'] as const) {
      vi.spyOn(process[name], 'write').mockImplementation((text: unknown, done?: unknown) => {
        seen[name] += String(text)
        if (typeof done === 'function') done()
        return true
      })
    }
    vi.spyOn(process, 'exit').mockImplementation((code) => {
      seen.codes.push(code)
      return undefined as never
    })
    process.argv = ['node', 'upload', ...argv]
    await main()
    return seen
  }

  it.each(['--version', '-V'])('upload %s', async (flag) => {
    expect(await ended(flag)).toEqual({ stdout: `${packageJson.version}\n`, stderr: '', codes: [0] })
  })

  it('upload --help', async () => {
    const { stdout, stderr, codes } = await ended('--help')
    expect([stdout.includes('Usage: upload'), stderr, codes]).toEqual([true, '', [0]])
  })

  it('upload report x', async () => {
    const said = 'upload: upload report is not yet available (a file of that name is ./report)\n'
    expect(await ended('report', 'x')).toEqual({ stdout: '', stderr: said, codes: [2] })
  })

  it('listens for signals only while a command runs', async () => {
    const count = (): number => process.listenerCount('SIGINT') + process.listenerCount('SIGTERM')
    const idle = count()
    expect((await ended('a.wav', '--to', 'nowhere')).codes).toEqual([2])
    expect(count()).toBe(idle)
  })

  it('what nobody caught ends it with one line, and a stack only where UPLOAD_VERBOSE asks for it', async () => {
    const seen = await ended('--version')
    const uncaught = process.listeners('uncaughtException').at(-1) as (error: Error) => void
    uncaught(new TypeError('a bug'))
    expect(seen.stderr).toBe('upload: internal error: a bug\nupload: run it again with -v to see where\n')
    expect(seen.codes).toEqual([0, 3])
    vi.stubEnv('UPLOAD_VERBOSE', '1')
    uncaught(new TypeError('a bug'))
    expect(seen.stderr).toMatch(/^\s+at /m)
  })

  it('a working directory that is gone', async () => {
    vi.spyOn(process, 'cwd').mockImplementation(() => {
      throw Object.assign(new Error('ENOENT: no such file or directory, uv_cwd'), { code: 'ENOENT' })
    })
    const said = 'upload: the working directory is gone; change to one that exists\n'
    expect(await ended('a.wav', '--to', 'file:/x/')).toEqual({ stdout: '', stderr: said, codes: [2] })
  })

  it.each([
    ['ENOSPC', 'upload: standard output cannot be written: no space left there\n'],
    ['EIO', 'upload: standard output cannot be written: EIO\n'],
    ['EPIPE', ''],
  ])('a standard output that fails with %s is told of once, at the end', async (code, said) => {
    const failing = ended('--version')
    for (let times = 0; times < 2; times += 1) process.stdout.emit('error', Object.assign(new Error(code), { code }))
    expect(await failing).toMatchObject({ stderr: said, codes: [0] })
  })

  it('a stream whose reader has gone does no harm', async () => {
    await ended('--version')
    const gone = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
    for (const [stream] of errorsHeard) expect(stream.emit('error', gone)).toBe(true)
  })
})
