import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { ObjectToPut } from '../../src/destinations/destination.ts'
import type { ErrorCode } from '../../src/errors.ts'
import { engines } from '../support/settings.ts'
import { type Fault, type SupabaseFake, type SupabaseFakeOptions, startSupabaseFake } from '../support/supabase-fake.ts'
import { someBytes } from './bodies.ts'
import { anObject, partSizeOf } from './destination-contract.ts'
import { failureOf, xmlError } from './s3-fast.ts'
import { storeObject } from './store-object.ts'
import { openBucket, type Project, type Scheme, traitsOf } from './supabase-routes.ts'

/** One way to send an object: by a protocol of Supabase's own, which one depends on the size, or by S3. */
interface Way {
  readonly scheme: Scheme
  /** Bytes. */
  readonly size: number
}

/** Why an object is refused. */
interface Refusal {
  readonly server?: SupabaseFakeOptions
  readonly prepare?: (supabase: SupabaseFake) => void
  readonly project?: (supabase: SupabaseFake) => Partial<Project>
  readonly bucket?: string
  readonly object?: Partial<ObjectToPut>
  readonly code: ErrorCode
}

beforeEach(() => () => vi.unstubAllEnvs())

const small = 1000
const large = 6 * 2 ** 20 + 1
const protocols: readonly (readonly [string, Way])[] = [
  ['a standard upload', { scheme: 'supabase', size: small }],
  ['a resumable upload', { scheme: 'supabase', size: large }],
  ['a whole object by S3', { scheme: 's3', size: small }],
  ['an object in parts by S3', { scheme: 's3', size: large }],
]
const ways = protocols.flatMap(([name, way]) => engines.map((engine) => [`${name} (${engine})`, way, engine] as const))

const anotherS3 = (change: Partial<Project['s3']>) => (supabase: SupabaseFake) => ({
  s3: { ...supabase.s3, ...change },
})

/** What is refused by every protocol, each in its own words. */
const everywhere: Readonly<Record<string, Refusal>> = {
  'no such bucket': { bucket: 'none', code: 'BUCKET_NOT_FOUND' },
  'more than the bucket allows': { bucket: 'tight', code: 'TOO_LARGE' },
  'more than the project allows': { server: { maxUploadSize: 999 }, code: 'TOO_LARGE' },
  'a type that the bucket does not allow': { bucket: 'sounds', code: 'TYPE_NOT_ALLOWED' },
  'a key outside the rule': { object: { key: 'track #1 ü.wav' }, code: 'KEY_INVALID' },
  'a key, or secret, that is none of the project': {
    project: (supabase) => ({
      key: `${supabase.key.slice(0, -8)}AAAAAAAA`,
      ...anotherS3({ secretAccessKey: 'x' })(supabase),
    }),
    code: 'CREDENTIALS_INVALID',
  },
  'something that is no key': {
    project: (supabase) => ({ key: 'sb_secret_x', ...anotherS3({ accessKeyId: 'NOBODY' })(supabase) }),
    code: 'CREDENTIALS_INVALID',
  },
  'row-level security': {
    project: ({ anonKey }) => ({ key: anonKey }),
    // Access keys for S3 pass by it. Only session tokens do not, which the stand-in does not take.
    prepare: (supabase) => answerS3(supabase, 403, 'AccessDenied', 'new row violates row-level security policy'),
    code: 'ACCESS_DENIED',
  },
  'a key that has expired': {
    project: ({ expiredKey }) => ({ key: expiredKey }),
    // As above: access keys do not expire.
    prepare: (supabase) => answerS3(supabase, 403, 'AccessDenied', '"exp" claim timestamp check failed'),
    code: 'CREDENTIALS_EXPIRED',
  },
  'too many requests': { prepare: throttle, code: 'THROTTLED' },
}

describe.each(ways)('%s', (_way, { scheme, size }, engine) => {
  async function send({ server = {}, prepare, project, bucket = 'any', object }: Omit<Refusal, 'code'>) {
    const supabase = await startSupabaseFake({ lockDrainMs: 20, ...server })
    onTestFinished(() => supabase.close())
    supabase.makeBucket('any')
    supabase.makeBucket('tight', { fileSizeLimit: 999 })
    supabase.makeBucket('sounds', { allowedMimeTypes: ['video/*', 'audio/mpeg'] })
    prepare?.(supabase)
    const destination = await openBucket({ ...supabase, ...project?.(supabase) }, { scheme, engine, bucket })
    onTestFinished(() => destination.close())
    const wanted = { ...anObject('takes/a.wav', partSizeOf(traitsOf[scheme])), ...object }
    return { supabase, store: (seed = 1) => storeObject(destination, wanted, someBytes(size, seed)) }
  }

  it.each(Object.entries(everywhere))('is refused: %s', async (_name, { code, ...refusal }) => {
    const { supabase, store } = await send(refusal)
    const error = await failureOf(store())
    expect(error).toMatchObject({ code, retryable: code === 'THROTTLED' })
    expect(error.message).toMatch(/^[^\n]{10,400}$/)
    for (const secret of [supabase.key, supabase.s3.secretAccessKey]) expect(error.message).not.toContain(secret)
    expect([...supabase.objects.keys()]).toEqual([])
  })

  it('is refused, where an object is there that was not to be replaced; but not by S3, which takes no notice', async () => {
    const { supabase, store } = await send({ object: { ifAbsent: true } })
    await store(1)
    const first = await supabase.objects.get('any/takes/a.wav')?.sha256()
    const outcome = store(2)
    if (traitsOf[scheme].ignoresIfAbsent) await outcome
    else expect(await failureOf(outcome)).toMatchObject({ code: 'ALREADY_EXISTS', retryable: false })
    const now = await supabase.objects.get('any/takes/a.wav')?.sha256()
    expect(now === first).toBe(!traitsOf[scheme].ignoresIfAbsent)
  })
})

/** Answers S3 requests in place of the server; others go to it. */
function answerS3(supabase: SupabaseFake, status: number, code: string, message: string): void {
  const answer: Fault = { status, headers: { 'content-type': 'application/xml' }, body: xmlError(code, message) }
  supabase.intercept = ({ protocol }) => (protocol === 's3' ? answer : undefined)
}

/** Says of every request that there were too many, as each protocol has it. */
function throttle(supabase: SupabaseFake): void {
  const message = 'Too many connections issued to the database'
  const json = { statusCode: '429', error: 'too_many_connections', code: 'SlowDown', message }
  const answers: Readonly<Record<string, Fault>> = {
    rest: { status: 400, headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) },
    tus: { status: 429, headers: { 'content-type': 'text/plain' }, body: message },
    s3: { status: 429, headers: { 'content-type': 'application/xml' }, body: xmlError('SlowDown', message) },
  }
  supabase.intercept = ({ protocol }) => answers[protocol]
}
