import { expect, it } from 'vitest'
import { planUpload } from '../../../../src/destinations/s3/upload-plan.ts'

const MiB = 2 ** 20
const wanted = { partSize: 8 * MiB, threshold: 16 * MiB, requests: 4 }

it.each([
  ['an empty object', 0, wanted, { partSize: 5 * MiB, queueSize: 1, memory: 0 }],
  ['the threshold exactly', 16 * MiB, wanted, { partSize: 16 * MiB, queueSize: 1, memory: 32 * MiB }],
  ['a byte above', 16 * MiB + 1, wanted, { partSize: 8 * MiB, queueSize: 3, memory: 32 * MiB }],
  ['many parts', 500 * MiB, wanted, { partSize: 8 * MiB, queueSize: 4, memory: 40 * MiB }],
  [
    'parts smaller than S3 takes',
    100 * MiB,
    { ...wanted, partSize: MiB },
    { partSize: 5 * MiB, queueSize: 4, memory: 25 * MiB },
  ],
  [
    'more slots than memory',
    5000 * MiB,
    { ...wanted, requests: 256 },
    { partSize: 8 * MiB, queueSize: 31, memory: 256 * MiB },
  ],
  [
    'parts larger than the memory',
    5000 * MiB,
    { ...wanted, partSize: 500 * MiB },
    { partSize: 500 * MiB, queueSize: 1, memory: 1000 * MiB },
  ],
  ['no slot', 500 * MiB, { ...wanted, requests: 0 }, { partSize: 8 * MiB, queueSize: 1, memory: 16 * MiB }],
])('%s', (_, size, options, expected) => {
  expect(planUpload(size, options, 256 * MiB)).toEqual(expected)
})

it('keeps within ten thousand parts', () => {
  const size = 200_000 * MiB + 1
  const { partSize } = planUpload(size, wanted, 256 * MiB)
  expect(Math.ceil(size / partSize)).toBeLessThanOrEqual(10_000)
})
