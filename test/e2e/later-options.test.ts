import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { command, expectRefused } from '../support/command.ts'
import { flagOf, variableOf } from '../support/option-names.ts'
import type { RunResult } from '../support/run-upload.ts'
import { makeWorkspace } from '../support/workspace.ts'

/** What the documentation promises for later, each with a value it will take. */
const withValue: Readonly<Record<string, string>> = {
  dashboardPort: '8080',
  metricsFile: 'm.prom',
  shard: '1/4',
}

const switches = ['dashboard']

const all: Readonly<Record<string, string | true>> = {
  ...withValue,
  ...Object.fromEntries(switches.map((name) => [name, true as const])),
}

describe('what a later version brings is refused, not ignored', () => {
  const line = 'upload a.txt --to file:./out'
  let ws: Awaited<ReturnType<typeof makeWorkspace>>
  let results: Record<'flag' | 'variable' | 'config', RunResult>

  // All faults are said at once, so one run for each way of giving them is enough.
  beforeAll(async () => {
    ws = await makeWorkspace()
    await ws.writeAll('a.txt')
    const flags = Object.entries(all).flatMap(([name, value]) =>
      value === true ? [flagOf(name)] : [flagOf(name), value],
    )
    const env = Object.fromEntries(Object.entries(all).map(([name, value]) => [variableOf(name), String(value)]))
    const flag = await ws.runArgs(['a.txt', '--to', 'file:./out', ...flags])
    const variable = await ws.run(line, { env })
    await ws.write('.uploadrc.json', JSON.stringify(all))
    results = { flag, variable, config: await ws.run(line) }
  })
  afterAll(() => ws.remove())

  it('nothing was sent', async () => {
    expect(await ws.list('out')).toEqual([])
    expect(await ws.journals()).toEqual([])
  })

  for (const [name, value] of Object.entries(all)) {
    it(`${line} ${flagOf(name)}${value === true ? '' : ` '${value}'`}`, () => {
      expectRefused(results.flag, saidOf(flagOf(name)))
      expectRefused(results.variable, saidOf(variableOf(name)))
      expectRefused(results.config, saidOf(name))
    })
  }

  command(
    'upload a.txt --to file:./out --shard 1/4',
    async ({ ws, run }) => {
      await ws.writeAll('a.txt')
      expectRefused(await run(), saidOf('--shard'))
      expect(await ws.list('out')).toEqual([])
    },
    'one alone',
  )
})

/** A line that says of this very option that it is not there yet. */
function saidOf(name: string): RegExp {
  return new RegExp(`${name.replaceAll('-', '\\-')}\\b(?!-).*not yet available`, 'm')
}
