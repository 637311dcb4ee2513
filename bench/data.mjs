import { createCipheriv, createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { places } from './places.mjs'
import { sizeName } from './sizes.mjs'

const filesPerFolder = 1000
const pieceSize = 1024 * 1024

/** So many files of one size, with content that does not compress. */
export function files(count, size, quick = {}) {
  return { kind: 'files', count, size, quick }
}

/** One file that takes no room on the disk. */
export function sparse(size, quick = {}) {
  return { kind: 'sparse', count: 1, size, quick }
}

/** One file, and a list that names it so many times. */
export function list(count, size, quick = {}) {
  return { kind: 'list', count, size, quick }
}

/**
 * Makes a data set unless it is there. Two runs may do so at once: the one that is first wins, and a set is never seen
 * half made.
 *
 * @param quick take the set's small figures
 * @returns `folder`, for lists `list` (a file with a path a line), `count`, and `diskBytes`, what is
 *   read where the kernel keeps nothing
 */
export function makeData(set, quick) {
  const { kind, count, size } = quick ? { ...set, ...set.quick } : set
  const name = `${kind}-${count}x${sizeName(size).replace(' ', '')}`
  const target = join(places.data, name)
  if (!existsSync(target)) {
    console.error(`Making ${name} …`)
    const fresh = `${target}.new-${process.pid}`
    rmSync(fresh, { recursive: true, force: true })
    mkdirSync(join(fresh, 'files'), { recursive: true })
    make[kind]({ fresh, target, name, count, size })
    try {
      renameSync(fresh, target)
    } catch (error) {
      rmSync(fresh, { recursive: true, force: true })
      if (!existsSync(target)) throw error
    }
  }
  const folder = join(target, 'files')
  if (kind === 'list') return { folder, list: join(target, 'list.txt'), count, diskBytes: size }
  return { folder, count, diskBytes: count * size }
}

/** Reads a set once, so that no tool is the one that finds it on the disk instead of in memory. */
export function warm({ folder }) {
  const buffer = Buffer.alloc(pieceSize)
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) readThrough(join(entry.parentPath, entry.name), buffer)
  }
}

const make = {
  files({ fresh, name, count, size }) {
    const random = randomBytes(name)
    for (let index = 0; index < count; index += 1) {
      const folder = join(fresh, 'files', String(Math.floor(index / filesPerFolder)).padStart(3, '0'))
      if (index % filesPerFolder === 0) mkdirSync(folder)
      writeRandom(join(folder, `${String(index).padStart(6, '0')}.bin`), size, random)
    }
  },
  sparse({ fresh, size }) {
    const file = openSync(join(fresh, 'files', 'sparse.bin'), 'wx')
    ftruncateSync(file, size)
    closeSync(file)
  },
  list({ fresh, target, name, count, size }) {
    writeRandom(join(fresh, 'files', 'one.bin'), size, randomBytes(name))
    writeFileSync(join(fresh, 'list.txt'), `${join(target, 'files', 'one.bin')}\n`.repeat(count))
  },
}

/** The same bytes for the same name each time: the key stream of a cipher, which is fast and looks random. */
function randomBytes(name) {
  const key = createHash('sha256').update(name).digest()
  const cipher = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16))
  const zeros = Buffer.alloc(pieceSize)
  return (size) => cipher.update(zeros.subarray(0, size))
}

function writeRandom(path, size, random) {
  const file = openSync(path, 'wx')
  for (let left = size; left > 0; left -= pieceSize) writeSync(file, random(Math.min(left, pieceSize)))
  closeSync(file)
}

function readThrough(path, buffer) {
  const file = openSync(path, 'r')
  while (readSync(file, buffer) > 0);
  closeSync(file)
}
