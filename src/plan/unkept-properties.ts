import type { ObjectProperties } from '../destinations/destination.ts'

/** Properties that a destination's objects cannot have. */
export interface UnkeptProperties {
  /** What messages call the destination. */
  readonly where: string
  readonly names: ReadonlySet<keyof ObjectProperties>
}

/**
 * Tells of what a manifest says of files and their destination has no place for: each property once, however many files
 * it is about.
 */
export function createUnkeptNotes(
  lanes: readonly { readonly unkept?: UnkeptProperties | undefined }[],
  warn: (message: string) => void,
): (lane: number, properties: ObjectProperties) => void {
  const told = new Set<string>()
  return (lane, properties) => {
    const unkept = lanes[lane]?.unkept
    if (unkept === undefined) return
    for (const name of Object.keys(properties) as (keyof ObjectProperties)[]) {
      const message = `--files-from: ${name} has no effect for ${unkept.where}`
      if (!unkept.names.has(name) || told.has(message)) continue
      told.add(message)
      warn(message)
    }
  }
}
