import { hash } from 'node:crypto'
import type { ObjectInfo } from '../../destinations/destination.ts'
import { partsOfEtag, plainEtag } from '../../destinations/etag.ts'

/**
 * What a listing said of objects, by their keys, in some 60 bytes an object, so that a million of them are no matter:
 * size, time, and an ETag that is made of MD5 sums; any other says nothing of the bytes, and is left out.
 *
 * A key is known again by 128 bits of its SHA-256. That two keys share them does not happen by chance (for a million
 * files among a billion objects, once in 10^23 runs), nor can anybody find two that do: what is found is the key's own,
 * and a file is never passed over for the object of another.
 */
export interface ObjectIndex {
  /** The last that is said of a key counts. */
  add(object: ObjectInfo): void
  find(key: string): ObjectInfo | undefined
}

/** Objects that memory is taken for at a time: nothing is copied where there come to be more. */
const pageLength = 4096

interface Page {
  /** Four words a key. */
  readonly keys: Uint32Array
  readonly sizes: Float64Array
  /** Milliseconds since the epoch; NaN where none was told. */
  readonly times: Float64Array
  /** 16 bytes an ETag. */
  readonly sums: Buffer
  /** What kind of ETag it is: 0 none, 1 the MD5 sum of the bytes, else that of so many parts less one. */
  readonly kinds: Uint16Array
}

export function createObjectIndex(): ObjectIndex {
  const pages: Page[] = []
  let size = 0
  /** Open addressing; each place holds the number of an object, from 1. */
  let places = new Uint32Array(1024)

  const pageOf = (entry: number): Page => pages[Math.floor(entry / pageLength)] as Page

  /** Index of the key's place, or of the free one it belongs in. */
  const placeOf = (digest: Buffer): number => {
    const mask = places.length - 1
    let place = digest.readUInt32LE(0) & mask
    for (let held = places[place]; held !== 0 && held !== undefined; held = places[place]) {
      if (isKey(pageOf(held - 1).keys, ((held - 1) % pageLength) * 4, digest)) break
      place = (place + 1) & mask
    }
    return place
  }

  const grow = (): void => {
    const old = places
    places = new Uint32Array(old.length * 2)
    const mask = places.length - 1
    for (const held of old) {
      if (held === 0) continue
      const word = pageOf(held - 1).keys[((held - 1) % pageLength) * 4] as number
      let place = word & mask
      while (places[place] !== 0) place = (place + 1) & mask
      places[place] = held
    }
  }

  return {
    add({ key, size: bytes, lastModified, etag }) {
      const digest = digestOf(key)
      const place = placeOf(digest)
      const known = places[place] as number
      const entry = known === 0 ? size : known - 1
      if (entry === pages.length * pageLength) pages.push(newPage())
      const page = pageOf(entry)
      const at = entry % pageLength
      for (let word = 0; word < 4; word += 1) page.keys[at * 4 + word] = digest.readUInt32LE(word * 4)
      page.sizes[at] = bytes
      page.times[at] = lastModified?.getTime() ?? Number.NaN
      const kind = kindOf(etag)
      page.kinds[at] = kind
      if (kind > 0) page.sums.write(plainEtag(etag)?.slice(0, 32) ?? '', at * 16, 'hex')
      if (known !== 0) return
      size += 1
      places[place] = size
      if (size * 4 > places.length * 3) grow()
    },

    find(key) {
      const held = places[placeOf(digestOf(key))] as number
      if (held === 0) return undefined
      const page = pageOf(held - 1)
      const at = (held - 1) % pageLength
      const time = page.times[at] as number
      const kind = page.kinds[at] as number
      const sum = page.sums.toString('hex', at * 16, at * 16 + 16)
      return {
        key,
        size: page.sizes[at] as number,
        etag: kind === 0 ? undefined : `"${sum}${kind === 1 ? '' : `-${kind - 1}`}"`,
        lastModified: Number.isNaN(time) ? undefined : new Date(time),
      }
    },
  }
}

function newPage(): Page {
  return {
    keys: new Uint32Array(pageLength * 4),
    sizes: new Float64Array(pageLength),
    times: new Float64Array(pageLength),
    sums: Buffer.allocUnsafeSlow(pageLength * 16),
    kinds: new Uint16Array(pageLength),
  }
}

function digestOf(key: string): Buffer {
  return hash('sha256', key, 'buffer')
}

function isKey(keys: Uint32Array, at: number, digest: Buffer): boolean {
  for (let word = 0; word < 4; word += 1) if (keys[at + word] !== digest.readUInt32LE(word * 4)) return false
  return true
}

function kindOf(etag: string | undefined): number {
  if (/^[0-9a-f]{32}$/.test(plainEtag(etag) ?? '')) return 1
  const parts = partsOfEtag(etag)
  return parts === undefined || parts > 10_000 ? 0 : parts + 1
}
