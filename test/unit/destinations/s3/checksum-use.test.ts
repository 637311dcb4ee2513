import { expect, it } from 'vitest'
import { createChecksumUse } from '../../../../src/destinations/s3/checksum-use.ts'

function answered(status: number, name: string, message: string): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } })
}

it.each([
  [501, 'NotImplemented', "Header 'x-amz-checksum-crc32' with value 'yZRlqg==' not implemented"],
  [501, 'NotImplemented', 'A header you provided implies functionality: x-amz-sdk-checksum-algorithm'],
  [400, 'InvalidArgument', 'Unsupported header x-amz-checksum-crc32 received for this API call.'],
  [400, 'InvalidRequest', 'CRC-32 checksums are not supported'],
  [400, 'UnsupportedChecksumAlgorithm', 'Said by the server.'],
])('%i %s: %s', (status, name, message) => {
  let told = 0
  const use = createChecksumUse(() => {
    told += 1
  })
  expect(use.isOn()).toBe(true)
  expect(use.isRefusedBy(answered(status, name, message))).toBe(true)
  expect(use.isRefusedBy(answered(status, name, message))).toBe(true)
  expect(use.isOn()).toBe(false)
  expect(told).toBe(1)
})

it.each([
  ['bytes that did not arrive whole', answered(400, 'BadDigest', 'The CRC32 you specified did not match')],
  ['the same', answered(400, 'BadDigest', "The x-amz-checksum-crc32 you specified didn't match what we received.")],
  ['the same', answered(400, 'XAmzContentChecksumMismatch', 'The provided checksum does not match')],
  ['another status', answered(403, 'AccessDenied', 'x-amz-checksum-crc32')],
  ['a failure of the server', answered(500, 'InternalError', 'checksum')],
  ['another refusal', answered(400, 'InvalidArgument', 'Unsupported header x-amz-tagging')],
  ['another header that is not known', answered(501, 'NotImplemented', 'A header you provided is not implemented.')],
  ['no answer', Object.assign(new Error('checksum'), { code: 'ECONNRESET' })],
  ['no error at all', 'checksum'],
])('is no refusal: %s', (_, error) => {
  const use = createChecksumUse(() => {
    throw new Error('told of a refusal')
  })
  expect(use.isRefusedBy(error)).toBe(false)
  expect(use.isOn()).toBe(true)
})
