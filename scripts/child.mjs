import { spawn } from 'node:child_process'
import { constants } from 'node:os'

const parentCheckMs = 500

/**
 * Runs Node on `args` with this process's streams, and passes signals on.
 *
 * @returns the exit code; 128 + its number where a signal ended the child
 */
export function runNode(args, { cwd, env = process.env } = {}) {
  const child = spawn(process.execPath, args, { cwd, env, stdio: 'inherit' })
  const pass = (signal) => child.kill(signal)
  // On a terminal Ctrl-C reaches the child by itself, and a second SIGINT would tell it to stop at once.
  const onTerminal = [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY)
  const passInterrupt = onTerminal || process.platform === 'win32' ? () => {} : pass
  process.on('SIGINT', passInterrupt).on('SIGHUP', passInterrupt).on('SIGTERM', pass)
  const watch = watchNpm(() => pass('SIGTERM'))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearInterval(watch)
      process.off('SIGINT', passInterrupt).off('SIGHUP', passInterrupt).off('SIGTERM', pass)
      resolve(code ?? 128 + constants.signals[signal])
    })
  })
}

/** A SIGTERM for npm ends npm and the shell it runs scripts in, and goes no further: their end stands for it. */
function watchNpm(onGone) {
  if (process.env.npm_lifecycle_event === undefined) return undefined
  const shell = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === shell) return
    clearInterval(watch)
    onGone()
  }, parentCheckMs)
  return watch
}
