/** What servers say on their TLS port to a request in plain HTTP: nginx, Go's, Apache. */
export const wantsTls =
  /plain HTTP request was sent to HTTPS port|HTTP request to an HTTPS server|speaking plain HTTP to an SSL/i
