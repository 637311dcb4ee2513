import type { Settings } from '../config/settings.ts'
import { UploadError } from '../errors.ts'
import { createChooser } from './choose.ts'
import { contentTypeByName } from './content-type.ts'
import { compileKeyTemplate, namesContent } from './keys/key-template.ts'
import type { KeyTemplate, TemplateRun } from './keys/key-tokens.ts'
import { baseNameOf, keyProblem, normalizeName } from './keys/object-key.ts'
import { isSent, type PlannedFile } from './planned-file.ts'
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

export interface PlanFileOptions {
  readonly settings: Pick<Settings, 'flatten' | 'key' | 'contentType' | 'properties' | 'rules' | 'routes'>
  /** The run's own, then that of each route. */
  readonly lanes: readonly PlanLane[]
  /** The run that keys are made for: another one, once it is found that an earlier one is continued. */
  readonly run: () => TemplateRun
  /** For `{uuid}`: another one for each index. */
  readonly uuid: (index: number) => string
}

/** Gives a file its names, its key, and what rules and routes say of it. */
export function createFilePlanner(options: PlanFileOptions): (examined: Examined, index: number) => PlannedFile {
  const { settings, lanes, run, uuid } = options
  const template: KeyTemplate | undefined = settings.key === undefined ? undefined : compileKeyTemplate(settings.key)
  const readsContent = settings.key !== undefined && namesContent(settings.key)
  const choose = createChooser(settings)
  const plan = (examined: Examined, index: number, sha256?: string): PlannedFile => {
    const { candidate, size, mtimeMs, problem } = examined
    const source = normalizeName(candidate.name)
    const placed = settings.flatten ? baseNameOf(source) : source
    const { own } = candidate
    const templated = template?.({ source: placed, index, size, mtimeMs, sha256, run: run(), uuid })
    const name = normalizeName(own?.key ?? templated ?? placed)
    const usualType = settings.contentType ?? contentTypeByName(candidate.kind === 'stdin' ? name : candidate.path)
    const { lane, contentType, properties, isSkipped, decidedBy } = choose({
      source,
      size,
      contentType: usualType,
      own,
    })
    const { prefix, fixName, keyProblem: destinationKeyProblem } = lanes[lane] as PlanLane
    const wished = prefix + name
    const key = fixName === undefined ? wished : prefix + fixName(name)
    const fault = problem === undefined ? (keyProblem(key) ?? destinationKeyProblem(key)) : undefined
    return {
      index,
      path: candidate.path,
      absolute: candidate.absolute,
      source,
      key,
      originalKey: key === wished ? undefined : wished,
      size,
      mtimeMs,
      contentType,
      properties,
      lane,
      decidedBy,
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
