/** Whether checksums go with what is sent: until the endpoint turns out to refuse them. */
export interface ChecksumUse {
  isOn(): boolean
  /**
   * Whether an error, of a request with a checksum, refuses it as such rather than saying that it does not match; from
   * then on none is sent.
   */
  isRefusedBy(error: unknown): boolean
}

/** What servers answer that do not know the header: 400 or 501, and name it. */
const namesChecksum = /checksum|x-amz-sdk|crc-?32/i
const saysMismatch = /digest|mismatch|did ?n.t match|not match/i

/** @param onRefused told once */
export function createChecksumUse(onRefused: () => void): ChecksumUse {
  let isOn = true
  return {
    isOn: () => isOn,
    isRefusedBy(error) {
      if (!(error instanceof Error)) return false
      const { $metadata, name, message } = error as Error & {
        readonly $metadata?: { readonly httpStatusCode?: number }
      }
      const status = $metadata?.httpStatusCode
      const text = `${name} ${message}`
      if ((status !== 400 && status !== 501) || !namesChecksum.test(text) || saysMismatch.test(text)) return false
      if (isOn) onRefused()
      isOn = false
      return true
    },
  }
}
