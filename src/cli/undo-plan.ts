import { formatCount, oneLine } from '../observe/format.ts'
import { settledUrl } from '../observe/recorded-destinations.ts'
import type { RunRecord } from '../observe/records.ts'
import { placesText } from '../observe/start-line.ts'
import { objectUrl } from '../observe/verbose.ts'
import { printable } from '../printable.ts'
import type { Named, UndoPlan } from '../undo/plan.ts'

/** Names shown of each kind. */
const namesShown = 5

/** The plan as a short table: what would be done to how many, and the first of them. */
export function undoPlanText(plan: UndoPlan, { runId, startedAt, to, cwd }: RunRecord, all: boolean): string {
  const remove = plan.remove.filter(({ restores }) => !restores).map(({ object }) => named(object))
  const restore = plan.remove.filter(({ restores }) => restores).map(({ object }) => named(object))
  const uploads = plan.uploads.map((upload) => named(upload, 'half-sent upload'))
  const nameOf = namesIn(plan)
  const nameLine = (object: Named): string =>
    object.why === '' ? nameOf(object) : `${nameOf(object)}: ${oneLine(object.why)}`
  const rows: readonly (readonly [string, readonly Named[]])[] = [
    ['delete', remove],
    ['restore', restore],
    ['abort', uploads],
    ['leave', plan.leave],
    ['refuse', plan.refuse],
  ]
  const shown = rows.filter(([, objects]) => objects.length > 0)
  const width = Math.max(1, ...shown.map(([, objects]) => formatCount(objects.length).length))
  const lines = shown.flatMap(([action, objects]) => {
    const names = (all ? objects : objects.slice(0, namesShown)).map(nameLine)
    const more = objects.length - names.length
    if (more > 0) names.push(`… and ${formatCount(more)} more (-v or --json shows all)`)
    const head = `  ${action.padEnd(8)} ${formatCount(objects.length).padStart(width)}`
    return names.map((name, row) => `${row === 0 ? head : ' '.repeat(head.length)}   ${name}`)
  })
  const gone = plan.gone === 0 ? [] : [`  gone     ${formatCount(plan.gone).padStart(width)}   not there any more`]
  const own = settledUrl(to, cwd)
  // As it was named when the run began.
  const where = placesText(
    to,
    [...destinationsOf(plan)].map((url) => (url === own ? to : url)),
  )
  return [`Undo of run ${printable(runId)} (${startedAt}) → ${where}`, ...lines, ...gone, ''].join('\n')
}

/** The plan as JSON lines, one an object. */
export function* undoPlanRecords(plan: UndoPlan): Generator<object> {
  for (const { object, restores } of plan.remove) {
    const { key, destination } = object
    yield { type: 'undo-plan', key, destination, action: restores ? 'restore' : 'delete' }
  }
  for (const { key, destination, uploadId } of plan.uploads) {
    yield { type: 'undo-plan', key, destination, action: 'abort', uploadId }
  }
  for (const { key, destination, why } of plan.leave)
    yield { type: 'undo-plan', key, destination, action: 'leave', why }
  for (const { key, destination, why } of plan.refuse)
    yield { type: 'undo-plan', key, destination, action: 'refuse', why }
}

/** What messages call an object: its key or, where the plan is for several destinations, its URL. */
export function namesIn(plan: UndoPlan): (object: Pick<Named, 'destination' | 'key'>) => string {
  const isForSeveral = destinationsOf(plan).size > 1
  return ({ destination, key }) => printable(isForSeveral ? objectUrl(destination, key) : key)
}

function destinationsOf({ remove, leave, refuse, uploads }: UndoPlan): ReadonlySet<string> {
  const objects = [...remove.map(({ object }) => object), ...leave, ...refuse, ...uploads]
  return new Set(objects.map(({ destination }) => destination))
}

function named({ destination, key }: Pick<Named, 'destination' | 'key'>, why = ''): Named {
  return { destination, key, why }
}
