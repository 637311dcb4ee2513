/** `text/csv` of `text/csv; charset=utf-8`. */
export function withoutParameters(type: string): string {
  return type.replace(/\s*;.*$/s, '')
}
