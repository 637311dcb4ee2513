import mime from 'mime'

/** The media type a name stands for; `application/octet-stream` where nobody knows. */
export function contentTypeByName(name: string): string {
  // Without the "/" a file called `json` would count as an ending alone.
  return mime.getType(`/${name}`) ?? 'application/octet-stream'
}
