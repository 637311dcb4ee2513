import { describe, expect, it, onTestFinished } from 'vitest'
import type { S3Settings } from '../../src/config/settings.ts'
import { type Forwarder, forwarder } from '../support/forwarder.ts'
import { type InProcess, inProcess, type Outcome, retry } from '../support/in-process.ts'
import { freePort } from '../support/server-process.ts'
import { engines } from '../support/settings.ts'

const MiB = 2 ** 20

interface Scene extends InProcess {
  readonly s3Settings: S3Settings
  readonly door: Forwarder
}

/** A server behind a door that can be closed and opened again. */
async function behindDoor(engine: (typeof engines)[number]): Promise<Scene> {
  const scene = await inProcess({ engine })
  const port = await freePort()
  const door = forwarder({ port, to: scene.s3.port })
  onTestFinished(door.close)
  await door.listen()
  const endpointUrl = `http://127.0.0.1:${port}`
  const s3Settings: S3Settings = {
    endpointUrl,
    region: 'us-east-1',
    profile: undefined,
    pathStyle: 'auto',
    signRequest: true,
  }
  return { ...scene, door, s3Settings }
}

function warnings({ events }: Outcome): string[] {
  return events.flatMap((event) => (event.type === 'warning' ? [event.message] : []))
}

describe.each(engines)('the %s engine', (engine) => {
  it('waits while the destination cannot be reached, and goes on with what is left', async () => {
    const { ws, s3, door, s3Settings, upload } = await behindDoor(engine)
    const names = Array.from({ length: 40 }, (_, n) => `${n}.txt`)
    await ws.writeAll(...names.map((name) => `in/${name}`))
    let answered = 0
    s3.script = () => {
      answered += 1
      if (answered === 10) void door.close()
      return undefined
    }
    let waits = 0
    const outcome = await upload(
      { s3: s3Settings, concurrency: 4, retry: retry({ retries: 2, retryFailed: 0 }) },
      {
        onWait: async () => {
          waits += 1
          // By then each file would have used up its retries many times over.
          if (waits === 30) await door.listen()
        },
      },
    )
    expect(outcome.summary).toMatchObject({ exitCode: 0, uploaded: 40, failed: 0, cancelled: 0 })
    expect(s3.keys('bucket')).toEqual(names.sort())
    const told = warnings(outcome).filter((message) => /destination/.test(message))
    expect(told[0]).toMatch(/^the destination cannot be reached; waiting for it until .* 127\.0\.0\.1/)
    expect(told.at(-1)).toMatch(/^the destination can be reached again, after /)
    expect(told).toHaveLength(2)
  })

  it('gives up after --retry-max-time: said once, all others can be resumed', async () => {
    const { ws, s3, door, s3Settings, upload } = await behindDoor(engine)
    for (let n = 0; n < 40; n += 1) await ws.write(`in/${n}.txt`)
    let answered = 0
    s3.script = () => {
      answered += 1
      if (answered === 10) void door.close()
      return undefined
    }
    const outcome = await upload({
      s3: s3Settings,
      concurrency: 4,
      retry: retry({ retries: 8, retryMaxTimeMs: 60_000 }),
    })
    expect(outcome.summary).toMatchObject({ exitCode: 3, failed: 0 })
    expect(outcome.summary.uploaded + outcome.summary.cancelled).toBe(40)
    expect(outcome.events.at(-1)).toMatchObject({
      stoppedBecause: expect.stringMatching(
        /could not be reached for 1m 00s; go on with upload --resume: .*127\.0\.0\.1.*\(CONNECTION\)/,
      ),
    })
  })
})

it('sends of a large file only the parts again that were in flight', async () => {
  const { ws, s3, door, s3Settings, upload } = await behindDoor('fast')
  await ws.write('in/large.bin', Buffer.alloc(64 * MiB, 7))
  let parts = 0
  s3.script = ({ query }) => {
    if (query.partNumber !== undefined) parts += 1
    if (parts === 5) void door.close()
    return undefined
  }
  let waits = 0
  const { summary, file } = await upload(
    { s3: s3Settings, concurrency: 4, partSize: 5 * MiB, retry: retry({ retryFailed: 0 }) },
    {
      onWait: async () => {
        waits += 1
        if (waits === 20) {
          parts = 1000
          await door.listen()
        }
      },
    },
  )
  expect(summary).toMatchObject({ exitCode: 0, uploaded: 1 })
  // Four were in flight; whatever of them had left, left twice.
  expect(file('large.bin').bytesSent).toBeLessThanOrEqual(64 * MiB + 4 * 5 * MiB)
  expect(s3.keys('bucket')).toEqual(['large.bin'])
})
