import { displayWidth, fitName } from '../format.ts'

/**
 * What names a file in its row: the end that its path and its key have in common, which is the path relative to its
 * base. Where a key template leaves nothing in common: the path.
 */
export function fileLabel(path: string, key: string): string {
  const fromPath = path.normalize('NFC').replaceAll('\\', '/').split('/')
  const fromKey = key.split('/')
  let common = 0
  while (common < fromKey.length && common < fromPath.length && fromPath.at(-1 - common) === fromKey.at(-1 - common)) {
    common += 1
  }
  return common > 0 ? fromKey.slice(-common).join('/') : path.replace(/^\.\//, '')
}

/** A relative path in exactly `width` columns: leading folders go first (`…/`), then the middle of the name. */
export function fitLabel(label: string, width: number): string {
  if (displayWidth(label) <= width) return fitName(label, width)
  let short = label
  for (let slash = label.indexOf('/'); slash >= 0; slash = label.indexOf('/', slash + 1)) {
    short = `…${label.slice(slash)}`
    if (displayWidth(short) <= width) return fitName(short, width)
  }
  return fitName(label.slice(label.lastIndexOf('/') + 1), width)
}
