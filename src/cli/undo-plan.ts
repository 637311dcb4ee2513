import { formatCount, oneLine } from '../observe/format.ts'
import type { RunRecord } from '../observe/records.ts'
import { printable } from '../printable.ts'
import type { Named, UndoPlan } from '../undo/plan.ts'

/** Names shown of each kind. */
const namesShown = 5

/** The plan as a short table: what would be done to how many, and the first of them. */
export function undoPlanText(plan: UndoPlan, { runId, startedAt, to }: RunRecord, all: boolean): string {
  const remove = plan.remove.filter(({ restores }) => !restores).map(({ object }) => ({ key: object.key, why: '' }))
  const restore = plan.remove.filter(({ restores }) => restores).map(({ object }) => ({ key: object.key, why: '' }))
  const uploads = plan.uploads.map(({ key }) => ({ key, why: 'half-sent upload' }))
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
  return [`Undo of run ${printable(runId)} (${startedAt}) → ${printable(to)}`, ...lines, ...gone, ''].join('\n')
}

/** The plan as JSON lines, one an object. */
export function* undoPlanRecords(plan: UndoPlan): Generator<object> {
  for (const { object, restores } of plan.remove) {
    yield { type: 'undo-plan', key: object.key, action: restores ? 'restore' : 'delete' }
  }
  for (const { key, uploadId } of plan.uploads) yield { type: 'undo-plan', key, action: 'abort', uploadId }
  for (const { key, why } of plan.leave) yield { type: 'undo-plan', key, action: 'leave', why }
  for (const { key, why } of plan.refuse) yield { type: 'undo-plan', key, action: 'refuse', why }
}

function nameLine({ key, why }: Named): string {
  return why === '' ? printable(key) : `${printable(key)}: ${oneLine(why)}`
}
