import { expect, it } from 'vitest'
import type { FileRecord, JournalRecord } from '../../../../src/observe/records.ts'
import { withoutSuperseded } from '../../../../src/observe/report/undone.ts'
import { fileRecord } from '../events.ts'

async function kept(...records: readonly JournalRecord[]): Promise<readonly JournalRecord[]> {
  const left: JournalRecord[] = []
  async function* read() {
    yield records
  }
  for await (const batch of withoutSuperseded(read)) left.push(...batch)
  return left
}

const at = (destination: string, status: FileRecord['status']): FileRecord => fileRecord({ destination, status })

it('leaves out the line of an upload that was taken back, and not that of its twin at another destination', async () => {
  const [here, there, undone] = [at('s3://a/', 'uploaded'), at('s3://b/', 'uploaded'), at('s3://a/', 'undone')]
  expect(await kept(here, there, undone)).toEqual([there, undone])
  expect(await kept(here, there)).toEqual([here, there])
})
