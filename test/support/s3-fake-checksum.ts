import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { Crc32, Crc32cJs, Crc64NvmeJs } from '@aws-sdk/checksums/crc'
import { s3Error, type WireAnswer } from './s3-fake-answers.ts'

const algorithms = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA256'] as const
export type FakeAlgorithm = (typeof algorithms)[number]

/** What the scripted S3 server keeps of an object's checksum. */
export interface FakeChecksum {
  readonly algorithm: FakeAlgorithm
  /** In base64. */
  readonly value: string
  readonly type: 'FULL_OBJECT' | 'COMPOSITE'
}

/** What a multipart upload was begun with. */
export interface FakeKept {
  readonly algorithm: FakeAlgorithm
  /** Undefined where the server knows no types; it is composite then. */
  readonly type: FakeChecksum['type'] | undefined
}

export const algorithmHeader = 'x-amz-checksum-algorithm'
export const typeHeader = 'x-amz-checksum-type'

export const headerOf = (algorithm: FakeAlgorithm) => `x-amz-checksum-${algorithm.toLowerCase()}`

/** The checksum a request has in its headers. */
export function sentChecksum(headers: IncomingHttpHeaders): FakeChecksum | undefined {
  for (const algorithm of algorithms) {
    const value = headers[headerOf(algorithm)]
    if (typeof value === 'string') return { algorithm, value, type: 'FULL_OBJECT' }
  }
  return undefined
}

/** A checksum of bytes that come piece by piece; the result in base64. */
export function runningChecksum(algorithm: FakeAlgorithm): {
  readonly update: (bytes: Uint8Array) => unknown
  readonly result: () => Promise<string>
} {
  if (algorithm === 'SHA256') {
    const hash = createHash('sha256')
    return { update: (bytes) => hash.update(bytes), result: async () => hash.digest('base64') }
  }
  const makers = { CRC32: () => new Crc32(), CRC32C: () => new Crc32cJs(), CRC64NVME: () => new Crc64NvmeJs() }
  const running = makers[algorithm]()
  return {
    update: (bytes) => running.update(bytes),
    result: async () => Buffer.from(await running.digest()).toString('base64'),
  }
}

/** In base64. */
function checksumOfBytes(algorithm: FakeAlgorithm, bytes: Uint8Array): Promise<string> {
  const running = runningChecksum(algorithm)
  running.update(bytes)
  return running.result()
}

export async function fullObjectOf(algorithm: FakeAlgorithm, bytes: Uint8Array): Promise<FakeChecksum> {
  return { algorithm, value: await checksumOfBytes(algorithm, bytes), type: 'FULL_OBJECT' }
}

/** Of an upload that is begun with these headers; undefined where it is begun without checksums. */
export function keptOf(headers: IncomingHttpHeaders, knowsTypes: boolean): FakeKept | undefined {
  const algorithm = algorithms.find((name) => name === headers[algorithmHeader])
  if (algorithm === undefined) return undefined
  if (!knowsTypes) return { algorithm, type: undefined }
  const asked = headers[typeHeader]
  const usual = algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE'
  return { algorithm, type: asked === 'FULL_OBJECT' || asked === 'COMPOSITE' ? asked : usual }
}

/** What is wrong with beginning an upload so. */
export function keptProblem(kept: FakeKept | undefined): WireAnswer | undefined {
  const isPossible =
    (kept?.algorithm !== 'SHA256' || kept.type !== 'FULL_OBJECT') &&
    (kept?.algorithm !== 'CRC64NVME' || kept.type !== 'COMPOSITE')
  if (isPossible) return undefined
  return s3Error(400, 'InvalidRequest', `The ${kept?.type} checksum type cannot be used with ${kept?.algorithm}.`)
}

/** What is wrong with sending a part with this checksum. */
export function partProblem(
  kept: FakeKept | undefined,
  { algorithm }: Partial<FakeChecksum> = {},
): WireAnswer | undefined {
  if (kept === undefined || algorithm === undefined || kept.algorithm === algorithm) return undefined
  const types = `expected checksum Type: ${kept.algorithm.toLowerCase()}, actual checksum Type: ${algorithm.toLowerCase()}`
  return s3Error(400, 'InvalidRequest', `Checksum Type mismatch occurred, ${types}`)
}

/** The checksum of parts' checksums. */
export async function compositeOf(algorithm: FakeAlgorithm, values: readonly string[]): Promise<FakeChecksum> {
  const all = Buffer.concat(values.map((value) => Buffer.from(value, 'base64')))
  return { algorithm, value: `${await checksumOfBytes(algorithm, all)}-${values.length}`, type: 'COMPOSITE' }
}

/** As fields of an answer's document. */
export function checksumElements(checksum: FakeChecksum | undefined, withType: boolean): Record<string, string> {
  if (checksum === undefined) return {}
  return { [`Checksum${checksum.algorithm}`]: checksum.value, ...(withType ? { ChecksumType: checksum.type } : {}) }
}
