import { describe, expect, it } from 'vitest'
import {
  alwaysDistinct,
  compileKeyTemplate,
  namesContent,
  namesRun,
  numbersFiles,
  templateFaults,
  tokensOfFiles,
  tokensOfOneRun,
} from '../../../../src/plan/keys/key-template.ts'
import { templateFile } from '../template-file.ts'
import { seeded } from '../tree.ts'

describe('compileKeyTemplate', () => {
  it.each([
    ['{path}', 'a/b.wav', 'a/b.wav'],
    ['x/{path}.bak', 'a/b.wav', 'x/a/b.wav.bak'],
    ['fixed.wav', 'a/b.wav', 'fixed.wav'],
    ['{dir}/{name}{ext}', 'a/c/b.wav', 'a/c/b.wav'],
    ['{dir}/{name}{ext}', 'b.wav', 'b.wav'],
    ['x/{dir}/y/{name}', 'b.wav', 'x/y/b'],
    ['x/{dir}/y/{name}', 'a/b.wav', 'x/a/y/b'],
    ['{dir}+{name}', 'b.wav', '+b'],
    ['{dir}{name}', 'b.wav', 'b'],
    ['{dir}/{dir}/{name}', 'b.wav', 'b'],
    ['{dir}//{name}', 'b.wav', '/b'],
    ['{index}{ext}', 'b.wav', '7.wav'],
    ['{name}-{name}', 'b.wav', 'b-b'],
    ['{name}', 'a.tar.gz', 'a.tar'],
    ['{ext}', 'a.tar.gz', '.gz'],
    ['{name}[{ext}]', 'Makefile', 'Makefile[]'],
    ['{name}[{ext}]', '.bashrc', '.bashrc[]'],
    ['{name}[{ext}]', '..two-dots', '..two-dots[]'],
    ['{name}[{ext}]', '.config.json', '.config[.json]'],
    ['{name}[{ext}]', 'dir.d/file', 'file[]'],
    ['{name}[{ext}]', 'ends.', 'ends[.]'],
    ['{name}[{ext}]', 'a..b', 'a.[.b]'],
    ['{name}[{ext}]', '...', '...[]'],
    ['{name}', '{path}.txt', '{path}'],
    ['{name}', "$&$'.txt", "$&$'"],
    ['{size}/{name}', 'b.wav', '5/b'],
    ['{run}/{path}', 'a/b.wav', '20261122T073812Z-7f3a/a/b.wav'],
    ['{mtime}/{name}', 'b.wav', '2025-02-03/b'],
    ['{mtime:yyyy/MM/dd}/{name}', 'b.wav', '2025/02/03/b'],
    ['{now}/{name}', 'b.wav', '2026-11-22/b'],
    ["{now:yyyyMMdd'T'HHmmss}-{now:SSS}{ext}", 'b.wav', '20261122T073812-009.wav'],
    ['{uuid}{ext}', 'b.wav', 'uuid-7.wav'],
  ])('%s of %s is %s', (template, source, key) => {
    expect(templateFaults(template)).toEqual([])
    expect(compileKeyTemplate(template)(templateFile({ source, index: 7 }))).toBe(key)
  })

  it('has as many zeros for a sum that is not known yet', () => {
    const makeKey = compileKeyTemplate('{sha256}{ext}')
    expect(makeKey(templateFile({ source: 'b.wav' }))).toBe(`${'0'.repeat(64)}.wav`)
    const sha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    expect(makeKey(templateFile({ source: 'b.wav', sha256 }))).toBe(`${sha256}.wav`)
  })

  it('comes to something also for a file that could not be looked at', () => {
    const file = templateFile({ size: undefined, mtimeMs: undefined })
    expect(compileKeyTemplate('{size} {mtime}')(file)).toBe('0 1970-01-01')
  })

  it.each([
    ['{naem}{ext}', ['unknown token {naem}; did you mean {name}?']],
    ['{paht}', ['did you mean {path}?']],
    ['{foo}-{bar}', ['{foo}', '{bar}']],
    ['{}', ['unknown token {}']],
    ['{Name}', ['unknown token {Name}; did you mean {name}?']],
    ['{NAME}', ['unknown token {NAME}; did you mean {name}?']],
    ['{ sha256 }', ['unknown token { sha256 }; did you mean {sha256}?']],
    ['{sha265}', ['unknown token {sha265}; did you mean {sha256}?']],
    ['{date:yyyy}', ['unknown token {date:yyyy}; did you mean ']],
    ['{constructor}/{__proto__}', ['unknown token {constructor}', 'unknown token {__proto__}']],
    ['{index:03}', ['{index:03} takes no format; expected {index}']],
    ['{mtime:}', ['{mtime:} has no format; expected one such as yyyy-MM-dd']],
    ['{now:YYYY-MM-DD}', ['{now:YYYY-MM-DD} has "YYYY", which is no part of a date; expected yyyy MM dd HH mm ss SSS']],
    ['{now:MMM}', ['{now:MMM} has "MMM"']],
    ["{now:HH'h}", ["{now:HH'h} has a quote without its other half"]],
    ['{name', ['to have its other half']],
    ['name}', ['to have its other half']],
    ['{{name}}', ['to have its other half']],
    ['{dir}/', ['a file name at its end, such as {name}{ext}']],
    ['{naem}/', ['{naem}', 'a file name at its end']],
  ])('%s is refused', (template, said) => {
    const faults = templateFaults(template)
    expect(faults).toHaveLength(said.length)
    for (const [index, text] of said.entries()) expect(faults[index]).toContain(text)
  })

  it('yields nothing for a token that is refused anyway', () => {
    expect(compileKeyTemplate('a{naem}b')(templateFile())).toBe('ab')
  })

  it('names the tokens there are', () => {
    const known = '{path} {dir} {name} {ext} {uuid} {sha256} {index} {size} {mtime} {now} {run}'
    expect(templateFaults('{x}')[0]?.endsWith(`Known: ${known}`)).toBe(true)
  })
})

it.each([
  // template, numbersFiles, namesRun, namesContent, tokensOfFiles, tokensOfOneRun
  ['{index}{ext}', true, false, false, '', ''],
  ['x/{dir}-{index}', true, false, false, '', ''],
  ['{uuid}', true, false, false, '', '{uuid}'],
  ['{now:yyyy}/{now:MM}/{path}', false, true, false, '', '{now}'],
  ['{run}/{name}', false, true, false, '', '{run}'],
  ['{sha256}{ext}', false, false, true, '{sha256}', ''],
  ['{size}-{mtime:SSS}-{mtime}', false, false, false, '{size} {mtime}', ''],
  ['{path}', false, false, false, '', ''],
  ['index uuid now run sha256 size mtime', false, false, false, '', ''],
] as const)('what a key by %j goes by', (template, numbers, run, content, ofFiles, ofOneRun) => {
  expect([numbersFiles(template), namesRun(template), namesContent(template)]).toEqual([numbers, run, content])
  expect([tokensOfFiles(template).join(' '), tokensOfOneRun(template).join(' ')]).toEqual([ofFiles, ofOneRun])
})

describe('alwaysDistinct', () => {
  const numbered = ['{index}', 'take {index}', '1/{index}.wav', '{index}-{name}', '{index}/{path}', '{index}.{index}']
  const drawn = ['{uuid}', '{name}{uuid}{ext}', 'x/{uuid}{index}']
  const not = ['{name}', '{index}{ext}', '{index}{name}', '{index}0', '{dir}/{index}', '{path}-{index}', 'fixed', '']

  it.each([
    ...[...numbered, ...drawn].map((template) => [template, true] as const),
    ...[...not, '{sha256}', '{now}-{run}', '{size}'].map((template) => [template, false] as const),
  ])('%j: %s', (template, expected) => {
    expect(alwaysDistinct(template)).toBe(expected)
  })

  it('holds for names that try to meet', () => {
    const below = seeded(1)
    const random = () => Array.from({ length: below(5) }, () => '01-./a\u0301'.charAt(below(7))).join('')
    for (const template of numbered) {
      const makeKey = compileKeyTemplate(template)
      for (let round = 0; round < 2000; round += 1) {
        const [index, other] = [1 + below(30), 31 + below(300)]
        const keys = [index, other].map((each) => makeKey(templateFile({ source: random(), index: each })))
        expect(keys[0]?.normalize('NFC')).not.toBe(keys[1]?.normalize('NFC'))
      }
    }
  })
})
