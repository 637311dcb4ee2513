import type { ErrorCode } from '../errors.ts'
import type { FileRecord } from '../observe/records.ts'
import type { Side } from './side.ts'

/** Files that take about as long: durations are compared within a class only. */
export const sizeClasses = ['64KiB', '1MiB', '16MiB', 'larger'] as const

export type SizeClass = (typeof sizeClasses)[number]

/** What a file says of the side it was given to. */
export interface Outcome {
  /** The stage it is counted in, by its percentage. */
  readonly stage: number
  readonly side: Side
  readonly isSuccess: boolean
  /** Bytes that arrived; 0 for a failure. */
  readonly bytes: number
  readonly sizeClass: SizeClass
  /** Milliseconds it took; undefined for a failure. */
  readonly durationMs: number | undefined
  /** When it was begun, as records have it: ISO-8601 UTC, of which the order is that of its letters. */
  readonly beganAt: string
}

/** Of a time in a record, `2026-11-20T02:00:00.000Z`: to parse each would cost more than all the rest of counting. */
const lengthOfTime = 24

/** Failures that lie with the file, with the key it was to have, or with whoever stopped the run. */
const ownFault: ReadonlySet<ErrorCode> = new Set([
  'SOURCE_NOT_FOUND',
  'SOURCE_UNREADABLE',
  'SOURCE_CHANGED',
  'TOO_LARGE',
  'TOO_SMALL',
  'TYPE_NOT_ALLOWED',
  'KEY_INVALID',
  'ALREADY_EXISTS',
  'CANCELLED',
  'HALTED',
])

/**
 * What a file's line counts for in a rollout; `undefined` where it counts for neither side. It goes by the line alone,
 * so that everything a rollout has counted can be counted again from the reports.
 */
export function outcomeOf(record: FileRecord): Outcome | undefined {
  const { stage, startedAt } = record
  const result = resultOf(record)
  if (result === undefined || stage === undefined || startedAt === null) return undefined
  const bytes = record.size ?? record.bytesSent
  const isSuccess = result === 'success'
  return {
    stage,
    side: countedSide(record),
    isSuccess,
    bytes: isSuccess ? bytes : 0,
    sizeClass: sizeClassOf(bytes),
    durationMs: isSuccess ? (record.durationMs ?? 0) : undefined,
    beganAt: startedAt,
  }
}

/** Whether a file counts as a success or a failure of {@link countedSide}; `undefined` where it counts for neither. */
export function resultOf(record: FileRecord): 'success' | 'failure' | undefined {
  const { stage, side, fallback, status, startedAt, error } = record
  if (stage === undefined || side === undefined || startedAt?.length !== lengthOfTime) return undefined
  // Cut before the baseline had its turn: whatever ended the run, or keeps both sides from being reached, may be at fault.
  if (fallback !== undefined) return status === 'cancelled' || ownFault.has(fallback.error.code) ? undefined : 'failure'
  if (status === 'uploaded' || status === 'undone') return 'success'
  if (status !== 'failed' || record.attempts === 0) return undefined
  return error !== undefined && ownFault.has(error.code) ? undefined : 'failure'
}

/** The baseline gets no credit for a file that fell back: it has not had it to begin with. */
export function countedSide({ side, fallback }: FileRecord): Side {
  return side === 'candidate' || fallback !== undefined ? 'candidate' : 'baseline'
}

/** @param size in bytes */
export function sizeClassOf(size: number): SizeClass {
  if (size <= 65_536) return '64KiB'
  if (size <= 1_048_576) return '1MiB'
  return size <= 16_777_216 ? '16MiB' : 'larger'
}
