import { fstatSync, read } from 'node:fs'
import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net'
import { Readable } from 'node:stream'
import { isatty } from 'node:tty'

/** Bytes; a pipe holds as many on Linux. */
const pieceSize = 64 * 1024

/**
 * Standard input as a source of very many bytes: read into the same two buffers from its beginning to its end, where
 * `process.stdin` would take new memory for each piece, tens of megabytes at a time until it is collected. A piece is
 * there only until the next is asked for.
 *
 * To be opened once, and instead of `process.stdin`: a pipe has one reader in a process.
 */
export function openStandardInput(fd = 0): Readable {
  const kind = fstatSync(fd)
  if (kind.isFIFO() || kind.isSocket()) return fromPipe(fd)
  // Of a disk, `process.stdin` would tell an end at once.
  const isDevice = kind.isBlockDevice() || (kind.isCharacterDevice() && !isatty(fd))
  return kind.isFile() || isDevice ? fromFile(fd) : process.stdin
}

function twoBuffers(): () => Buffer {
  const buffers = [Buffer.allocUnsafeSlow(pieceSize), Buffer.allocUnsafeSlow(pieceSize)] as const
  let turn = 0
  return () => {
    turn = 1 - turn
    return buffers[turn] ?? buffers[0]
  }
}

function fromFile(fd: number): Readable {
  const next = twoBuffers()
  return new Readable({
    // It is read ahead by one piece.
    highWaterMark: 1,
    read() {
      const buffer = next()
      read(fd, buffer, 0, buffer.length, null, (error, bytesRead) => {
        if (error) this.destroy(error)
        else this.push(bytesRead === 0 ? null : buffer.subarray(0, bytesRead))
      })
    },
  })
}

/** https://nodejs.org/api/net.html#new-netsocketoptions: with `onread`, a socket reads into memory that it is given. */
function fromPipe(fd: number): Readable {
  const next = twoBuffers()
  const onread: OnReadOpts = {
    buffer: next,
    callback(bytesRead, buffer) {
      input.push(buffer.subarray(0, bytesRead))
      // Until the next is asked for.
      return false
    },
  }
  const options: SocketConstructorOpts & { readonly onread: OnReadOpts } = {
    fd,
    readable: true,
    writable: false,
    onread,
  }
  const pipe = new Socket(options)
  const input = new Readable({
    highWaterMark: 1,
    read() {
      pipe.resume()
    },
    destroy(error, done) {
      pipe.destroy()
      done(error)
    },
  })
  pipe.on('end', () => input.push(null))
  pipe.on('error', (error) => input.destroy(error))
  return input
}
