import type { Checksum, ObjectInfo } from '../destinations/destination.ts'
import { plainEtag } from '../destinations/etag.ts'

/** What is known of an object from when it was sent. */
export interface SentObject {
  readonly size: number
  readonly etag?: string | undefined
  readonly checksum?: Checksum | undefined
}

/** How an object differs from what was sent; `values` as they are to be shown. */
export interface Difference {
  readonly what: 'missing' | 'size' | 'checksum' | 'etag'
  readonly expected?: string | undefined
  readonly found?: string | undefined
}

/** What was compared: the strongest that both sides have. */
export type Compared = 'checksum' | 'etag' | 'size'

/**
 * Compares an object with what was sent: size first, then the checksum of its bytes, where both sides have one by the
 * same algorithm, or else its ETag, which changes with every byte but says nothing by itself.
 */
export function compareObject(
  sent: SentObject,
  found: ObjectInfo | undefined,
): { readonly compared: Compared; readonly difference?: Difference } {
  if (found === undefined) return { compared: 'size', difference: { what: 'missing' } }
  if (found.size !== sent.size) return differ('size', `${sent.size} bytes`, `${found.size} bytes`)
  const [before, now] = [sent.checksum, found.checksum]
  if (before !== undefined && before.algorithm === now?.algorithm) {
    return before.value === now.value
      ? { compared: 'checksum' }
      : differ('checksum', `${before.algorithm} ${before.value}`, `${now.algorithm} ${now.value}`)
  }
  const [was, is] = [plainEtag(sent.etag), plainEtag(found.etag)]
  if (was === undefined || is === undefined) return { compared: 'size' }
  return was === is ? { compared: 'etag' } : differ('etag', was, is)
}

function differ(
  what: Compared,
  expected: string,
  found: string,
): { readonly compared: Compared; readonly difference: Difference } {
  return { compared: what, difference: { what, expected, found } }
}
