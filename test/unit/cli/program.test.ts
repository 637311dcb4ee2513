import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import packageJson from '../../../package.json' with { type: 'json' }
import { createCommand, runProgram } from '../../../src/cli/program.ts'
import { commandOptionKeys } from '../../../src/config/command-settings.ts'
import { laterCommands } from '../../../src/config/options/later-options.ts'
import { flagOf, helpGroups } from '../../../src/config/options/option-spec.ts'
import { optionKeys, options } from '../../../src/config/options/options.ts'
import { UsageError } from '../../../src/errors.ts'
import { fakeHost, fakeOutput } from './fake-host.ts'

describe('help', () => {
  it.each([['--help'], ['-h'], ['help'], ['run', '--help'], ['a.wav', '--concurrency', '8', '--help']])(
    'upload %s',
    async (...argv) => {
      const host = fakeHost()
      expect(await runProgram(argv, host)).toBe(0)
      const help = host.stdout.text()
      expect(host.stderr.text()).toBe('')
      const positions = [
        'Examples:',
        'Usage: upload [run] [options] <source...> [destination]',
        ...helpGroups.map((group) => `\n${group}:\n`),
      ]
      expect(positions.map((text) => help.indexOf(text))).toEqual(
        positions.map((text) => help.indexOf(text)).toSorted((a, b) => a - b),
      )
      expect(help.indexOf('Examples:')).toBeGreaterThan(0)
      for (const key of optionKeys) {
        const shown = new RegExp(`^ {2}(?:-\\w, )?${flagOf(key)}(?: <| {2})`, 'm').test(help)
        expect(shown, key).toBe(options[key].available)
      }
    },
  )

  it('fits the terminal', () => {
    const help = createCommand({ stdout: fakeOutput({ columns: 80 }) }).helpInformation()
    expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  })
})

describe('a command', () => {
  it.each([
    ['undo', '<report>'],
    ['verify', '<report>'],
    ['cleanup', '<destination>'],
  ])('upload %s has a help of its own', async (name, argument) => {
    const [asked, named] = [fakeHost(), fakeHost()]
    expect(await runProgram([name, '--help'], asked)).toBe(0)
    expect(await runProgram(['help', name], named)).toBe(0)
    const help = asked.stdout.text()
    expect(help).toContain(`Usage: upload ${name} [options] ${argument}`)
    for (const key of commandOptionKeys)
      expect(help).toMatch(new RegExp(`^ {2}(?:-\\w, )?${flagOf(key)}(?: <| {2})`, 'm'))
    expect(help).not.toContain('--part-size')
    expect(named.stdout.text()).toBe(help)
  })

  it('upload init has a help of its own', async () => {
    const host = fakeHost()
    expect(await runProgram(['init', '--help'], host)).toBe(0)
    expect(host.stdout.text()).toMatch(/^Write \.uploadrc\.json[\s\S]*Usage: upload init \[options\][\s\S]*--to <URL>/)
  })

  it.each([
    [['init', 'x'], /too many arguments/],
    [['undo'], /missing required argument/],
    [['verify', 'a', 'b'], /one report|too many arguments/],
    [['undo', 'x', '--part-size', '8MiB'], /unknown option '--part-size'/],
  ])('upload %j is refused', async (argv, said) => {
    await expect(runProgram(argv, fakeHost())).rejects.toThrow(said)
  })

  it.each([[['run', 'undo']], [['./undo']], [['--quiet', 'undo']]])('but upload %j is a source', async (argv) => {
    await expect(runProgram(argv, fakeHost())).rejects.toThrow(/^no destination/)
  })
})

it.each([['--version'], ['-V'], ['run', '--version']])('upload %s', async (...argv) => {
  const host = fakeHost()
  expect(await runProgram(argv, host)).toBe(0)
  expect(host.stdout.text()).toBe(`${packageJson.version}\n`)
})

describe('refused', () => {
  it.each([
    [['--concurency', '8'], ["unknown option '--concurency' (Did you mean --concurrency?)"]],
    [['a', '--limit'], ["unknown option '--limit'"]],
    [['a', '-c'], ["option '-c, --concurrency <N|auto>' argument missing"]],
    [['a', '--quiet=1'], ["unknown option '--quiet=1' (Did you mean --quiet?)"]],
    [
      ['a', 's3://b/', '--if-exists', 'never'],
      ['--if-exists: found "never", expected overwrite, skip, fail, newer or changed'],
    ],
    [['a', 's3://b/', '--shard', '1/2'], ['--shard is not yet available']],
  ])('upload %j', async (argv, faults) => {
    const host = fakeHost()
    const thrown: unknown = await runProgram(argv, host).catch((error: unknown) => error)
    expect(thrown).toBeInstanceOf(UsageError)
    const said = (thrown as UsageError).faults.map((fault) => fault.replace(/\s*\n\s*/g, ' '))
    expect(said).toEqual(faults)
    expect(host.stdout.text() + host.stderr.text()).toBe('')
  })

  it.each([
    ['-1.wav', "unknown option '-1.wav' (a file of that name is ./-1.wav)"],
    ['-2.wav', "unknown option '-2.wav'"],
    ['-1.wav=x', "unknown option '-1.wav=x'"],
  ])('upload %s, where -1.wav is a file', async (name, said) => {
    const cwd = mkdtempSync(join(tmpdir(), 'program-'))
    onTestFinished(() => rmSync(cwd, { recursive: true }))
    writeFileSync(join(cwd, '-1.wav'), '')
    await expect(runProgram([name, 's3://b/'], fakeHost({ cwd }))).rejects.toThrow(new UsageError(said))
  })

  it.each(laterCommands)('upload %s', async (name) => {
    await expect(runProgram([name, 'x'], fakeHost())).rejects.toThrow(`upload ${name} is not yet available`)
  })

  it.each([
    [['./report']],
    [['./help']],
    [['run', 'help']],
    [['help', '--quiet']],
    [['run', 'report']],
    [['--quiet', 'report']],
  ])('but upload %j is a source', async (argv) => {
    await expect(runProgram(argv, fakeHost())).rejects.toThrow(/^no destination/)
  })
})
