import type { WireAnswer } from '../../http/send.ts'

/** Whether the server did what it was asked to, as its status says. */
export function isSuccess({ status }: WireAnswer): boolean {
  return status >= 200 && status < 300
}

/** What an answer holds in JSON; undefined where that is none. */
export function jsonIn({ body }: WireAnswer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

/** A field of an answer, where it is a time. */
export function timeOf(value: unknown): Date | undefined {
  const time = new Date(textOf(value) ?? Number.NaN)
  return Number.isNaN(time.getTime()) ? undefined : time
}

/** A field of an answer, where it is text. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
