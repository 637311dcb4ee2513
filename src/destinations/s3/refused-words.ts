/**
 * What a server says of a request it refuses as such, with 400 or 501; undefined where an error is none of these.
 *
 * @param error thrown by the SDK
 */
export function refusedWords(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  // Where the message speaks of "a header", a field of its own says which.
  const { $metadata, name, message, Header, ArgumentName } = error as Error & {
    readonly $metadata?: { readonly httpStatusCode?: number }
    readonly Header?: unknown
    readonly ArgumentName?: unknown
  }
  const status = $metadata?.httpStatusCode
  return status === 400 || status === 501
    ? [name, message, Header, ArgumentName].filter((text) => typeof text === 'string').join(' ')
    : undefined
}
