import { describe, expect, it } from 'vitest'
import {
  alwaysDistinct,
  compileKeyTemplate,
  templateFaults,
  variesBetweenRuns,
} from '../../../src/plan/key-template.ts'
import { seeded } from './tree.ts'

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
  ])('%s of %s is %s', (template, source, key) => {
    expect(compileKeyTemplate(template)({ source, index: 7 })).toBe(key)
  })

  it.each([
    ['{naem}{ext}', ['unknown token {naem}; did you mean {name}?']],
    ['{paht}', ['did you mean {path}?']],
    ['{foo}-{bar}', ['{foo}', '{bar}']],
    ['{}', ['unknown token {}']],
    ['{Name}', ['unknown token {Name}; did you mean {name}?']],
    ['{constructor}/{__proto__}', ['unknown token {constructor}', 'unknown token {__proto__}']],
    ['{index:03}', ['unknown token {index:03}; did you mean {index}?']],
    ['{uuid}{ext}', ['{uuid} is not yet available']],
    ['{sha256}', ['{sha256} is not yet available']],
    ['{size}', ['{size} is not yet available']],
    ['{run}', ['{run} is not yet available']],
    ['{mtime:yyyy-MM-dd}/{now:yyyy/MM/dd}', ['{mtime:yyyy-MM-dd} is not yet', '{now:yyyy/MM/dd} is not yet']],
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
    expect(compileKeyTemplate('a{naem}b')({ source: 'x', index: 1 })).toBe('ab')
  })

  it('names the tokens there are', () => {
    expect(templateFaults('{x}')[0]).toMatch(/Known: \{path\} \{dir\} \{name\} \{ext\} \{index\}$/)
  })
})

describe('variesBetweenRuns', () => {
  it.each([
    ['{index}{ext}', true],
    ['x/{dir}-{index}', true],
    ['{path}', false],
    ['index', false],
  ])('%j: %s', (template, varies) => {
    expect(variesBetweenRuns(template)).toBe(varies)
  })
})

describe('alwaysDistinct', () => {
  const distinct = ['{index}', 'take {index}', '1/{index}.wav', '{index}-{name}', '{index}/{path}', '{index}.{index}']
  const not = ['{name}', '{index}{ext}', '{index}{name}', '{index}0', '{dir}/{index}', '{path}-{index}', 'fixed', '']

  it.each([...distinct.map((template) => [template, true]), ...not.map((template) => [template, false])] as [
    string,
    boolean,
  ][])('%j: %s', (template, expected) => {
    expect(alwaysDistinct(template)).toBe(expected)
  })

  it('holds for names that try to meet', () => {
    const below = seeded(1)
    const random = () => Array.from({ length: below(5) }, () => '01-./a\u0301'.charAt(below(7))).join('')
    for (const template of distinct) {
      const makeKey = compileKeyTemplate(template)
      for (let round = 0; round < 2000; round += 1) {
        const [index, other] = [1 + below(30), 31 + below(300)]
        const keys = [makeKey({ source: random(), index }), makeKey({ source: random(), index: other })]
        expect(keys[0]?.normalize('NFC')).not.toBe(keys[1]?.normalize('NFC'))
      }
    }
  })
})
