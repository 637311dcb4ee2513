/** Which media types are one and the same, or cannot be told apart by a file's first bytes. */

import { withoutParameters } from '../without-parameters.ts'

/** A media type's one name here: in lower case, without parameters, without `x-`, and by its usual name. */
export function canonicalType(type: string): string {
  const plain = withoutParameters(type).toLowerCase().replace('/x-', '/')
  return usualNames.get(plain) ?? plain
}

/** Other names of types, without `x-`, and the usual one. */
const usualNames = new Map(
  Object.entries({
    'audio/wav': ['audio/wave', 'audio/vnd.wave', 'audio/pn-wav'],
    'audio/mpeg': ['audio/mp3', 'audio/mpeg3', 'audio/mpg'],
    'audio/aac': ['audio/aacp', 'audio/vnd.dlna.adts'],
    'audio/mp4': ['audio/m4a', 'audio/mp4a-latm'],
    'audio/aiff': ['audio/aif'],
    'audio/midi': ['audio/mid'],
    'video/mpeg': ['video/mp1s', 'video/mp2p', 'video/ms-vob'],
    'video/avi': ['video/vnd.avi', 'video/msvideo'],
    'video/flv': ['video/vnd.flv'],
    'image/jpeg': ['image/jpg', 'image/pjpeg'],
    'image/bmp': ['image/ms-bmp'],
    'image/icon': ['image/vnd.microsoft.icon', 'image/ico'],
    'image/jxr': ['image/vnd.ms-photo'],
    'application/rtf': ['text/rtf'],
    'application/xml': ['text/xml'],
    'application/postscript': ['application/eps'],
    'application/gzip': ['application/gzip-compressed', 'application/tgz'],
    'application/zip': ['application/zip-compressed'],
    'application/rar-compressed': ['application/vnd.rar', 'application/rar'],
    'application/tar': ['application/gtar', 'application/ustar'],
    'application/deb': ['application/vnd.debian.binary-package', 'application/debian-package'],
    'application/rpm': ['application/redhat-package-manager'],
    'application/elf': ['application/executable', 'application/sharedlib', 'application/object'],
    'application/msdownload': ['application/vnd.microsoft.portable-executable', 'application/dosexec'],
    'application/shockwave-flash': ['application/vnd.adobe.flash.movie'],
    'application/sqlite3': ['application/vnd.sqlite3'],
    'font/ttf': ['application/font-ttf', 'font/sfnt'],
    'font/otf': ['application/font-otf'],
    'font/woff': ['application/font-woff'],
  }).flatMap(([usual, others]) => others.map((other) => [other, usual] as const)),
)

interface Family {
  /** Types whose bytes, or whose name, say no more than what all of the family share. */
  readonly general: readonly RegExp[]
  /** Types that are this and something more. */
  readonly special: readonly RegExp[]
}

/** By canonical names. */
const families: readonly Family[] = [
  // MP4 and QuickTime: one container, whose first bytes do not say whether there is a picture with the sound.
  { general: [/^(?:audio|video)\/(?:mp4|m4[abprv]|quicktime|3gpp2?|f4v)$/], special: [] },
  // Ogg: the same.
  {
    general: [/^(?:audio|video|application)\/ogg$/, /^audio\/(?:opus|speex|vorbis)$/, /^audio\/.*\+ogg$/],
    special: [],
  },
  // Matroska and WebM: the same.
  { general: [/^(?:audio|video)\/(?:matroska|webm)$/], special: [] },
  // Windows Media: the same.
  { general: [/^(?:audio|video|application)\/(?:ms-asf|vnd\.ms-asf|ms-wm[av])$/], special: [] },
  // MPEG's program and transport streams, and the sound of one alone: endings are used for one another.
  { general: [/^video\/(?:mpeg|mp2t)$/], special: [] },
  { general: [/^audio\/(?:mpeg|aac)$/], special: [] },
  // A moving PNG differs in a part that an editor may have put anywhere.
  { general: [/^image\/(?:png|apng|vnd\.mozilla\.apng)$/], special: [] },
  // HEIF: files name several brands, and any of them first.
  { general: [/^image\/(?:heic|heif|avif)(?:-sequence)?$/], special: [] },
  // JPEG 2000.
  { general: [/^(?:image|video)\/(?:jp2|jpx|jpm|mj2|jpeg2000)$/], special: [] },
  // Raw pictures of cameras are TIFF with parts of their makers'.
  {
    general: [/^image\/tiff$/],
    special: [/^image\/(?:canon|sony|adobe|nikon|panasonic|olympus|fujifilm|pentax|dcraw)/],
  },
  // `.ai` has been PDF inside for twenty years, and has the type of PostScript.
  { general: [/^application\/(?:pdf|postscript|illustrator)$/], special: [] },
  // Office files, books, packages and many more are ZIP; which, stands anywhere in the file, or nowhere.
  {
    general: [/^application\/zip$/],
    special: [
      /\+zip$/,
      /^application\/vnd\.(?:openxmlformats-officedocument|oasis\.opendocument|ms-xpsdocument|ms-.*macroenabled)/,
      /^application\/(?:java-archive|xpinstall|vnd\.(?:android\.package-archive|visio))$/,
      /^application\/vnd\.(?:google-earth\.kmz|sketchup\.skp|apple\.(?:pages|keynote|numbers))$/,
      /^model\/3mf$/,
      /^image\/openraster$/,
    ],
  },
  // Office files before 2007 are OLE, and so are later ones under a password, installers, mails and others.
  {
    general: [/^application\/cfb$/],
    special: [/^application\/(?:msword|mspublisher|ms-installer|vnd\.(?:ms-|visio|openxmlformats-officedocument))/],
  },
  // Compressed, which says nothing of what is inside.
  {
    general: [/^application\/gzip$/],
    special: [/^image\/svg\+xml$/, /^application\/(?:blender|dia)$/, /^application\/.*(?:\+gzip|compressed-tar)$/],
  },
  { general: [/^application\/sqlite3$/], special: [/\+sqlite3$/] },
]

/** Whether two types, both canonical, may be the same file's. */
export function mayBeSame(one: string, other: string): boolean {
  if (one === other) return true
  return families.some(({ general, special }) => {
    const isGeneral = (type: string): boolean => general.some((pattern) => pattern.test(type))
    const isMember = (type: string): boolean => isGeneral(type) || special.some((pattern) => pattern.test(type))
    return (isGeneral(one) && isMember(other)) || (isGeneral(other) && isMember(one))
  })
}

/** Whether files of many kinds, which have types of their own, begin as files of this canonical type do. */
export function isContainer(type: string): boolean {
  return containers.has(type)
}

const containers = new Set(['application/zip', 'application/gzip', 'application/cfb', 'application/sqlite3'])

/** Whether a name of this canonical type stands for text: then text is of that type. */
export function isTextKind(type: string): boolean {
  return textKinds.some((pattern) => pattern.test(type))
}

const textKinds = [
  /^text\//,
  /\+(?:xml|json|yaml)$/,
  // Data and configuration.
  /^application\/(?:json|json5|ndjson|xml|xml-dtd|yaml|toml|n-triples|n-quads|trig|graphql|edn|subrip)$/,
  // Code.
  /^application\/(?:javascript|ecmascript|node|typescript|sql|sh|csh|httpd-php|perl|tcl|tex|latex|texinfo|lua)$/,
  // Mail, keys and certificates.
  /^(?:message\/rfc822|application\/(?:mbox|pgp-keys|pgp-signature|pgp-encrypted|x509-ca-cert|pem-file))$/,
  // Lists of what to play, shapes and pictures that are written in letters.
  /^(?:audio\/(?:mpegurl|scpls)|application\/vnd\.apple\.mpegurl)$/,
  /^(?:model\/(?:stl|obj|mtl|vrml|step)|image\/(?:vnd\.dxf|xbitmap|xpixmap|portable-(?:any|bit|gray|pix)map))$/,
]

/** Whether a page of HTML may well have a name of this canonical type: one that shows it as it is written, or a template. */
export function mayHoldHtml(type: string): boolean {
  return htmlKinds.has(type)
}

const htmlKinds = new Set([
  'text/html',
  'application/xhtml+xml',
  'application/httpd-php',
  'text/php',
  'text/vue',
  'text/svelte',
  'text/handlebars-template',
  'text/component',
  'text/plain',
  'text/markdown',
])

/** Types of names that have two meanings, of which one is text. */
export function mayBeCode(type: string): boolean {
  // `.ts` and `.mts` are TypeScript, and MPEG transport streams.
  return type === 'video/mp2t'
}
