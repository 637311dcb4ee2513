/** File names people have that something along the way tends to mangle. None holds a control character. */
export const awkwardNames: readonly string[] = [
  'a b  c.txt',
  ' leading and trailing ',
  'hash#1.txt',
  '100%.txt',
  '%41%2F.txt',
  'plus+plus.txt',
  'amp&equals=.txt',
  'tilde~(paren)!.txt',
  "apostrophe's.txt",
  'comma,semi;colon@at$dollar.txt',
  '[bracket]{brace}^.txt',
  '-dash.txt',
  '--to',
  '.leading-dot',
  '..two-dots',
  '日本語ファイル.txt',
  'Grüße.txt',
  '😀👩‍👩‍👧.txt',
  'ﷺعربى.txt',
  '=cmd.wav',
  '+1.wav',
  '@SUM(A1).wav',
  `${'n'.repeat(251)}.txt`,
  // 83 characters, but 254 bytes.
  `${'語'.repeat(83)}.wave`,
  ...(process.platform === 'win32'
    ? []
    : ['question?.txt', 'quote"double".txt', 'star*.txt', '<angle>|pipe.txt', 'colon:.txt']),
]
