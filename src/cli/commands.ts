import type { Host } from './host.ts'

/** @returns the exit code */
type RunCommand = (args: readonly string[], host: Host) => Promise<number>

/** The commands beside the main job; the code of each is loaded only where it is called. */
export const commands: ReadonlyMap<string, () => Promise<RunCommand>> = new Map<string, () => Promise<RunCommand>>([
  ['undo', async () => (await import('./undo.ts')).runUndo],
  ['verify', async () => (await import('./verify.ts')).runVerify],
  ['cleanup', async () => (await import('./cleanup.ts')).runCleanup],
  ['rollout', async () => (await import('./rollout.ts')).runRollout],
  ['init', async () => (await import('./init.ts')).runInit],
])
