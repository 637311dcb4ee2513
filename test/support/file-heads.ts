import { deflateRawSync, gzipSync } from 'node:zlib'

/** Small files of many kinds, as programs write them: whole ones, or their beginnings. */

/** A second of a tone would do; this is a few samples of it. */
export function wav(samples = 32): Buffer {
  return Buffer.concat([
    text('RIFF'),
    uint32(36 + samples * 2),
    text('WAVEfmt '),
    uint32(16),
    Buffer.from([1, 0, 1, 0, 0x44, 0xac, 0, 0, 0x88, 0x58, 1, 0, 2, 0, 16, 0]),
    text('data'),
    uint32(samples * 2),
    Buffer.alloc(samples * 2, 0x40),
  ])
}

/** A ZIP of stored entries, with its directory at the end. */
export function zip(entries: Readonly<Record<string, string | Buffer>>, isDeflated = false): Buffer {
  const places: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, contents] of Object.entries(entries)) {
    const data = Buffer.from(contents)
    const stored = isDeflated ? deflateRawSync(data) : data
    const common = Buffer.concat([
      Buffer.from([20, 0, 0, 0, isDeflated ? 8 : 0, 0, 0, 0, 0x21, 0x50]),
      uint32(0),
      uint32(stored.length),
      uint32(data.length),
      uint16(name.length),
      uint16(0),
    ])
    const local = Buffer.concat([text('PK\x03\x04'), common, text(name), stored])
    directory.push(
      Buffer.concat([text('PK\x01\x02'), uint16(20), common, Buffer.alloc(10), uint32(offset), text(name)]),
    )
    places.push(local)
    offset += local.length
  }
  const list = Buffer.concat(directory)
  const count = uint16(directory.length)
  const end = Buffer.concat([
    text('PK\x05\x06'),
    Buffer.alloc(4),
    count,
    count,
    uint32(list.length),
    uint32(offset),
    uint16(0),
  ])
  return Buffer.concat([...places, list, end])
}

export function docx(isDeflated = true): Buffer {
  const type = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml'
  return zip(
    {
      '[Content_Types].xml': `<?xml version="1.0"?><Types><Override PartName="/word/document.xml" ContentType="${type}"/></Types>`,
      'word/document.xml': '<?xml version="1.0"?><w:document/>',
    },
    isDeflated,
  )
}

/** An ID3 tag with so many bytes of picture in it. */
export function id3(pictureSize: number): Buffer {
  const size = 10 + pictureSize
  const syncSafe = Buffer.from([size >> 21, size >> 14, size >> 7, size].map((byte) => byte & 0x7f))
  return Buffer.concat([
    text('ID3\x03\x00\x00'),
    syncSafe,
    text('APIC'),
    uint32(pictureSize).swap32(),
    Buffer.alloc(2),
    Buffer.alloc(pictureSize, 0x55),
  ])
}

export function flac(): Buffer {
  return Buffer.concat([text('fLaC'), Buffer.from([0x80, 0, 0, 34]), Buffer.alloc(34, 1), Buffer.alloc(64)])
}

function ogg(codec: string): Buffer {
  const head = Buffer.concat([text('OggS'), Buffer.from([0, 2]), Buffer.alloc(20), Buffer.from([1, 30])])
  return Buffer.concat([head, text(codec), Buffer.alloc(32)])
}

function mp4(brand: string): Buffer {
  const box = Buffer.concat([uint32(24).swap32(), text(`ftyp${brand}`), uint32(0), text('isommp42')])
  return Buffer.concat([box, uint32(8).swap32(), text('free')])
}

function matroska(kind: string): Buffer {
  const type = Buffer.concat([Buffer.from([0x42, 0x82, 0x80 + kind.length]), text(kind)])
  const elements = Buffer.concat([Buffer.from('428681014287810142f2810442f38108', 'hex'), type])
  return Buffer.concat([Buffer.from([0x1a, 0x45, 0xdf, 0xa3, 0x80 + elements.length]), elements])
}

function mpegFrames(header: string): Buffer {
  const frame = Buffer.concat([Buffer.from(header, 'hex'), Buffer.alloc(413)])
  return Buffer.concat([frame, frame, frame])
}

function transportStream(): Buffer {
  return Buffer.concat(
    Array.from({ length: 5 }, () => Buffer.concat([Buffer.from('474000', 'hex'), Buffer.alloc(185)])),
  )
}

const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

/** By what they are. */
export const files = {
  wav: wav(),
  'wav beyond 4 GiB': Buffer.concat([text('RF64'), uint32(0xffffffff), text('WAVEds64'), Buffer.alloc(28)]),
  flac: flac(),
  'mp3 with ID3': Buffer.concat([id3(20), mpegFrames('fffb9064')]),
  'mp3 frames': mpegFrames('fffb9064'),
  aac: mpegFrames('fff15080'),
  'ogg vorbis': ogg('\x01vorbis'),
  'ogg opus': ogg('OpusHead'),
  aiff: Buffer.concat([text('FORM'), uint32(64).swap32(), text('AIFFCOMM'), Buffer.alloc(32)]),
  caf: Buffer.concat([text('caff'), Buffer.from([0, 1, 0, 0]), text('desc'), Buffer.alloc(32)]),
  au: Buffer.concat([text('.snd'), Buffer.from([0, 0, 0, 24, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1]), Buffer.alloc(32)]),
  midi: Buffer.concat([text('MThd'), Buffer.from([0, 0, 0, 6, 0, 1, 0, 1, 0, 96])]),
  m4a: mp4('M4A '),
  mp4: mp4('isom'),
  mov: mp4('qt  '),
  mkv: matroska('matroska'),
  webm: matroska('webm'),
  avi: Buffer.concat([text('RIFF'), uint32(64), text('AVI LIST'), Buffer.alloc(32)]),
  'mpeg-ts': transportStream(),
  png: Buffer.from(pixel, 'base64'),
  gif: Buffer.concat([text('GIF89a'), Buffer.from([1, 0, 1, 0, 0x80, 0, 0, 255, 255, 255, 0, 0, 0, 0x2c])]),
  jpeg: Buffer.concat([Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'), Buffer.alloc(32)]),
  webp: Buffer.concat([text('RIFF'), uint32(26), text('WEBPVP8L'), Buffer.alloc(18)]),
  ico: Buffer.from('00000100010010100000010020006804000016000000', 'hex'),
  pdf: Buffer.from('%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n', 'latin1'),
  'pdf in letters': text('%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\n'),
  zip: zip({ 'notes.md': '# Notes' }),
  docx: docx(),
  gzip: gzipSync('text'),
  parquet: Buffer.concat([text('PAR1'), Buffer.from([0x15, 0x04, 0x15, 0, 0, 0x12]), text('PAR1')]),
  sqlite: Buffer.concat([text('SQLite format 3\0'), Buffer.from([16, 0, 1, 1]), Buffer.alloc(80)]),
  elf: Buffer.concat([text('\x7fELF'), Buffer.from([2, 1, 1]), Buffer.alloc(57)]),
  exe: Buffer.concat([text('MZ'), Buffer.from([0x90, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0xff, 0xff]), Buffer.alloc(50)]),
  ole: Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(504)]),
  unknown: Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 0x80, 0, 0xfe, 0xff, 0xc0]),

  html: text('<!DOCTYPE html>\n<html><body onload="alert(1)"></body></html>\n'),
  'html, late': text('\n\t<!-- RIFF -->\n<?xml version="1.0"?>\n<!-- -->\n<HTML lang="en"><body></body></HTML>'),
  'html in UTF-16': Buffer.from('\ufeff<html><body>ä</body></html>', 'utf16le'),
  'html in Latin-1': Buffer.from('<html><body>\xe4\xf6\xfc</body></html>', 'latin1'),
  'html and NUL': text('<html><body></body></html>\0\0\0\0'),
  svg: text('<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>'),
  xml: text('<?xml version="1.0"?>\n<feed/>\n'),
  rtf: text('{\\rtf1\\ansi hello}'),
  postscript: text('%!PS-Adobe-3.0\n%%EOF\n'),
  plain: Buffer.from('Take 7: the änd of it.\r\n\f\x1b[1mbold\x1b[0m\n'),
  json: text('{"take": 7}\n'),
  csv: text('take,seconds\n7,31.4\n'),
  code: text('#!/bin/sh\nset -e\necho "BM, MZ, ID3"\n'),
  'text beginning with BM': text('BMW is a maker of cars, and of motor cycles'),
  'text beginning with ID3': text('ID3 is a tag that stands before the sound in many an MP3 file'),
  latin1: Buffer.from('Gesch\xe4ftsbericht f\xfcr das Jahr', 'latin1'),
  empty: Buffer.alloc(0),
} as const

export type FileKind = keyof typeof files

function text(letters: string): Buffer {
  return Buffer.from(letters, 'latin1')
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return bytes
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
