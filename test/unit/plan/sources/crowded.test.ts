import { describe, expect, it } from 'vitest'
import { unlessCrowded } from '../../../../src/plan/sources/crowded.ts'

const errno = (code: string): Error => Object.assign(new Error(code), { code })

function opening(failures: readonly string[]) {
  const waits: number[] = []
  const left = [...failures]
  const open = async (): Promise<string> => {
    const code = left.shift()
    if (code !== undefined) throw errno(code)
    return 'open'
  }
  return { waits, done: unlessCrowded(open, async (ms) => void waits.push(ms)) }
}

describe('unlessCrowded', () => {
  it('opens at once where it can', async () => {
    const { done, waits } = opening([])
    expect([await done, waits]).toEqual(['open', []])
  })

  it('waits until others have closed theirs', async () => {
    const { done, waits } = opening(['EMFILE', 'ENFILE', 'EMFILE'])
    expect([await done, waits]).toEqual(['open', [50, 100, 150]])
  })

  it('does not wait for anything else', async () => {
    const { done, waits } = opening(['EMFILE', 'EACCES'])
    await expect(done).rejects.toMatchObject({ code: 'EACCES' })
    expect(waits).toEqual([50])
  })

  it('gives up after a while', async () => {
    const { done, waits } = opening(Array(1000).fill('EMFILE'))
    await expect(done).rejects.toMatchObject({ code: 'EMFILE' })
    expect(waits).toHaveLength(29)
    expect(Math.max(...waits)).toBe(1000)
  })
})
