import { formatCount, formatPercent, formatRate, formatRemaining, formatSize, formatSizeOf } from '../format.ts'
import { fractionDone, type Progress } from '../progress.ts'
import type { Note, RowView, TotalView } from './layout.ts'
import type { Outcome, Slot } from './slots.ts'

const outcomes: Readonly<Record<Outcome, Note>> = {
  uploaded: { text: 'done', short: 'done', tone: 'good' },
  skipped: { text: 'skipped', short: 'skip', tone: 'dim' },
  failed: { text: 'failed', short: 'fail', tone: 'bad' },
  cancelled: { text: 'cancelled', short: 'stop', tone: 'warn' },
  undone: { text: 'undone', short: 'undo', tone: 'warn' },
  deferred: { text: 'again later', short: 'wait', tone: 'warn' },
}

/** What a file's row says at `now`. */
export function fileView(slot: Slot, now: number): RowView {
  const { file, outcome, labelWidth } = slot
  const { size, parts } = file
  const done = outcome?.status === 'uploaded'
  const sent = done ? (size ?? file.sent) : file.sent
  const rate = slot.meter.update(now, file.sentInAll)
  const known = size !== undefined
  const fraction = done ? 1 : size ? Math.min(1, sent / size) : undefined
  return {
    labelWidth,
    label: slot.label,
    fraction,
    percent: fraction === undefined ? '' : formatPercent(fraction),
    size: known ? formatSizeOf(sent, size) : formatSize(sent),
    rate: file.sentInAll > 0 ? formatRate(rate) : '',
    remaining: known && rate > 0 ? formatRemaining(Math.max(0, size - sent) / rate) : '',
    tail: parts !== undefined && parts > 1 ? `part ${Math.min(file.partsDone, parts)}/${parts}` : '',
    note: outcome !== undefined ? outcomes[outcome.status] : retryNote(file.retryAt, now),
  }
}

/** What the last row says, of the run as a whole. */
export function totalView(progress: Progress, rate: number, secondsLeft: number): TotalView {
  const about = progress.complete ? '' : '~'
  const bytes = Math.max(progress.bytes + progress.bytesUnforeseen, progress.bytesDone)
  const fraction = fractionDone(progress)
  const files = formatCount(progress.files)
  const { retries } = progress
  return {
    labelWidth: 'total'.length,
    label: (width) => 'total'.slice(0, width).padEnd(width),
    fraction,
    percent: `${about}${formatPercent(fraction)}`,
    files: `${formatCount(progress.filesDone).padStart(files.length)}/${about}${files} files`,
    size: formatSizeOf(progress.bytesDone, bytes, !progress.complete),
    rate: formatRate(rate),
    remaining: formatRemaining(secondsLeft),
    tail: retries > 0 ? `${formatCount(retries)} ${retries === 1 ? 'retry' : 'retries'}` : '',
  }
}

function retryNote(retryAt: number | undefined, now: number): Note | undefined {
  if (retryAt === undefined) return undefined
  const seconds = (retryAt - now) / 1000
  return { text: seconds > 0 ? `retry in ${formatRemaining(seconds)}` : 'retrying', short: 'wait', tone: 'warn' }
}
