const longSegment = 'x'.repeat(200)

/** Keys that naive clients store under another name, or not at all. */
export const awkwardKeys: readonly string[] = [
  'a space.wav',
  ' leading and trailing ',
  'hash#mark.wav',
  'per%cent.wav',
  'already%20encoded.wav',
  'question?mark=1&x.wav',
  'plus+sign.wav',
  'amp&ersand.wav',
  'equals=sign.wav',
  'semi;colon,comma@at:colon$dollar.wav',
  "single'quote.wav",
  'double"quote.wav',
  'back\\slash.wav',
  'less<and>greater.wav',
  'brackets[0]{1}(2)!*~|^`.wav',
  'tab-free.but.many.dots...wav',
  '.hidden/.file',
  'emoji-😀-👩‍👩‍👧.wav',
  'umlaut-\u00fc-composed.wav',
  'umlaut-u\u0308-decomposed.wav',
  'дорога/道/طريق.wav',
  'uploads',
  'a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/v/w/x/y/z.wav',
  `${longSegment}/${longSegment}/${longSegment}/${longSegment}/${longSegment}/${'y'.repeat(1024 - 5 * 201)}`,
]
