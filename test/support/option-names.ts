/** `partSize` → `--part-size`. Written from the documentation, so that it can disagree with the program. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** `partSize` → `UPLOAD_PART_SIZE`. */
export function variableOf(name: string): string {
  return `UPLOAD_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}
