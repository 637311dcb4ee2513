/** One HTTP/1.1 request, as its head announces it. */
export interface RequestHead {
  readonly method: string
  readonly target: string
  /** Bytes of head and body together. */
  readonly size: number
}

/** Bytes of one request, in the order they came. */
export interface RequestPiece {
  readonly request: RequestHead
  readonly bytes: Buffer
  /** Bytes of the request before these. */
  readonly from: number
}

const endOfHead = '\r\n\r\n'
const nothing: Buffer = Buffer.alloc(0)

/**
 * Tells the requests of one connection apart without keeping their bodies. Bytes of a head that is not complete yet
 * are held until it is.
 *
 * @throws Error (the function returned) on a body of unknown length: what the program sends always has one
 */
export function requestPieces(): (bytes: Buffer) => RequestPiece[] {
  let head = nothing
  let current: RequestHead | undefined
  let seen = 0
  return (bytes) => {
    const pieces: RequestPiece[] = []
    let left: Buffer = bytes
    while (left.length > 0) {
      if (current === undefined) {
        const all: Buffer = head.length === 0 ? left : Buffer.concat([head, left])
        const end = all.indexOf(endOfHead)
        if (end < 0) {
          head = all
          break
        }
        current = readHead(all.subarray(0, end + endOfHead.length))
        head = nothing
        seen = 0
        left = all
      }
      const piece = left.subarray(0, current.size - seen)
      pieces.push({ request: current, bytes: piece, from: seen })
      left = left.subarray(piece.length)
      seen += piece.length
      if (seen === current.size) current = undefined
    }
    return pieces
  }
}

function readHead(bytes: Buffer): RequestHead {
  const text = bytes.toString('latin1')
  const [method = '', target = ''] = text.slice(0, text.indexOf('\r\n')).split(' ')
  if (/\r\ntransfer-encoding:/i.test(text)) throw new Error(`${method} ${target} has no length`)
  const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(text)?.[1] ?? '0'
  return { method, target, size: bytes.length + Number(length) }
}
