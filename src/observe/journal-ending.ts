import { open } from 'node:fs/promises'
import { type ErrorCode, errorKinds } from '../errors.ts'
import type { SummaryRecord } from './records.ts'

/** Bytes that a summary line certainly fits in. */
const longestSummary = 2 ** 16

/**
 * Whether an invocation left something for `--resume` to do: it was stopped, could not go on, was halted, or failed at
 * files that may well succeed another time.
 */
export function isResumable({ exitCode, byErrorCode }: Pick<SummaryRecord, 'exitCode' | 'byErrorCode'>): boolean {
  if (exitCode === 0) return false
  const codes = Object.keys(byErrorCode ?? {}) as ErrorCode[]
  return exitCode !== 1 || codes.some((code) => errorKinds[code]?.retryable)
}

/**
 * Whether a journal's run can be gone on with: it ends without a summary, or with one that left something to do.
 *
 * @throws the file system's error where it cannot be read.
 */
export async function isUnfinished(journalPath: string): Promise<boolean> {
  try {
    const record = JSON.parse(await lastLine(journalPath)) as Partial<SummaryRecord>
    if (record.type !== 'summary' || record.exitCode === undefined) return true
    return isResumable({ exitCode: record.exitCode, byErrorCode: record.byErrorCode ?? {} })
  } catch (error) {
    if (error instanceof SyntaxError) return true
    throw error
  }
}

async function lastLine(path: string): Promise<string> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const length = Math.min(size, longestSummary)
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length)
    return buffer.toString('utf8').trimEnd().split('\n').pop() ?? ''
  } finally {
    await file.close()
  }
}
