import type { JournalRecord, RunRecord, SummaryRecord } from '../records.ts'

/** One document, `{run, files: […], summary}`, a file a line; null where the journal lacks run or summary. */
export async function* jsonText(batches: AsyncIterable<readonly JournalRecord[]>): AsyncGenerator<string> {
  let run: RunRecord | null = null
  let summary: SummaryRecord | null = null
  let files = 0
  const head = (): string => `{"run":${JSON.stringify(run)},\n"files":[`
  for await (const records of batches) {
    let text = ''
    for (const record of records) {
      if (record.type === 'run') {
        run = record
      } else if (record.type === 'summary') {
        summary = record
      } else {
        text += `${files === 0 ? head() : ','}\n${JSON.stringify(record)}`
        files += 1
      }
    }
    yield text
  }
  yield `${files === 0 ? head() : '\n'}],\n"summary":${JSON.stringify(summary)}}\n`
}
