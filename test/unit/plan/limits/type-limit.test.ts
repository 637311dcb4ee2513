import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createTypeLimit } from '../../../../src/plan/limits/type-limit.ts'
import { docx, type FileKind, files, flac, id3, wav, zip } from '../../../support/file-heads.ts'
import { randomFrom } from '../../../support/random.ts'
import { tempDir } from '../../../support/temp-dir.ts'

/** What is said of bytes under a name: `ok`, or the message. */
async function verdict(bytes: Buffer, name: string, ...allowed: string[]): Promise<string> {
  const absolute = join(await tempDir(), 'source')
  await writeFile(absolute, bytes)
  const limit = createTypeLimit(allowed)
  const [fromFile, fromHead] = await Promise.all([
    limit?.refuseFile({ absolute, size: bytes.length }, name),
    limit?.refuseHead(bytes.subarray(0, 4100), bytes.length <= 4100, name),
  ])
  if (bytes.length <= 4100) expect(fromHead).toEqual(fromFile)
  if (fromFile !== undefined) expect(fromFile).toMatchObject({ code: 'TYPE_NOT_ALLOWED', retryable: false })
  return fromFile?.message ?? 'ok'
}

describe('names that their bytes bear out', () => {
  it.each<[FileKind, string, string]>([
    ['wav', 'a.wav', 'audio/wav'],
    ['wav', 'a.WAV', 'audio/*'],
    ['wav', 'a.wav', 'audio/x-wav'],
    ['wav', 'a.wav', 'audio/vnd.wave'],
    ['wav beyond 4 GiB', 'a.wav', 'audio/*'],
    ['flac', 'a.flac', 'audio/flac'],
    ['flac', 'a.flac', 'audio/x-flac'],
    ['mp3 with ID3', 'a.mp3', 'audio/mpeg'],
    ['mp3 frames', 'a.mp3', 'audio/mp3'],
    ['aac', 'a.aac', 'audio/aac'],
    ['ogg vorbis', 'a.ogg', 'audio/ogg'],
    ['ogg opus', 'a.opus', 'audio/*'],
    ['ogg opus', 'a.ogg', 'audio/ogg'],
    ['ogg opus', 'a.ogx', 'audio/ogg'],
    ['aiff', 'a.aif', 'audio/aiff'],
    ['caf', 'a.caf', 'audio/*'],
    ['au', 'a.au', 'audio/*'],
    ['midi', 'a.mid', 'audio/*'],
    ['m4a', 'a.m4a', 'audio/mp4'],
    ['m4a', 'a.m4a', 'audio/x-m4a'],
    ['mp4', 'a.m4a', 'audio/*'],
    ['mp4', 'a.mp4', 'video/mp4'],
    ['mov', 'a.mov', 'video/quicktime'],
    ['mp4', 'a.mov', 'video/*'],
    ['mkv', 'a.mka', 'audio/*'],
    ['webm', 'a.mkv', 'video/x-matroska'],
    ['webm', 'a.weba', 'audio/webm'],
    ['avi', 'a.avi', 'video/x-msvideo'],
    ['mpeg-ts', 'a.ts', 'video/*'],
    ['png', 'a.png', 'image/*'],
    ['png', 'a.apng', 'image/apng'],
    ['gif', 'a.gif', 'image/gif'],
    ['jpeg', 'a.jpg', 'image/jpeg'],
    ['webp', 'a.webp', 'image/webp'],
    ['ico', 'favicon.ico', 'image/x-icon'],
    ['pdf', 'a.pdf', 'application/pdf'],
    ['pdf in letters', 'a.pdf', 'application/pdf'],
    ['pdf', 'a.ai', 'application/postscript'],
    ['postscript', 'a.eps', 'application/postscript'],
    ['rtf', 'a.rtf', 'application/rtf'],
    ['zip', 'a.zip', 'application/zip'],
    ['docx', 'a.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
    ['docx', 'a.docx', 'application/*'],
    ['zip', 'a.epub', 'application/epub+zip'],
    ['zip', 'a.vsix', 'application/zip'],
    ['zip', 'a.ggb', 'application/zip'],
    ['ole', 'a.doc', 'application/msword'],
    ['ole', 'under-a-password.xlsx', 'application/*'],
    ['gzip', 'a.tar.gz', 'application/gzip'],
    ['gzip', 'a.svgz', 'image/svg+xml'],
    ['parquet', 'a.parquet', 'application/vnd.apache.parquet'],
    ['elf', 'program', 'application/x-elf'],
    ['sqlite', 'a.db', 'application/x-sqlite3'],
    ['unknown', 'a.npy', 'application/octet-stream'],
    ['unknown', 'a.mp3', 'application/octet-stream'],
    ['unknown', 'a.dat', '*/*'],
  ])('%s as %s under %s', async (kind, name, allowed) => {
    expect(await verdict(files[kind], name, allowed)).toBe('ok')
  })
})

describe('text is what its name says', () => {
  it.each<[FileKind, string, string]>([
    ['plain', 'a.txt', 'text/plain'],
    ['plain', 'README', 'text/plain'],
    ['plain', 'a.nobodyknows', 'text/*'],
    ['plain', 'a.md', 'text/markdown'],
    ['plain', 'a.srt', 'application/x-subrip'],
    ['json', 'a.json', 'application/json'],
    ['json', 'a.geojson', 'application/geo+json'],
    ['json', 'a.jsonl', 'application/x-ndjson'],
    ['csv', 'a.csv', 'text/csv'],
    ['code', 'a.sh', 'application/x-sh'],
    ['code', 'a.js', 'text/javascript'],
    ['code', 'a.yaml', 'text/yaml'],
    ['code', 'a.toml', 'application/toml'],
    ['code', 'a.sql', 'application/sql'],
    ['code', 'a.ts', 'text/plain'],
    ['code', 'key.pem', 'application/*'],
    ['code', 'a.stl', 'model/stl'],
    ['code', 'a.m3u', 'audio/x-mpegurl'],
    ['text beginning with BM', 'a.txt', 'text/*'],
    ['text beginning with ID3', 'a.md', 'text/*'],
    ['xml', 'a.xml', 'application/xml'],
    ['xml', 'a.xml', 'text/xml'],
    ['xml', 'a.xspf', 'application/*'],
    ['xml', 'a.txt', 'text/plain'],
    ['svg', 'a.svg', 'image/svg+xml'],
    ['svg', 'a', 'image/*'],
    ['html', 'a.html', 'text/html'],
    ['html', 'a', 'text/html'],
    ['html', 'a.vue', 'text/html'],
    ['html', 'a.md', 'text/markdown'],
    ['html', 'a.txt', 'text/plain'],
    ['html', 'a.php', '*/*'],
    ['html in UTF-16', 'a.htm', 'text/html'],
    ['html in Latin-1', 'a.html', 'text/html'],
    ['html, late', 'a.xhtml', 'application/xhtml+xml'],
    ['latin1', 'a.txt', 'application/octet-stream'],
    ['empty', 'a.wav', 'audio/*'],
    ['empty', 'a', 'application/octet-stream'],
  ])('%s as %s under %s', async (kind, name, allowed) => {
    expect(await verdict(files[kind], name, allowed)).toBe('ok')
  })
})

describe('names that their bytes contradict, even if all types are allowed', () => {
  it.each<[FileKind, string, string, string]>([
    ['html', 'evil.wav', 'audio/wav', 'text/html'],
    ['html, late', 'evil.mp3', 'audio/mpeg', 'text/html'],
    ['html in UTF-16', 'evil.wav', 'audio/wav', 'text/html'],
    ['html in Latin-1', 'evil.png', 'image/png', 'text/html'],
    ['html and NUL', 'evil.json', 'application/json', 'text/html'],
    ['html', 'evil.csv', 'text/csv', 'text/html'],
    ['html', 'evil.svg', 'image/svg+xml', 'text/html'],
    ['html', 'evil.doc', 'application/msword', 'text/html'],
    ['svg', 'evil.png', 'image/png', 'image/svg+xml'],
    ['plain', 'a.wav', 'audio/wav', 'text/plain'],
    ['plain', 'a.au', 'audio/basic', 'text/plain'],
    ['plain', 'a.zip', 'application/zip', 'text/plain'],
    ['text beginning with BM', 'a.bmp', 'image/bmp', 'text/plain'],
    ['text beginning with ID3', 'a.mp3', 'audio/mpeg', 'text/plain'],
    ['xml', 'a.mp4', 'video/mp4', 'application/xml'],
    ['rtf', 'a.txt', 'text/plain', 'application/rtf'],
    ['pdf in letters', 'a.txt', 'text/plain', 'application/pdf'],
    ['pdf', 'a.json', 'application/json', 'application/pdf'],
    ['exe', 'a.wav', 'audio/wav', 'application/x-msdownload'],
    ['elf', 'a.png', 'image/png', 'application/x-elf'],
    ['wav', 'a.flac', 'audio/x-flac', 'audio/wav'],
    ['wav', 'a.mp3', 'audio/mpeg', 'audio/wav'],
    ['mp3 frames', 'a.wav', 'audio/wav', 'audio/mpeg'],
    ['ogg vorbis', 'a.mp3', 'audio/mpeg', 'audio/ogg'],
    ['webm', 'a.mp4', 'video/mp4', 'video/webm'],
    ['png', 'a.jpg', 'image/jpeg', 'image/png'],
    ['zip', 'a.wav', 'audio/wav', 'application/zip'],
    ['zip', 'a.csv', 'text/csv', 'application/zip'],
    ['docx', 'a.pdf', 'application/pdf', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
    ['docx', 'a.jar', 'application/java-archive', '…wordprocessingml.document'],
    ['gzip', 'a.zip', 'application/zip', 'application/gzip'],
    ['ole', 'a.pdf', 'application/pdf', 'application/x-cfb'],
    ['unknown', 'a.wav', 'audio/wav', 'no type that is known'],
    ['unknown', 'a.png', 'image/png', 'no type that is known'],
    ['latin1', 'a.pdf', 'application/pdf', 'no type that is known'],
  ])('%s as %s', async (kind, name, named, found) => {
    const bytes = found.replace('…', 'application/vnd.openxmlformats-officedocument.')
    const why = `its name says ${named}, its bytes are ${bytes}; rename it, or leave --allow-type out`
    expect(await verdict(files[kind], name, '*/*', 'audio/*', 'text/html')).toBe(why)
  })
})

describe('types that are not allowed', () => {
  it.each<[FileKind, string, readonly string[], string]>([
    ['png', 'a.png', ['audio/*'], 'its bytes are image/png; --allow-type takes audio/*'],
    ['png', 'a', ['audio/*', 'video/mp4'], 'its bytes are image/png; --allow-type takes audio/*, video/mp4'],
    ['plain', 'a.md', ['text/plain'], 'its bytes are text/markdown; --allow-type takes text/plain'],
    ['code', 'a.ts', ['video/*'], 'its bytes are text/plain; --allow-type takes video/*'],
    ['html', 'a.html', ['audio/*'], 'its bytes are text/html; --allow-type takes audio/*'],
    ['unknown', 'a.mp3', ['audio/*'], 'its bytes are of no type that is known (application/octet-stream)'],
    ['latin1', 'a.txt', ['text/*'], 'its bytes are of no type that is known (application/octet-stream)'],
    ['empty', 'a.wav', ['image/*'], 'its bytes are audio/wav; --allow-type takes image/*'],
    ['plain', 'a.xyz', ['chemical/x-xyz'], 'its bytes are text/plain; --allow-type takes chemical/x-xyz'],
  ])('%s as %s under %j', async (kind, name, allowed, message) => {
    expect(await verdict(files[kind], name, ...allowed)).toContain(message)
  })
})

describe('what is told by what stands further in', () => {
  const large = Buffer.alloc(200_000, 0x37)
  const officeType = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'

  it('sound after a tag with a picture', async () => {
    expect(await verdict(Buffer.concat([id3(100_000), flac()]), 'a.flac', 'audio/flac')).toBe('ok')
    expect(await verdict(Buffer.concat([id3(100_000), flac()]), 'a.mp3', 'audio/*')).toContain(
      'its bytes are audio/flac',
    )
  })

  it('an office file whose first entry is large', async () => {
    const archive = zip({
      'word/media/image1.bin': large,
      'word/document.xml': '<w:document/>',
      '[Content_Types].xml': '',
    })
    expect(await verdict(archive, 'a.docx', officeType)).toBe('ok')
    expect(await verdict(archive, 'a.wav', 'audio/*')).toContain('its name says audio/wav')
  })

  it('a damaged one is what it begins as', async () => {
    const cut = Buffer.concat([docx().subarray(0, 60), large])
    expect(await verdict(cut, 'a.zip', 'application/zip')).toBe('ok')
  })

  it('what nobody knows even then', async () => {
    expect(await verdict(Buffer.concat([files.unknown, large]), 'a.npy', 'application/octet-stream')).toBe('ok')
  })

  it('a large file that its beginning tells of', async () => {
    expect(await verdict(wav(1_000_000), 'a.wav', 'audio/*')).toBe('ok')
    expect(await verdict(Buffer.from('ä'.repeat(10_000)), 'a.txt', 'text/*')).toBe('ok')
  })
})

describe('a file that cannot be read', () => {
  it.each([
    ['gone.wav', 'SOURCE_NOT_FOUND'],
    ['directory', 'SOURCE_UNREADABLE'],
  ])('%s: %s', async (name, code) => {
    const dir = await tempDir()
    await mkdir(join(dir, 'directory'))
    const refused = await createTypeLimit(['audio/*'])?.refuseFile({ absolute: join(dir, name), size: 9 }, name)
    expect(refused).toMatchObject({ code })
  })
})

it('no types, no limit', () => {
  expect(createTypeLimit([])).toBeUndefined()
})

it('whatever the bytes, there is a verdict', async () => {
  const limit = createTypeLimit(['audio/*'])
  const random = randomFrom(7)
  const beginnings = Object.values(files)
  const names = ['a.wav', 'a.json', 'a.docx', 'a.ts', 'a', 'a.svg', 'a.mp3']
  for (let round = 0; round < 3000; round += 1) {
    const noise = Buffer.from(Array.from({ length: random.below(300) }, () => random.below(256)))
    const known = random.oneOf(beginnings)
    const bytes = Buffer.concat([known.subarray(0, random.below(known.length + 1)), noise])
    const refused = await limit?.refuseHead(bytes, random.below(2) === 0, random.oneOf(names))
    expect([undefined, 'TYPE_NOT_ALLOWED']).toContain(refused?.code)
  }
})
