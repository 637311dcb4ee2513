const sizeUnits: readonly string[] = ['B', 'kB', 'MB', 'GB', 'TB']

/** Cells of the rows of `upload rollout status`, by their labels; what stands between two cells are columns of blanks. */
export function tableRows(table: string): ReadonlyMap<string, readonly string[]> {
  return new Map(
    table
      .split('\n')
      .filter((line) => line.startsWith('  '))
      .map((line) => {
        const [label = '', ...cells] = line.trim().split(/ {2,}/)
        return [label, cells] as const
      }),
  )
}

/**
 * Whether a number as people see it is the exact one: counts as they are, shares rounded to a hundredth of a percent or to
 * a whole one, sizes and times to the digits that are shown.
 */
export function within(shown: string, exact: number): boolean {
  const [text = '', unit = ''] = shown.split(' ')
  const value = Number(text.replaceAll(',', ''))
  if (text === '') return false
  if (unit === '') return value === exact
  const digit = 10 ** -(text.split('.')[1]?.length ?? 0)
  // Rounded down or up, as is due.
  if (unit === '%') return Math.abs(value - exact * 100) <= 1
  const scale = unit === 'ms' ? 1 : unit === 's' ? 1000 : 1000 ** sizeUnits.indexOf(unit)
  return Math.abs(value - exact / scale) <= digit / 2 + 1e-9
}
