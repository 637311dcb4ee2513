/** Answers of the scripted S3 server. */

export interface WireAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** `{requestId}` in it is replaced. */
  readonly body?: string | Uint8Array
}

/** An error as S3 writes it. */
export function s3Error(status: number, code: string, message: string): WireAnswer {
  const fields = { Code: code, Message: message, RequestId: '{requestId}', HostId: 'fake-host-id' }
  return xml(status, 'Error', element(fields), false)
}

/** An XML document of one root element. */
export function xml(status: number, root: string, inner: string, namespace = true): WireAnswer {
  const xmlns = namespace ? ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"' : ''
  return {
    status,
    headers: { 'content-type': 'application/xml' },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${xmlns}>${inner}</${root}>`,
  }
}

/** Elements, one for each field that is defined. */
export function element(fields: Readonly<Record<string, string | number | boolean | undefined>>): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`)
    .join('')
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"\r]/g, (found) => `&#${found.charCodeAt(0)};`)
}
