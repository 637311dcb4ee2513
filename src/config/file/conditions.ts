import type { z } from 'zod'
import { limitOptions } from '../options/limit-options.ts'
import { many, mediaTypes, onOff, text } from '../values.ts'

/** Keys of a rule or a route that say which files it is about, and what is written there. */
export const conditions = {
  match: {
    schema: matchingSome(
      notEmpty(many(text('a pattern'), 'a pattern in gitignore syntax'), 'expected a pattern at least'),
    ),
    help: 'files whose name, relative to their source, matches this pattern in gitignore syntax, or one of several',
  },
  type: {
    schema: notEmpty(mediaTypes(), 'expected a media type at least'),
    help: 'files of this media type, audio/wav or audio/*, or one of several',
  },
  minSize: { schema: limitOptions.minSize.schema, help: 'files of this size or larger' },
  maxSize: { schema: limitOptions.maxSize.schema, help: 'files of this size or smaller' },
} as const

/** The key of a rule or a route that leaves files out. */
export const skip = { schema: onOff(), help: 'true: these files are not sent' } as const

/** An empty list would hold for all files, which is the opposite of what it says. */
function notEmpty<Schema extends z.ZodType<string[]>>(list: Schema, expected: string) {
  return list.refine((items) => items.length > 0, expected).meta({ minItems: 1 })
}

/** What begins with "!" takes away from the patterns before it, and "#" begins a comment: alone they match nothing. */
function matchingSome(patterns: z.ZodType<string[]>) {
  const matches = '^[^!#]'
  return patterns
    .refine(
      (given) => given.length === 0 || !given.every((pattern) => /^[!#]/.test(pattern)),
      'expected a pattern for files to match before any that begins with "!" or "#": ["*", "!*.wav"]',
    )
    .meta({ pattern: matches, contains: { pattern: matches } })
}
