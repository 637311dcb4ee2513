/** A file's name relative to its base, as hostile or unlucky as names get, and what becomes of it. */
export interface HostileName {
  readonly name: string
  /** The key it gets where nothing is changed; undefined where no destination takes it. */
  readonly key: string | undefined
  /** Destinations that cannot hold that key. */
  readonly refusedBy: readonly DestinationKind[]
  /** Destinations where what is wrong with it cannot be mended by writing characters as their bytes. */
  readonly beyondMendingAt?: readonly DestinationKind[]
}

export type DestinationKind = 's3' | 'supabase' | 'file'

const nowhere: readonly DestinationKind[] = ['s3', 'supabase', 'file']

function everywhere(...names: readonly string[]): HostileName[] {
  return names.map((name) => ({ name, key: name, refusedBy: [] }))
}

/** Supabase has a rule of its own for characters. */
function notAtSupabase(...names: readonly string[]): HostileName[] {
  return names.map((name) => ({ name, key: name, refusedBy: ['supabase'] }))
}

function refused(...names: readonly string[]): HostileName[] {
  return names.map((name) => ({ name, key: undefined, refusedBy: nowhere }))
}

function beyondMending(...names: readonly string[]): HostileName[] {
  return refused(...names).map((each) => ({ ...each, beyondMendingAt: nowhere }))
}

const [x200, e127] = ['x'.repeat(200), 'é'.repeat(127)]
/** Of so many bytes in all, none of its segments longer than a file's name may be. */
const longPath = (bytes: number) => `${`${x200}/`.repeat(5)}${'y'.repeat(bytes - 5 * 201)}`

/** As they are on disks of POSIX systems: a backslash is a character there. */
// biome-ignore format: a table
export const hostileNames: readonly HostileName[] = [
  // Ways out, in every spelling. Only the plain ones are any to a destination; the others are odd names.
  ...refused('..', '.', '../x', '../../etc/passwd', 'a/../../x', 'a/..', 'a/../b', './x', 'a/./b', 'a/.', '.././x'),
  ...refused('/etc/passwd', '/x', '//x', '///x', '//server/share/x', 'a//b', 'a///b', 'a/', 'a//', '/', '//', '/..'),
  ...refused('../', './', '..//x', 'a/b/../../../c', '.../../x', '../.upload-tmp/x', '..\u0000/x', '../\u202e'),
  ...everywhere('...', '....', '.../x', '..x', 'x..', '..x/y', 'x../y', '.x', 'x.', 'a..b', '. .', '.. ', ' ..', ' .'),
  ...everywhere('..;/x', '.;x', '..a/..b'),
  ...notAtSupabase('%2e%2e', '%2e%2e/x', '%2E%2E%2Fx', '..%2fx', '..%2f..%2fx', '%2fetc%2fpasswd', '%00', 'a%00.wav'),
  ...notAtSupabase('%252e%252e%252fx', '%c0%ae%c0%ae/x', '..%c0%afx', '%u002e%u002e', '..%5cx', '%', '%zz', '100%'),
  ...notAtSupabase('..\\x', '..\\..\\x', '\\x', '\\\\server\\share\\x', 'C:\\x', 'C:\\..\\x', 'a\\b', '\\\\?\\C:\\x', '\\'),
  ...everywhere('C:', 'C:x', 'c:/x', 'file:/etc/passwd', 's3:/bucket/x', 'http:/host/x', 'a:b', 'x:$DATA', '::', 'nul:'),
  // Fullwidth and look-alike dots and slashes: none of them is folded into the plain ones.
  ...notAtSupabase('\uff0e\uff0e/x', '\uff0e\uff0e\uff0fx', '\u2024\u2024/x', '\u2025/x', '\u2026', '..\u2215x', '..\u2044x'),
  ...notAtSupabase('a\u29f8b', '\u2216x', '\ufe52\ufe52/x', '\u3002\u3002/x'),
  // Control characters, of ASCII and of Latin-1.
  ...refused('\u0000', 'a\u0000b', 'a.wav\u0000.txt', 'a\nb', 'a\r\nb', 'a\tb', '\u001b[31mred', 'a\u0007', 'a\u007f'),
  ...refused('\n', ' \n', 'a\u0085b', 'a\u009bb', 'a\u0080', '\u001fx/y', 'x/\u0001', 'a\u000bb', 'a\u000cb', 'a\bb'),
  // Behind the notation's letters, these marks would make other characters of them.
  ...refused('a\u001f\u0301b', 'x\n\u0307/y', 'a//\u0301b', '\u007f\u0327', '/\u0338'),
  // Not Unicode: halves of surrogate pairs.
  ...beyondMending('\ud800', 'a\udc00b', '\udc00\ud800', 'a/\udfff', '\ud83d.wav'),
  ...beyondMending(''),
  // Names of temporary files, of shells, of other programs, of devices.
  { name: '.upload-tmp/x', key: '.upload-tmp/x', refusedBy: ['file'] },
  ...everywhere('x/.upload-tmp', 'y/.upload-tmp/z', '.upload-tmp2', '.uploadignore', '.uploadrc.json', '.git/config'),
  ...notAtSupabase('~', '~root', '~/x', '`id`', '$HOME~', '~$doc.docx', 'a|b', '|', '>x', '<x', 'a>b', '&&x|y', '"', '"x"'),
  ...everywhere('$HOME', '$(id)', '; rm -rf x', '&& x', '-rf', '--', '--to', '-', '!x', '!!'),
  ...everywhere('CON', 'con', 'nul.txt', 'AUX', 'PRN.wav', 'COM1', 'lpt9.log', 'CONIN$', 'a.', 'a ', ' a', 'a. ', ' ', '   '),
  ...everywhere("'", "''", "it's", "' OR '1'='1", '(x)', ')', '*', '?', '*.wav', 'a?b', '**', '?x=1&y=2', 'a+b', '+', 'a b'),
  ...everywhere('=1+1', '@SUM(A1)', '=3D', '=C3=A9', '=2E=2E', 'a=2Fb', '=', '==', 'a=b', 'a&b', 'a;b', 'a,b', 'a@b', 'a:b:c', 'a$b'),
  ...notAtSupabase('#', 'a#b', '#x', 'a?b#c', '[x]', '[a-z]', '{a,b}', '{path}', '{}', '{uuid}{ext}', '^x', 'x^', '<script>'),
  ...notAtSupabase('[', ']', '{', '}', '<a href="x">', '<angle>|pipe'),
  ...everywhere('null', 'undefined', 'NaN', '0', '-0', '__proto__', 'constructor', 'toString', 'x/__proto__/y', 'index.html'),
  // Beyond ASCII, all of it in NFC.
  ...notAtSupabase('é', 'Grüße', '日本語', 'дорога', 'طريق', 'ไทย', '한글', 'ﷺ', 'ß', 'ẞ', 'ı', 'İ', 'ŉ', 'ﬁ', 'Ⅳ', '①', 'ª'),
  ...notAtSupabase('😀', '👩‍👩‍👧', '🏳️‍🌈', '\u{1f1e9}\u{1f1ea}', '\u{20000}', '\u{10ffff}', '\u{e0001}', '\ue000', '\uffff', '\ufffd'),
  // Marks that turn, hide or join what is around them.
  ...notAtSupabase('\u202egnp.exe', 'a\u202eb', '\u200f', '\u200b', 'a\u200bb', '\u200d', '\ufeff', '\ufeffx', '\u2060', '\u00ad'),
  ...notAtSupabase('\u2066x\u2069', '\u061c', '\u180e', '\u034f', '\u3164', '\u115f', '\u00a0', '\u3000', '\u2028', '\u2029', 'a\u2028b'),
  ...notAtSupabase('\u0301', '\u0301x', `x${'\u0334'.repeat(40)}`, '\ufe0f', '\u20e3'),
  // Written in another form than NFC: the key is in NFC.
  { name: 'cafe\u0301', key: 'caf\u00e9', refusedBy: ['supabase'] },
  { name: 'A\u030a', key: '\u00c5', refusedBy: ['supabase'] },
  { name: '\u212b', key: '\u00c5', refusedBy: ['supabase'] },
  { name: '\u1112\u1161\u11ab', key: '\ud55c', refusedBy: ['supabase'] },
  { name: 'q\u0307\u0323', key: 'q\u0323\u0307', refusedBy: ['supabase'] },
  { name: '\u2126', key: '\u03a9', refusedBy: ['supabase'] },
  { name: '\u212a', key: 'K', refusedBy: [] },
  { name: '\u037e', key: ';', refusedBy: [] },
  { name: '\u1fef', key: '`', refusedBy: ['supabase'] },
  { name: '=\u0338', key: '\u2260', refusedBy: ['supabase'] },
  // As long as names get, and longer.
  ...everywhere('n'.repeat(255), `${'n'.repeat(251)}.wav`, `${'d'.repeat(255)}/${'f'.repeat(255)}`, longPath(1018)),
  ...notAtSupabase('語'.repeat(85), `${e127}x`),
  { name: 'n'.repeat(256), key: 'n'.repeat(256), refusedBy: ['file'], beyondMendingAt: ['file'] },
  { name: `${e127}xy`, key: `${e127}xy`, refusedBy: ['file', 'supabase'], beyondMendingAt: ['file'] },
  { name: longPath(1100), key: longPath(1100), refusedBy: ['s3'], beyondMendingAt: ['s3'] },
]
