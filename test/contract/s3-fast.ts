import { onTestFinished } from 'vitest'
import type { Destination, ObjectInfo } from '../../src/destinations/destination.ts'
import type { S3DestinationSettings } from '../../src/destinations/s3/engine.ts'
import { openS3Destination } from '../../src/destinations/s3/index.ts'
import { UploadError } from '../../src/errors.ts'
import {
  type FakeCredentials,
  type Operation,
  type S3Fake,
  type S3FakeOptions,
  startS3Fake,
} from '../support/s3-fake.ts'
import { aCall, bodyOf } from './bodies.ts'
import { anObject } from './destination-contract.ts'
import { fakeCredentials, s3Settings } from './s3-settings.ts'

/** The fast engine at a scripted server that looks at every signature. */
export interface Fast {
  readonly s3: S3Fake
  readonly destination: Destination
  /** What the user was told. */
  readonly warnings: readonly string[]
  readonly put: (key: string, bytes?: Uint8Array) => Promise<ObjectInfo>
  /** Requests of this kind. */
  readonly sent: (operation: Operation) => S3Fake['requests']
}

const patience = {
  connect: 1000,
  connectThroughProxy: 1000,
  idle: 5000,
  idleWhileAnswering: 5000,
  idleWhileCompleting: 5000,
}

export async function openFast(
  options: Omit<S3FakeOptions, 'credentials'> & { readonly credentials?: FakeCredentials | undefined } = {},
  settings: Partial<S3DestinationSettings> = {},
): Promise<Fast> {
  const { credentials, ...others } = { credentials: fakeCredentials, ...options }
  const s3 = await startS3Fake({ buckets: ['audio'], ...others, ...(credentials === undefined ? {} : { credentials }) })
  const warnings: string[] = []
  const destination = await openS3Destination(
    { ...s3Settings(s3.url), engine: 'fast', ...settings },
    { url: 's3://audio/', bucket: 'audio' },
    (message) => warnings.push(message),
    patience,
  )
  onTestFinished(async () => {
    await destination.close()
    await s3.close()
  })
  return {
    s3,
    destination,
    warnings,
    put: (key, bytes = Buffer.from(`bytes of ${key}`)) => destination.putObject(anObject(key), bodyOf(bytes), aCall()),
    sent: (operation) => s3.requests.filter((request) => request.operation === operation),
  }
}

/** An error as a server writes it. */
export function xmlError(code: string, message = 'Said by the server.'): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`
}

export async function failureOf(outcome: Promise<unknown>): Promise<UploadError> {
  const error = await outcome.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof UploadError) return error
  throw new Error(`no UploadError: ${String(error)}`)
}
