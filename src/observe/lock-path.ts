/** The directory that stands for the lock of a journal, or of a rollout's state, beside it. */
export function lockPathOf(path: string): string {
  return `${path}.lock`
}
