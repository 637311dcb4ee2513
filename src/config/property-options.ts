import { option } from './option-spec.ts'
import { metadata, textLike } from './values.ts'

/** What is kept with each object beside its bytes. */
export const propertyOptions = {
  contentType: option({
    schema: textLike(/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:\s*;[\x20-\x7e]*)?$/, 'a media type such as audio/wav'),
    default: undefined,
    takes: 'one',
    value: 'TYPE',
    help: 'media type of every object',
    shownDefault: "by the file's name",
    group: 'Properties',
  }),
  cacheControl: option({
    schema: textLike(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/, 'a Cache-Control header such as max-age=3600'),
    default: undefined,
    takes: 'one',
    value: 'TEXT',
    help: 'how long caches may keep an object, such as max-age=3600',
    group: 'Properties',
  }),
  metadata: option({
    schema: metadata(),
    default: undefined,
    takes: 'many',
    value: 'NAME=VALUE',
    help: "metadata of the user's own for every object; repeatable",
    group: 'Properties',
  }),
} as const
