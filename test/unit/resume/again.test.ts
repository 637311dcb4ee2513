import { expect, it } from 'vitest'
import { againCommand } from '../../../src/resume/again.ts'

it.each<[summary: Parameters<typeof againCommand>[0], resumeFrom: string | undefined, command: string | undefined]>([
  [{ exitCode: 0, byErrorCode: {} }, undefined, undefined],
  [{ exitCode: 1, byErrorCode: { KEY_INVALID: 1 } }, undefined, undefined],
  [{ exitCode: 1, byErrorCode: { TIMEOUT: 1 } }, undefined, 'upload --resume'],
  [{ exitCode: 130, byErrorCode: {}, undone: 0 }, undefined, 'upload --resume'],
  [{ exitCode: 130, byErrorCode: {}, undone: 2 }, undefined, undefined],
  [{ exitCode: 3, byErrorCode: {} }, 'server', 'upload --resume'],
  [{ exitCode: 3, byErrorCode: {} }, '/runs/a.jsonl', 'upload --resume-from /runs/a.jsonl'],
  [{ exitCode: 3, byErrorCode: {} }, "it's.jsonl", `upload --resume-from 'it'\\''s.jsonl'`],
])('%j of --resume-from %s: %s', (summary, resumeFrom, command) => {
  expect(againCommand(summary, { resumeFrom, sources: ['in'], filesFrom: undefined }, ['in'])).toBe(command)
})

it.each<[argv: string[], filesFrom: string | undefined, command: string | undefined]>([
  [['-', '--key', 'a b'], undefined, "upload --resume - --key 'a b'"],
  [['run', '--', '-'], undefined, 'upload --resume -- -'],
  [['-', '--resume'], undefined, 'upload - --resume'],
  [['-', '--resume-from=j.jsonl'], undefined, 'upload - --resume-from=j.jsonl'],
  [['--files-from', '-'], '-', 'upload --resume --files-from -'],
  [[], undefined, undefined],
])('of standard input, the whole command line %j: %s', (argv, filesFrom, command) => {
  const settings = { resumeFrom: undefined, sources: filesFrom === undefined ? ['-'] : [], filesFrom }
  expect(againCommand({ exitCode: 130, byErrorCode: {} }, settings, argv)).toBe(command)
})
