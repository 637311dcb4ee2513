import { toUploadError, UploadError } from '../errors.ts'
import { lookBack, recall } from './already-sent.ts'
import type { Earlier } from './earlier.ts'
import { ownObject } from './existing/own-object.ts'
import type { FileWork } from './file-record.ts'
import type { OpenLane } from './lane.ts'
import { sendFile } from './send-file.ts'
import type { Settlement } from './settlement.ts'

/** What is done about a file whose turn it is, up to its settled fate. */
export interface FileCourse {
  /** In a slot. Never fails: what goes wrong is the file's fate. */
  send(work: FileWork, lane: OpenLane): Promise<void>
  /** It is not sent any more. */
  cancel(work: FileWork, lane: OpenLane): Promise<void>
}

/** @param earlier what has been done before of these files; undefined where all of them are new */
export function createFileCourse(settlement: Settlement, earlier: Earlier | undefined): FileCourse {
  /** A line that says `cancelled` would take the place of an earlier one that says that the file is there. */
  const cancel = async (work: FileWork, lane: OpenLane): Promise<void> => {
    const before = earlier && (await recall(work, earlier, lane))
    if (before === undefined) await settlement.cancelled(work)
    else if (before !== 'stands') await settlement.alreadyUploaded(work, before.done)
  }
  const failed = (work: FileWork, lane: OpenLane, error: UploadError): Promise<void> =>
    lane.signal.aborted ? cancel(work, lane) : settlement.failed(work, error)

  return {
    cancel,
    async send(work, lane) {
      if (lane.signal.aborted) return cancel(work, lane)
      if (earlier !== undefined && work.attempts === 0) {
        const before = await lookBack(work, earlier, lane).catch(toUploadError)
        if (before instanceof UploadError) return failed(work, lane, before)
        if (before !== undefined) return settlement.alreadyUploaded(work, before)
      }
      if (lane.ahead.asks(work)) {
        const met = await lane.ahead.look(work, earlier?.begunAtMs).catch(toUploadError)
        if (met instanceof UploadError) return failed(work, lane, met)
        if (met !== undefined && 'own' in met) return settlement.alreadyUploaded(work, { ...met.own, replaced: null })
        if (met !== undefined) return settlement.passedOver(work, met.passedOver)
      }
      const sent = await sendFile(work, lane).catch(toUploadError)
      const outcome = sent instanceof UploadError ? await ownObject(work, sent, lane).catch(toUploadError) : sent
      return outcome instanceof UploadError ? settlement.failed(work, outcome) : settlement.uploaded(work, outcome)
    },
  }
}
