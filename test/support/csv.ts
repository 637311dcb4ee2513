/**
 * A strict reader of RFC 4180: CRLF or LF between records, quotes only around a whole field and doubled inside it,
 * the same number of fields in every record. Anything else throws: the writer is what is being tested.
 */
export function parseCsv(text: string): string[][] {
  const records: string[][] = []
  let at = 0
  while (at < text.length) {
    const record: string[] = []
    for (;;) {
      const [field, next] = text.charAt(at) === '"' ? quotedField(text, at) : plainField(text, at)
      record.push(field)
      at = next
      if (text.charAt(at) !== ',') break
      at += 1
    }
    if (text.startsWith('\r\n', at)) at += 2
    else if (text.charAt(at) === '\n') at += 1
    else if (at < text.length) throw new Error(`CSV: ${JSON.stringify(text.charAt(at))} after a field, at ${at}`)
    records.push(record)
  }
  const width = records[0]?.length
  const odd = records.findIndex((record) => record.length !== width)
  if (odd !== -1) throw new Error(`CSV: record ${odd + 1} has ${records[odd]?.length} fields, the first ${width}`)
  return records
}

/** One object a record, by the names in the first. */
export function readCsv(text: string): Record<string, string>[] {
  const [header = [], ...rows] = parseCsv(text)
  return rows.map((row) => Object.fromEntries(header.map((name, column) => [name, row[column] ?? ''])))
}

function quotedField(text: string, start: number): [string, number] {
  let field = ''
  for (let at = start + 1; at < text.length; at += 1) {
    if (text.charAt(at) !== '"') field += text.charAt(at)
    else if (text.charAt(at + 1) !== '"') return [field, at + 1]
    else {
      field += '"'
      at += 1
    }
  }
  throw new Error(`CSV: the quote at ${start} is never closed`)
}

function plainField(text: string, start: number): [string, number] {
  let at = start
  while (at < text.length && !',\r\n'.includes(text.charAt(at))) {
    if (text.charAt(at) === '"') throw new Error(`CSV: a quote inside an unquoted field, at ${at}`)
    at += 1
  }
  return [text.slice(start, at), at]
}
