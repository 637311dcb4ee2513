import type { OptionKey } from '../options/options.ts'

/** The options that say what is kept with an object beside its bytes and its content type. */
export const propertyKeys = [
  'cacheControl',
  'contentEncoding',
  'contentDisposition',
  'metadata',
  'tag',
  'storageClass',
  'acl',
  'sse',
  'sseKmsKeyId',
] as const satisfies readonly OptionKey[]
