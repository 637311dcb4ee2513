import { spawnSync } from 'node:child_process'
import { node, program } from './run-upload.ts'

/** The user to run as where permissions are to mean something: nobody else's, if this is root; otherwise no other. */
export function nobody(): number | undefined {
  return process.getuid?.() === 0 ? 65_534 : undefined
}

/**
 * Whether the program can be run as this user (undefined: as oneself). Says why not, since a test that needs it then
 * proves nothing.
 */
export async function canRunAs(uid: number | undefined): Promise<boolean> {
  if (uid === undefined) return true
  const tried = spawnSync(node, [program, '--version'], { uid, gid: uid, encoding: 'utf8' })
  if (tried.status === 0) return true
  console.log(
    `Not tried: root reads everything, and user ${uid} cannot run the program (${tried.error?.message ?? tried.stderr}).`,
  )
  return false
}
