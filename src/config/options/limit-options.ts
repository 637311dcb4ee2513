import { TiB } from '../size.ts'
import { endings, mediaTypes, size, wholeNumber } from '../values.ts'
import { option } from './option-spec.ts'

const anySize = size(0, 1024 * TiB)

/** What may be uploaded. */
export const limitOptions = {
  maxSize: option({
    schema: anySize,
    default: undefined,
    takes: 'one',
    value: 'SIZE',
    help: 'larger files fail',
    group: 'Limits',
  }),
  minSize: option({
    schema: anySize,
    default: undefined,
    takes: 'one',
    value: 'SIZE',
    help: 'smaller files fail',
    group: 'Limits',
  }),
  allowExt: option({
    schema: endings(),
    default: [] as string[],
    takes: 'many',
    value: '.EXT',
    help: 'files with another ending fail; repeatable',
    group: 'Limits',
  }),
  denyExt: option({
    schema: endings(),
    default: [] as string[],
    takes: 'many',
    value: '.EXT',
    help: 'files with this ending fail; repeatable',
    group: 'Limits',
  }),
  allowType: option({
    schema: mediaTypes(),
    default: [] as string[],
    takes: 'many',
    value: 'TYPE',
    help: 'files of another type, by their bytes, fail: audio/*; repeatable',
    group: 'Limits',
  }),
  maxFiles: option({
    schema: wholeNumber(1, 1_000_000_000),
    default: undefined,
    takes: 'one',
    value: 'N',
    help: 'send nothing where there are more files (exit 2)',
    group: 'Limits',
  }),
  maxTotalSize: option({
    schema: anySize,
    default: undefined,
    takes: 'one',
    value: 'SIZE',
    help: 'send nothing where all files together are larger (exit 2)',
    group: 'Limits',
  }),
} as const
