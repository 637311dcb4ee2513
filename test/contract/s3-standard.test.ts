import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { openS3Destination } from '../../src/destinations/s3/index.ts'
import { type Operation, type S3Fake, startS3Fake } from '../support/s3-fake.ts'
import { aCall, bodyOf, someBytes } from './bodies.ts'
import { anObject } from './destination-contract.ts'
import { credentialEnvironment, s3Settings } from './s3-settings.ts'

const MiB = 2 ** 20

beforeEach(() => {
  for (const [name, value] of Object.entries(credentialEnvironment)) vi.stubEnv(name, value)
  return () => vi.unstubAllEnvs()
})

async function open(settings: { multipartThreshold?: number } = {}) {
  const s3 = await startS3Fake({ buckets: ['audio'] })
  const destination = await openS3Destination(
    { ...s3Settings(s3.url), engine: 'standard', ...settings },
    { url: 's3://audio/', bucket: 'audio' },
    () => {},
    { connect: 1000, connectThroughProxy: 1000, idle: 5000, idleWhileCompleting: 5000 },
  )
  onTestFinished(async () => {
    await destination.close()
    await s3.close()
  })
  return { s3, destination }
}

const operations = (s3: S3Fake): Operation[] => s3.requests.map(({ operation }) => operation)
const count = (s3: S3Fake, wanted: Operation) => operations(s3).filter((operation) => operation === wanted).length

describe('the standard engine', () => {
  it.each([
    ['one request up to the threshold', 5 * MiB, 5 * MiB, ['PutObject']],
    ['one request up to a larger threshold', 12 * MiB, 12 * MiB, ['PutObject']],
    [
      'parts above it',
      5 * MiB + 1,
      5 * MiB,
      ['CreateMultipartUpload', 'UploadPart', 'UploadPart', 'CompleteMultipartUpload'],
    ],
  ])('sends %s', async (_, size, multipartThreshold, expected) => {
    const { s3, destination } = await open({ multipartThreshold })
    await destination.putObject(anObject('k'), bodyOf(someBytes(size)), aCall({ requests: 1 }))
    expect(operations(s3)).toEqual(expected)
    expect(s3.object('audio', 'k')?.headers['content-type']).toBe('audio/wav')
  })

  it.each([1, 3])('has as many parts under way as it has slots: %i', async (requests) => {
    const { s3, destination } = await open()
    let letGo = () => {}
    const allThere = new Promise<void>((resolve) => {
      letGo = resolve
    })
    let most = 0
    s3.script = ({ operation }) => {
      if (operation !== 'UploadPart') return undefined
      most = Math.max(most, s3.inFlight())
      if (most === requests) letGo()
      return { until: allThere }
    }
    await destination.putObject(anObject('k'), bodyOf(someBytes(40 * MiB)), aCall({ requests }))
    expect(most).toBe(requests)
    expect(s3.counters.maxConcurrent).toBeLessThanOrEqual(requests)
  })

  it('tells of bytes as parts are confirmed', async () => {
    const { destination } = await open()
    const sent: number[] = []
    await destination.putObject(
      anObject('k'),
      bodyOf(someBytes(12 * MiB)),
      aCall({ requests: 1, onBytes: (bytes) => sent.push(bytes) }),
    )
    expect([...new Set(sent)]).toEqual([5 * MiB, 10 * MiB, 12 * MiB])
  })

  it('hands on what the server says of the object', async () => {
    const { s3, destination } = await open()
    const headers = {
      etag: '"abc"',
      'x-amz-version-id': 'v1',
      'x-amz-checksum-crc32': 'AAAAAA==',
      'x-amz-checksum-type': 'FULL_OBJECT',
    }
    s3.script = () => ({ status: 200, headers })
    expect(await destination.putObject(anObject('k'), bodyOf(Buffer.of()), aCall())).toEqual({
      key: 'k',
      size: 0,
      etag: '"abc"',
      versionId: 'v1',
      checksum: { algorithm: 'crc32', value: 'AAAAAA==' },
    })
  })

  it('stops all parts when one has failed, and forgets the upload', async () => {
    const { s3, destination } = await open()
    s3.script = ({ operation, partNumber }) => {
      if (operation !== 'UploadPart') return undefined
      return partNumber === 2 ? { status: 403 } : 'hang'
    }
    const outcome = destination.putObject(anObject('k'), bodyOf(someBytes(60 * MiB)), aCall({ requests: 3 }))
    await expect(outcome).rejects.toMatchObject({ code: 'ACCESS_DENIED', status: 403 })
    expect(count(s3, 'UploadPart')).toBeLessThanOrEqual(3)
    expect(s3.uploads.size).toBe(0)
  })

  it.each<Operation>(['PutObject', 'UploadPart', 'CompleteMultipartUpload'])(
    'cuts a %s when it is stopped',
    async (operation) => {
      const { s3, destination } = await open()
      const controller = new AbortController()
      s3.script = (request) => {
        if (request.operation !== operation) return undefined
        setImmediate(() => controller.abort())
        return 'hang'
      }
      const size = operation === 'PutObject' ? 1000 : 30 * MiB
      const outcome = destination.putObject(
        anObject('k'),
        bodyOf(someBytes(size)),
        aCall({ signal: controller.signal }),
      )
      await expect(outcome).rejects.toMatchObject({ code: 'CANCELLED' })
      expect(s3.uploads.size).toBe(0)
      expect(s3.keys('audio')).toEqual([])
    },
  )

  it('forgets an upload that was just being begun when it is stopped', async () => {
    const { s3, destination } = await open()
    const controller = new AbortController()
    s3.script = ({ operation }) => {
      if (operation !== 'CreateMultipartUpload') return undefined
      controller.abort()
      return { until: new Promise((resolve) => setImmediate(resolve)) }
    }
    const outcome = destination.putObject(
      anObject('k'),
      bodyOf(someBytes(30 * MiB)),
      aCall({ signal: controller.signal }),
    )
    await expect(outcome).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(operations(s3)).toEqual(['CreateMultipartUpload', 'AbortMultipartUpload'])
    expect(s3.uploads.size).toBe(0)
  })

  it('tries twice to forget an upload', async () => {
    const { s3, destination } = await open()
    s3.script = ({ operation, attempt }) => {
      if (operation === 'UploadPart') return { status: 500 }
      return operation === 'AbortMultipartUpload' && attempt === 1 ? 'reset' : undefined
    }
    const outcome = destination.putObject(anObject('k'), bodyOf(someBytes(11 * MiB)), aCall())
    await expect(outcome).rejects.toMatchObject({ code: 'SERVER_ERROR', status: 500 })
    expect(count(s3, 'AbortMultipartUpload')).toBe(2)
    expect(s3.uploads.size).toBe(0)
  })

  it('tells the failure of a part even where the upload cannot be forgotten', async () => {
    const { s3, destination } = await open()
    s3.script = ({ operation }) =>
      operation === 'UploadPart' ? { status: 507 } : operation === 'AbortMultipartUpload' ? { status: 500 } : undefined
    const outcome = destination.putObject(anObject('k'), bodyOf(someBytes(11 * MiB)), aCall())
    await expect(outcome).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED', status: 507 })
  })

  it('never tries a request again by itself', async () => {
    const { s3, destination } = await open()
    s3.script = () => ({ status: 503 })
    await expect(destination.putObject(anObject('k'), bodyOf(someBytes(3)), aCall())).rejects.toMatchObject({
      code: 'THROTTLED',
    })
    expect(s3.counters.requests).toBe(1)
  })

  it('opens no more connections than requests under way', async () => {
    const { s3, destination } = await open()
    for (let round = 0; round < 20; round++) {
      await Promise.all(['a', 'b'].map((key) => destination.putObject(anObject(key), bodyOf(someBytes(300)), aCall())))
    }
    expect(s3.counters).toMatchObject({ requests: 40, connections: 2 })
  })

  it('has a thousand requests under way when asked to', async () => {
    const { s3, destination } = await open()
    s3.hold(1000)
    const keys = Array.from({ length: 1000 }, (_, at) => `k${at}`)
    await Promise.all(keys.map((key) => destination.putObject(anObject(key), bodyOf(Buffer.from(key)), aCall())))
    expect(s3.counters.maxConcurrent).toBe(1000)
    expect(s3.keys('audio')).toHaveLength(1000)
  })

  it('holds no more than its share of memory, however many objects are put at once', async () => {
    const { s3, destination } = await open({ multipartThreshold: 64 * MiB })
    s3.hold(3)
    // Twice 40 MiB each, as pieces and as one buffer: three fit into 256 MiB.
    const body = bodyOf(someBytes(40 * MiB), { pieceSize: MiB })
    const keys = ['a', 'b', 'c', 'd', 'e']
    await Promise.all(keys.map((key) => destination.putObject(anObject(key), body, aCall())))
    expect(s3.counters.maxConcurrent).toBe(3)
    expect(s3.keys('audio')).toEqual(keys)
  })

  it('lists page by page', async () => {
    const { s3, destination } = await open()
    for (let at = 0; at < 2500; at++) s3.put('audio', `p/${String(at).padStart(4, '0')} +%`, Buffer.of(1))
    const found: string[] = []
    for await (const { key } of destination.listObjects?.('p/', aCall()) ?? []) found.push(key)
    expect(found).toEqual(s3.keys('audio'))
    expect(count(s3, 'ListObjectsV2')).toBe(3)
  })

  it('lists what a server gives that encodes nothing, and takes no repeated token for the end', async () => {
    const { s3, destination } = await open()
    const body =
      '<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken><Contents><Key>a+b%zz</Key><Size>1</Size></Contents></ListBucketResult>'
    s3.script = () => ({ status: 200, body })
    const found: string[] = []
    const listing = async (): Promise<void> => {
      for await (const { key } of destination.listObjects?.('', aCall()) ?? []) found.push(key)
    }
    await expect(listing()).rejects.toMatchObject({ code: 'BAD_RESPONSE' })
    expect(found).toEqual(['a+b%zz', 'a+b%zz'])
  })
})
