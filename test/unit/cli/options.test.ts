import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { addOptions, readFlags } from '../../../src/cli/options.ts'
import { flagOf } from '../../../src/config/options/option-spec.ts'
import { optionKeys, options } from '../../../src/config/options/options.ts'

function parse(...argv: string[]): { flags: object; args: readonly string[] } {
  const command = new Command('upload')
    .argument('[source...]')
    .exitOverride()
    .configureOutput({ outputError: () => {} })
  addOptions(command)
  command.parse(argv, { from: 'user' })
  return { flags: readFlags(command), args: command.args }
}

describe('every option is a flag', () => {
  it.each(optionKeys)('%s', (key) => {
    const { takes } = options[key]
    const flag = flagOf(key)
    if (takes === 'nothing') {
      expect(parse(flag)).toEqual({ flags: { [key]: true }, args: [] })
      expect(() => parse(`${flag}=1`)).toThrow(/unknown option/)
    } else {
      const [one, two] = takes === 'many' ? [['1'], ['1', '2']] : ['1', '2']
      expect(parse(flag, '1')).toEqual({ flags: { [key]: one }, args: [] })
      expect(parse(`${flag}=1`, flag, '2')).toEqual({ flags: { [key]: two }, args: [] })
      expect(() => parse(flag)).toThrow(/argument missing/)
    }
  })
})

it.each([
  [[], {}, []],
  [['a', '-c', '8', 'b'], { concurrency: '8' }, ['a', 'b']],
  [['-c8', '-qv', 'a'], { concurrency: '8', quiet: true, verbose: true }, ['a']],
  [['--', '-c', '--to'], {}, ['-c', '--to']],
  [['-', '!x', '--files-from', '-'], { filesFrom: '-' }, ['-', '!x']],
  [['--no-color', '--no-sign-request', 'a'], { noColor: true, noSignRequest: true }, ['a']],
  [['--exclude', '-x', '--exclude', '*.b'], { exclude: ['-x', '*.b'] }, []],
  [['a', '--to', 's3://b/', 'c'], { to: 's3://b/' }, ['a', 'c']],
])('upload %j', (argv, flags, args) => {
  expect(parse(...argv)).toEqual({ flags, args })
})

it.each(['--color', '--no-quiet', '--sign-request', '--concurency', '-x'])('%s is unknown', (flag) => {
  expect(() => parse(flag)).toThrow(/unknown option/)
})
