import type { Settings } from '../config/settings.ts'
import type { ObjectProperties } from '../destinations/destination.ts'
import { UploadError } from '../errors.ts'
import { type Choice, createChooser, type OwnProperties } from './choose.ts'
import { contentTypeByName } from './content-type.ts'
import { createSideChooser, keyAt, keyFault, type PlanSides } from './file-sides.ts'
import { compileKeyTemplate, namesContent } from './keys/key-template.ts'
import type { KeyTemplate, TemplateRun } from './keys/key-tokens.ts'
import { baseNameOf, normalizeName } from './keys/object-key.ts'
import { isSent, type OnBaseline, type PlannedFile } from './planned-file.ts'
import type { Examined } from './sources/examine.ts'
import type { UnkeptProperties } from './unkept-properties.ts'

/** Where some of a run's files go, as far as their names are concerned. */
export interface PlanLane {
  /** The bucket, with a `/` at its end: two files of which this and the key together are the same would be one object. */
  readonly place: string
  /** What every key begins with: `''` or ending in `/`. */
  readonly prefix: string
  /** The destination's own rule for (full) keys. */
  readonly keyProblem: (key: string) => string | undefined
  /** What follows the prefix, changed so that the destination can hold it; undefined where keys are to stay as they are. */
  readonly fixName?: ((name: string) => string) | undefined
  /** What its objects cannot have; undefined where they can have all. */
  readonly unkept?: UnkeptProperties | undefined
}

export interface PlanFileOptions extends PlanSides {
  readonly settings: Pick<Settings, 'flatten' | 'key' | 'contentType' | 'properties' | 'rules' | 'routes' | 'rollout'>
  /** The run's own, then that of each route, then those of candidates. */
  readonly lanes: readonly PlanLane[]
  /** The run that keys are made for: another one, once it is found that an earlier one is continued. */
  readonly run: () => TemplateRun
  /** For `{uuid}`: another one for each index. */
  readonly uuid: (index: number) => string
}

/** Gives a file its names, its key, what rules and routes say of it, and its side of a rollout. */
export function createFilePlanner(options: PlanFileOptions): (examined: Examined, index: number) => PlannedFile {
  const { settings, lanes, run, uuid } = options
  const template: KeyTemplate | undefined = settings.key === undefined ? undefined : compileKeyTemplate(settings.key)
  const readsContent = settings.key !== undefined && namesContent(settings.key)
  const { choose, merged } = createChooser(settings)
  const sideOf = createSideChooser(lanes, options)
  const candidates = settings.rollout?.candidates ?? []
  const wayBy = (lane: number, name: string, properties: ObjectProperties): OnBaseline => {
    const planLane = lanes[lane] as PlanLane
    const key = keyAt(planLane, name)
    const wished = planLane.fixName === undefined ? key : planLane.prefix + name
    return { lane, key, originalKey: key === wished ? undefined : wished, properties }
  }
  const candidateWay = ({ lane, rule }: Choice, name: string, own: OwnProperties | undefined): OnBaseline => {
    const general = candidates[lane] as Settings
    return wayBy(options.candidateOf?.[lane] as number, name, merged(general.properties, rule, own))
  }
  const plan = (examined: Examined, index: number, sha256?: string): PlannedFile => {
    const { candidate, size, mtimeMs, problem } = examined
    const source = normalizeName(candidate.name)
    const placed = settings.flatten ? baseNameOf(source) : source
    const { own } = candidate
    const templated = template?.({ source: placed, index, size, mtimeMs, sha256, run: run(), uuid })
    const name = normalizeName(own?.key ?? templated ?? placed)
    const usualType = settings.contentType ?? contentTypeByName(candidate.kind === 'stdin' ? name : candidate.path)
    const chosen = choose({ source, size, contentType: usualType, own })
    const { lane, isSkipped } = chosen
    const baseline = wayBy(lane, name, chosen.properties)
    const fault = problem === undefined ? keyFault(lanes[lane] as PlanLane, baseline.key) : undefined
    const isSendable = problem === undefined && fault === undefined && !isSkipped
    const side = isSendable ? sideOf(lane, source, name) : undefined
    const way = side === 'candidate' ? candidateWay(chosen, name, own) : baseline
    return {
      index,
      path: candidate.path,
      absolute: candidate.absolute,
      source,
      key: way.key,
      originalKey: way.originalKey,
      size,
      mtimeMs,
      contentType: chosen.contentType,
      properties: way.properties,
      lane: way.lane,
      side,
      onBaseline: way === baseline ? undefined : baseline,
      decidedBy: chosen.decidedBy,
      skip: isSkipped && problem === undefined ? 'excluded-by-rule' : undefined,
      problem: fault === undefined || isSkipped ? problem : new UploadError('KEY_INVALID', fault),
      ...(candidate.kind === 'missing' ? { missing: true } : {}),
    }
  }
  return (examined, index) => {
    const file = plan(examined, index)
    if (!readsContent || examined.candidate.own?.key !== undefined || !isSent(file)) return file
    return {
      ...file,
      onceRead: ({ sha256, ...facts }) => plan({ ...examined, ...facts }, index, sha256),
    }
  }
}
