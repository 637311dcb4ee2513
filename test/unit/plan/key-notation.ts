/** The name that a key stands for which was changed by `--key-fix`: what it promises can be done. */
export function nameOfKey(key: string): string {
  const bytes: number[] = []
  for (let at = 0; at < key.length; ) {
    const inNotation = /^=([\dA-F]{2})/.exec(key.slice(at, at + 3))
    if (inNotation !== null) {
      bytes.push(Number.parseInt(inNotation[1] ?? '', 16))
      at += 3
    } else {
      const character = String.fromCodePoint(key.codePointAt(at) as number)
      bytes.push(...Buffer.from(character))
      at += character.length
    }
  }
  return Buffer.from(bytes).toString('utf8')
}
