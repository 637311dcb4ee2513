import { expect, it } from 'vitest'
import { expectCode } from '../support/command.ts'
import { forEachServer } from '../support/each-server.ts'
import type { RunResult } from '../support/run-upload.ts'

function expectSaidOnce(result: RunResult, cause: RegExp): void {
  expectCode(result, 3)
  const stopped = result.stderr.split('\n').filter((line) => line.includes('stopped:'))
  expect(stopped, result.stderr).toHaveLength(1)
  expect(stopped[0]).toMatch(cause)
  expect(result.stderr.split('\n').length, result.stderr).toBeLessThan(15)
}

forEachServer((test) => {
  it('upload in --to s3://…/  # a wrong secret', async () => {
    const { server, ws, withPlace } = test()
    for (let n = 0; n < 40; n += 1) await ws.write(`refused/${n}.txt`)
    await withPlace(async (place) => {
      const env = { ...server.env, AWS_SECRET_ACCESS_KEY: 'surely/not/the/secret/of/this/server' }
      expectSaidOnce(await ws.run(`upload refused --to ${place.url}`, { env }), /AWS_SECRET_ACCESS_KEY|secret/)
      expect(await place.keys()).toEqual([])
    })
  })

  it('upload in --to s3://…/  # an unknown access key', async () => {
    const { server, ws, withPlace } = test()
    await ws.writeAll('refused/1.txt', 'refused/2.txt')
    await withPlace(async (place) => {
      const env = { ...server.env, AWS_ACCESS_KEY_ID: 'NOBODYKNOWSTHISKEY00' }
      expectSaidOnce(await ws.run(`upload refused --to ${place.url}`, { env }), /AWS_ACCESS_KEY_ID|access key|denied/)
      expect(await place.keys()).toEqual([])
    })
  })

  it('upload in --to s3://no-such-bucket-…/', async () => {
    const { server, ws } = test()
    await ws.writeAll('refused/1.txt', 'refused/2.txt')
    const bucket = `no-such-bucket-${Date.now()}`
    expectSaidOnce(await ws.run(`upload refused --to s3://${bucket}/`, { env: server.env }), /no bucket|denied/)
  })
})
