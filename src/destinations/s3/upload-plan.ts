const MiB = 2 ** 20

/** Smallest part but the last: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const minPartSize = 5 * MiB
export const maxParts = 10_000

/** How one object goes through lib-storage. */
export interface UploadPlan {
  /** Bytes; an object no larger goes as one PutObject. */
  readonly partSize: number
  /** Parts under way at once. */
  readonly queueSize: number
  /** Memory it takes at most, in bytes. */
  readonly memory: number
}

/**
 * How an object of `size` bytes is sent: as one request up to `threshold`, in parts above.
 *
 * lib-storage holds each part it is sending, and the next one it is collecting twice: as the pieces read and as the
 * buffer made of them.
 *
 * @param budget memory for all uploads together, in bytes
 */
export function planUpload(
  size: number,
  wanted: { readonly partSize: number; readonly threshold: number; readonly requests: number },
  budget: number,
): UploadPlan {
  if (size <= wanted.threshold) return { partSize: Math.max(size, minPartSize), queueSize: 1, memory: 2 * size }
  const partSize = Math.max(wanted.partSize, minPartSize, Math.ceil(size / maxParts))
  const fitting = Math.floor(budget / partSize) - 1
  const queueSize = Math.max(1, Math.min(wanted.requests, Math.ceil(size / partSize), fitting))
  return { partSize, queueSize, memory: Math.min((queueSize + 1) * partSize, 2 * size) }
}
