import type { RecordedObject, RecordedRun, StartedUpload } from './read-run.ts'

/** What a run made at one of its destinations. */
export type RunPart = Pick<RecordedRun, 'objects' | 'unfinished'>

interface Part {
  readonly objects: Map<string, RecordedObject>
  readonly unfinished: StartedUpload[]
}

/** What a run made, by the URL of the destination, those first that were sent to first. */
export function byDestination({ objects, unfinished }: RunPart): ReadonlyMap<string, RunPart> {
  const parts = new Map<string, Part>()
  const partAt = (destination: string): Part => {
    const part = parts.get(destination) ?? { objects: new Map(), unfinished: [] }
    parts.set(destination, part)
    return part
  }
  for (const [spot, object] of objects) partAt(object.destination).objects.set(spot, object)
  for (const upload of unfinished) partAt(upload.destination).unfinished.push(upload)
  return parts
}
