import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openFileDestination } from '../../src/destinations/file/index.ts'
import { makeTempDir } from '../support/temp-dir.ts'
import { listFiles } from '../support/workspace.ts'
import { testDestination } from './destination-contract.ts'

testDestination('a directory', async () => {
  const temp = await makeTempDir()
  const directory = join(temp.path, 'bucket')
  const open = () => openFileDestination({ url: `file:${directory}/`, directory: `${directory}/` })
  const destination = open()
  const isTemporary = (name: string) => name.startsWith('.upload-tmp/')
  return {
    destination,
    reopen: open,
    read: (key) => readFile(join(directory, key)).catch(() => undefined),
    keys: async () => (await listFiles(directory)).filter((name) => !isTemporary(name)),
    leftovers: async () => (await listFiles(directory)).filter(isTemporary),
    close: async () => {
      await destination.close()
      await temp.remove()
    },
  }
})
