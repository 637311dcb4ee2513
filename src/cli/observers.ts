import type { Settings } from '../config/settings.ts'
import type { Listener, RunEnded } from '../observe/events.ts'
import type { RunRollout } from '../observe/records.ts'
import { printable } from '../printable.ts'
import type { Host } from './host.ts'

/** What shows a run to its user. */
export interface Observers {
  readonly listener: Listener
  /** Takes down what is drawn and stops all timers; more than once does no harm. */
  close(): void
}

type Shown = Pick<Settings, 'progress' | 'quiet' | 'verbose' | 'noColor' | 'json'>

/** How progress is shown: bars on a terminal only, and not below NDJSON that goes to that terminal, too. */
export function progressMode(settings: Shown, { stdout, stderr, env }: Host): 'bars' | 'plain' | 'none' {
  if (settings.quiet || settings.progress === 'none') return 'none'
  if (stderr.isTTY !== true || settings.progress === 'plain') return 'plain'
  if (settings.progress === 'bars') return 'bars'
  const inCi = !['', '0', 'false'].includes((env.CI ?? '').toLowerCase())
  const ownsTerminal = !(settings.json && stdout.isTTY === true)
  return env.TERM !== 'dumb' && !inCi && ownsTerminal ? 'bars' : 'plain'
}

/** Whether what goes to stderr is coloured. */
export function usesColor(settings: Shown, { stderr, env }: Host): boolean {
  return !settings.noColor && stderr.isTTY === true && env.TERM !== 'dumb'
}

/**
 * What `settings` and the terminal ask for; only that is loaded. Closing lines come with the run's last event.
 *
 * @param isMuted - Asked at each event: whether nobody is left to be told.
 */
export async function createObservers(settings: Shown, host: Host, isMuted: () => boolean): Promise<Observers> {
  const { verbose } = settings
  const color = usesColor(settings, host)
  const mode = progressMode(settings, host)
  const watchers = [
    ...(settings.json
      ? [(await import('../observe/json-lines.ts')).createJsonLines({ write: writer(host.stdout) })]
      : []),
    mode === 'bars'
      ? (await import('../observe/bars.ts')).createBars({ stream: host.stderr, color, verbose })
      : (await import('../observe/plain.ts')).createPlain({
          write: writer(host.stderr),
          verbose: verbose && !settings.quiet,
          progress: mode === 'plain',
        }),
  ]
  const closing = settings.quiet ? quietClosing : (await import('../observe/closing.ts')).closingLines

  const close = (): void => {
    for (const watcher of watchers) watcher.close()
  }
  let rollout: RunRollout | undefined
  const listener: Listener = (event) => {
    if (event.type === 'run') rollout = event.run.rollout
    if (isMuted()) return
    for (const watcher of watchers) watcher.listener(event)
    if (event.type !== 'summary') return
    close()
    for (const line of closing(event, { color, home: host.home, rollout })) host.stderr.write(`${line}\n`)
  }
  return { listener, close }
}

function quietClosing({ stoppedBecause }: RunEnded): readonly string[] {
  return stoppedBecause === undefined ? [] : [`upload: ${printable(stoppedBecause)}`]
}

function writer(output: NodeJS.WritableStream): (text: string) => void {
  return (text) => void output.write(text)
}
