import { Mime } from 'mime/lite'
import otherTypes from 'mime/types/other.js'
import standardTypes from 'mime/types/standard.js'

/** Endings of code and data that the library has no type for. */
const unregistered = {
  'application/vnd.apache.parquet': ['parquet'],
  'application/x-ndjson': ['jsonl', 'ndjson'],
  'text/x-go': ['go'],
  'text/x-python': ['py'],
  'text/x-ruby': ['rb'],
  'text/x-rust': ['rs'],
}

// Later tables give way, except that `.rs` is Rust rather than a registry's forgotten XML.
const mime = new Mime(standardTypes, otherTypes).define(unregistered, true)

/**
 * The media type a name stands for, text with the encoding that nearly all of it has by now: without, a browser would
 * guess another. `application/octet-stream` where nobody knows.
 */
export function contentTypeByName(name: string): string {
  // Without the "/" a file called `json` would count as an ending alone.
  const type = mime.getType(`/${name}`) ?? 'application/octet-stream'
  return type.startsWith('text/') ? `${type}; charset=utf-8` : type
}
