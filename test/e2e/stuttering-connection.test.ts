import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect } from 'vitest'
import { someBytes } from '../contract/bodies.ts'
import { command, expectCode } from '../support/command.ts'
import { randomFrom } from '../support/random.ts'
import { s3Environment, s3Fake } from '../support/s3-environment.ts'
import { stutteringForwarder } from '../support/stuttering-forwarder.ts'

const certificates = new URL('../contract/certificates/', import.meta.url)
const bundle = fileURLToPath(new URL('server.pem', certificates))
const tls = { cert: readFileSync(bundle, 'utf8'), key: readFileSync(new URL('server-key.pem', certificates), 'utf8') }
const KiB = 1024
const MiB = 1024 * KiB

const sha256 = (bytes: Uint8Array | undefined) =>
  createHash('sha256')
    .update(bytes ?? '')
    .digest('hex')

/** From 1 KiB to 3 MiB, many of them around the boundaries of buffers. */
function sizes(count: number): readonly number[] {
  const { below, oneOf } = randomFrom(count)
  return Array.from({ length: count }, () => {
    const whole = oneOf([64 * KiB, 128 * KiB, 256 * KiB, 512 * KiB, MiB, 3 * MiB - 100])
    return oneOf([KiB + below(64 * KiB), KiB + below(3 * MiB - KiB), whole - 1, whole, whole + 1, whole + below(100)])
  })
}

const scenes = [
  ['small', '--concurrency 8', sizes(40)],
  ['small', '--concurrency 40', sizes(60)],
  // In pieces of 50 kB: smaller than what a socket waits for.
  ['small', '--concurrency 8 --limit-rate 1MB', [50, 64, 65, 128, 200, 256, 257, 300].map((size) => size * KiB + 1)],
  ['large', '--part-size 5MiB --multipart-threshold 5MiB --concurrency 8', [20 * MiB, 20 * MiB + 1, 17 * MiB - 1]],
] as const

describe.each([
  ['plain', undefined],
  ['TLS', tls],
])('every byte arrives over a stuttering connection (%s)', (kind, certificate) => {
  for (const [what, options, lengths] of scenes) {
    command(
      `upload in --to s3://bucket/ --quiet ${options}`,
      async ({ ws, run }) => {
        const s3 = await s3Fake(certificate === undefined ? {} : { tls: certificate })
        const way = await stutteringForwarder(s3.port, lengths.length)
        const url = `${kind === 'TLS' ? 'https' : 'http'}://127.0.0.1:${way.port}`
        const wanted = new Map<string, string>()
        for (const [at, length] of lengths.entries()) {
          const bytes = someBytes(length, at + 1)
          wanted.set(`${at}.bin`, sha256(bytes))
          await ws.write(`in/${at}.bin`, bytes)
        }
        expectCode(await run({ env: { ...s3Environment({ url }), AWS_CA_BUNDLE: bundle } }), 0)
        const stored = new Map([...wanted.keys()].map((key) => [key, sha256(s3.read('bucket', key))]))
        expect(stored).toEqual(wanted)
        expect(way.pauses()).toBeGreaterThan(lengths.length)
        expect((await ws.journal()).files.every(({ engine }) => engine === 'fast')).toBe(true)
      },
      `${what} files, ${kind}`,
    )
  }
})
