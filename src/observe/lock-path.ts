/** The directory that stands for a journal's lock, beside it. */
export function lockPathOf(journalPath: string): string {
  return `${journalPath}.lock`
}
