import { expect, it } from 'vitest'
import { createChecksumUse, refusesPartChecksum } from '../../../../src/destinations/s3/checksum-use.ts'

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
  const use = createChecksumUse('auto', () => {
    told += 1
  })
  expect(use.algorithm()).toBe('crc32')
  expect(use.isRefusedBy(answered(status, name, message))).toBe(true)
  expect(use.isRefusedBy(answered(status, name, message))).toBe(true)
  expect(use.algorithm()).toBeUndefined()
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
  const use = createChecksumUse('auto', () => {
    throw new Error('told of a refusal')
  })
  expect(use.isRefusedBy(error)).toBe(false)
  expect(use.algorithm()).toBe('crc32')
})

it.each(['crc32', 'crc32c', 'crc64nvme', 'sha256'] as const)('a choice made by name is kept: %s', (choice) => {
  let told = 0
  const use = createChecksumUse(choice, () => {
    told += 1
  })
  for (const _ of [1, 2]) {
    expect(use.isRefusedBy(answered(501, 'NotImplemented', `x-amz-checksum-${choice}`))).toBe(false)
  }
  expect(use.algorithm()).toBe(choice)
  expect(told).toBe(1)
})

it('none is none', () => {
  expect(createChecksumUse('none', () => {}).algorithm()).toBeUndefined()
})

it.each([
  [true, 'Checksum Type mismatch occurred, expected checksum Type: null, actual checksum Type: crc32'],
  [false, 'The CRC32 you specified did not match'],
])('a part has a checksum its upload was not begun with: %s, where the server says: %s', (isSaid, message) => {
  expect(refusesPartChecksum(answered(400, 'InvalidRequest', message))).toBe(isSaid)
})
