import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { confirm } from '../../../src/cli/confirm.ts'
import { UsageError } from '../../../src/errors.ts'
import { fakeOutput } from './fake-host.ts'

function terminal(isTTY = true) {
  const input = Object.assign(new PassThrough(), { isTTY })
  return { input, stdin: () => input, stderr: fakeOutput({ isTTY: true }) }
}

it.each([
  ['y\n', true],
  [' YES \n', true],
  ['n\n', false],
  ['\n', false],
  ['yellow\n', false],
])('%j', async (typed, isYes) => {
  const { input, ...host } = terminal()
  const answer = confirm('Go on?', host)
  input.write(typed)
  expect(await answer).toBe(isYes)
  expect(host.stderr.text()).toContain('Go on? [y/N] ')
})

it('no answer at all is a no', async () => {
  const { input, ...host } = terminal()
  const answer = confirm('Go on?', host)
  input.end()
  expect(await answer).toBe(false)
})

it('a stop ends the asking', async () => {
  const stop = new AbortController()
  const answer = confirm('Go on?', terminal(), stop.signal)
  stop.abort()
  expect(await answer).toBe(false)
})

it.each([
  ['standard input', terminal(false)],
  ['standard error', { ...terminal(), stderr: fakeOutput() }],
  ['neither', { stderr: fakeOutput() }],
])('cannot ask where %s is no terminal', async (_name, host) => {
  await expect(confirm('Go on?', host)).rejects.toBeInstanceOf(UsageError)
})
