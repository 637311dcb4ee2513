import { createCipheriv, createHash } from 'node:crypto'
import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Kinds of file the tests upload; the ending of such a file. */
export const kinds = ['bin', 'txt', 'json', 'csv', 'md', 'py'] as const
export type Kind = (typeof kinds)[number]

const blockSize = 1024 * 1024

/**
 * A file's bytes, `size` of them, the same for the same `kind`, `size` and `seed` on every machine: noise for `bin`,
 * otherwise lines of the language, each with its number, so that no two parts are alike. What is cut off at the end
 * leaves a valid text of its kind wherever `size` has room for one.
 */
function* contents(kind: Kind, size: number, seed = 0): Generator<Uint8Array> {
  if (kind === 'bin') yield* noise(size, seed)
  else yield* text(kind, size, seed)
}

/** A file's bytes at once, for small files. */
export function bytes(kind: Kind, size: number, seed = 0): Buffer {
  return Buffer.concat([...contents(kind, size, seed)])
}

/** Writes a file piece by piece and returns its SHA-256, in hex. */
export async function writeContents(path: string, kind: Kind, size: number, seed = 0): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  const hash = createHash('sha256')
  const file = await open(path, 'w')
  try {
    for (const piece of contents(kind, size, seed)) {
      hash.update(piece)
      await file.write(piece)
    }
  } finally {
    await file.close()
  }
  return hash.digest('hex')
}

/** AES in counter mode: a gigabyte a second of bytes that never repeat. */
function* noise(size: number, seed: number): Generator<Uint8Array> {
  const key = createHash('sha256').update(`upload ${seed} ${size}`).digest()
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
  const zeros = Buffer.alloc(Math.min(blockSize, size))
  for (let left = size; left > 0; left -= blockSize) yield cipher.update(zeros.subarray(0, Math.min(left, blockSize)))
}

interface Language {
  readonly head: string
  line(number: number, seed: number): string
  readonly tail: string
}

const languages: Record<Exclude<Kind, 'bin'>, Language> = {
  txt: {
    head: '',
    line: (number, seed) => `${number}. The café on street ${seed} records “${number * 7919}” and says so.\n`,
    tail: '',
  },
  json: {
    head: '[\n',
    line: (number, seed) =>
      `  {"id": ${number}, "seed": ${seed}, "name": "take-${number}.wav", "tags": ["ü", "\\n"], "gain": -${number % 60}.5},\n`,
    tail: '  null\n]\n',
  },
  csv: {
    head: 'id,seed,name,comment\r\n',
    line: (number, seed) => `${number},${seed},take-${number}.wav,"said ""${number * 31}"", then left"\r\n`,
    tail: '',
  },
  md: {
    head: '# Takes\n\n',
    line: (number, seed) =>
      `- **take ${number}** of \`${seed}\`: [listen](./take-${number}.wav) – _${number * 13}_ ms\n`,
    tail: '',
  },
  py: {
    head: '# Takes of one session.\n',
    line: (number, seed) => `take_${number} = {"seed": ${seed}, "gain": -${number % 60}.5}  # ${number * 17}\n`,
    tail: '',
  },
}

function* text(kind: Exclude<Kind, 'bin'>, size: number, seed: number): Generator<Uint8Array> {
  const { head, line, tail } = languages[kind]
  const end = Buffer.from(tail)
  if (size < head.length + end.length) {
    yield Buffer.from('[]\n#'.padEnd(size, ' ')).subarray(0, size)
    return
  }
  let left = size - end.length
  let number = 0
  let piece = head
  let pieceSize = head.length
  for (;;) {
    // Lines are gathered to some 64 KiB before they become bytes: one conversion a line costs ten times as much.
    while (pieceSize < 65_536) {
      number += 1
      const next = line(number, seed)
      const nextSize = Buffer.byteLength(next)
      if (pieceSize + nextSize > left) {
        yield Buffer.from(piece)
        yield Buffer.alloc(left - pieceSize, ' ')
        yield end
        return
      }
      piece += next
      pieceSize += nextSize
    }
    yield Buffer.from(piece)
    left -= pieceSize
    piece = ''
    pieceSize = 0
  }
}
