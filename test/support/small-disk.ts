import { execFileSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { onTestFinished } from 'vitest'

/** Puts a file system of 16 KiB there for the time of the test; false, having said so, where this user may not. */
export async function mountSmall(directory: string): Promise<boolean> {
  await mkdir(directory, { recursive: true })
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'upload-test', directory], { stdio: 'pipe' })
  } catch {
    console.log('Not tried: a full disk (only root may mount one).')
    return false
  }
  onTestFinished(() => void execFileSync('umount', ['-l', directory], { stdio: 'pipe' }))
  return true
}
