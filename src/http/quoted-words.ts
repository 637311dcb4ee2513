/** One short line of a server's own words: a signed URL or a control character must not get through. */
export function quotedWords(text: string): string {
  const oneLine = text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/(\bhttps?:\/\/)[^\s"'<>]*@/gi, '$1')
    .replace(/(\bhttps?:\/\/[^\s?"'<>]*)\?[^\s"'<>]*/gi, '$1')
    .trim()
  return oneLine.length > 200 ? `${oneLine.slice(0, 199)}…` : oneLine
}
