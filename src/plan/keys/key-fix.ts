import type { DestinationLimits } from '../../destinations/destination.ts'
import { escapeNotation, inBytes } from '../../key-notation.ts'

/**
 * What no key may hold, wherever it goes: control characters; a `/` at the beginning or the end, or behind another; the
 * first dot of a `.` or `..` segment. Marks that combine go with what they follow: behind the last letter of the notation
 * they would make another character of it.
 */
const refusedEverywhere =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /(?:[\u0000-\u001f\u007f-\u009f]|(?<![^/])\/|\/$|(?<![^/])\.(?=\.?(?:\/|$)))\p{M}*/gu

/**
 * Changes what follows the prefix so that a destination can hold it, where that is possible: the same where it can
 * already. Two different names never become one. What is too long, empty, or no Unicode stays so.
 */
export function keyFixOf({ fixName }: Pick<DestinationLimits, 'fixName'>): (name: string) => string {
  const fixOwn = fixName ?? escapeNotation
  return (name) => fixOwn(name).replace(refusedEverywhere, inBytes)
}
