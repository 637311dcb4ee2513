import type { UploadError } from '../errors.ts'
import type { RecordedObject, RecordedRun, StartedUpload, Unsure } from './read-run.ts'

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

/**
 * Whether there is nothing to be taken back at a destination that cannot be asked: there is no bucket, and nothing is
 * known to have arrived in one, or it has refused all that was sent.
 */
export function isNowhere({ objects, unfinished }: RunPart, { code }: Pick<UploadError, 'code'>): boolean {
  const all = [...objects.values()]
  if (unfinished.length > 0 || all.some(({ uploaded }) => uploaded !== undefined)) return false
  return code === 'BUCKET_NOT_FOUND' || all.every(({ unsure }) => unsure === undefined || isRefused(unsure))
}

/** The only request was answered: no, and it will be no another time. After several, nobody knows how the others ended. */
function isRefused({ attempts, error }: Unsure): boolean {
  const { status = 0, retryable = true } = error ?? {}
  return attempts === 1 && !retryable && status >= 400 && status < 500
}
