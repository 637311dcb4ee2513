import { createInterface } from 'node:readline/promises'
import { UsageError } from '../errors.ts'
import type { Host } from './host.ts'

/**
 * Asks on the terminal whether to go on; anything but a yes is a no.
 *
 * @param question without the choices behind it
 * @throws UsageError where there is nobody to ask.
 */
export async function confirm(
  question: string,
  host: Pick<Host, 'stdin' | 'stderr'>,
  signal?: AbortSignal,
): Promise<boolean> {
  const input = host.stdin?.()
  if (input?.isTTY !== true || host.stderr.isTTY !== true) {
    throw new UsageError('nothing was done: there is no terminal to ask on; look at the plan and add --yes')
  }
  const lines = createInterface({ input, output: host.stderr })
  try {
    // Ctrl-D is an answer, too.
    const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')))
    const asked = lines.question(`${question} [y/N] `, signal === undefined ? {} : { signal }).catch(() => '')
    return /^\s*y(?:es)?\s*$/i.test(await Promise.race([asked, ended]))
  } finally {
    lines.close()
  }
}
