/**
 * A key as a listing with `encoding-type=url` writes it: asked for so, since XML cannot hold every character. A space
 * may come as `+`.
 */
export function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '))
  } catch {
    return key
  }
}
