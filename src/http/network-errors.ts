import { type ErrorRow, said } from './error-row.ts'

/** What a message about the way to a server may name. Nothing here is secret. */
export interface NetworkScene {
  /** Host (and port) the requests go to. */
  readonly host: string
  /** The proxy's host and port, where requests go through one. */
  readonly proxy?: string | undefined
  /** What of the user's settings names the host: `the endpoint`. */
  readonly namedBy: string
  /** Another setting that makes a part of its name: `--path-style`. */
  readonly shapedBy?: string | undefined
}

const certificate = ({ host }: NetworkScene) =>
  `the certificate of ${host} is not signed by an authority this machine trusts; name its file with --ca-bundle`

function settingsOf({ namedBy, shapedBy }: Pick<NetworkScene, 'namedBy' | 'shapedBy'>): string {
  return shapedBy === undefined ? namedBy : `${namedBy}, or ${shapedBy}`
}

/** Failures on the way, by the error's `code`. */
export const networkRows: readonly ErrorRow<NetworkScene>[] = [
  {
    names: ['ECONNREFUSED'],
    code: 'CONNECTION',
    unreachable: true,
    message: ({ host, namedBy }) => `${host} refuses connections; check ${namedBy} and that the server runs`,
  },
  {
    names: ['ENOTFOUND'],
    code: 'CONNECTION',
    unreachable: true,
    message: ({ host, ...naming }) => `there is no host of the name ${host}; check ${settingsOf(naming)}`,
  },
  {
    names: ['EAI_AGAIN'],
    code: 'CONNECTION',
    unreachable: true,
    message: ({ host }) => `the name ${host} cannot be looked up now; check the network`,
  },
  {
    names: ['ECONNRESET', 'EPIPE', 'ECONNABORTED'],
    code: 'CONNECTION',
    message: ({ host }) => `the connection to ${host} was closed in the middle; check the network and the server`,
  },
  {
    names: ['ETIMEDOUT', 'ESOCKETTIMEDOUT'],
    code: 'CONNECTION',
    unreachable: true,
    message: ({ host }) => `the connection to ${host} timed out; check the network`,
  },
  {
    names: ['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'EADDRNOTAVAIL'],
    code: 'CONNECTION',
    unreachable: true,
    message: ({ host }) => `${host} cannot be reached; check the network`,
  },
  {
    names: ['EMFILE', 'ENFILE', 'ENOBUFS'],
    // This machine's limit: nothing the server refused.
    code: 'INTERNAL',
    retryable: true,
    message: said('too many open files and connections; lower --concurrency or raise "ulimit -n"'),
  },
  {
    names: ['EPERM', 'EACCES'],
    code: 'CONNECTION',
    message: ({ host }) => `this machine does not allow connections to ${host}; check its firewall`,
  },
  {
    names: [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'CERT_UNTRUSTED',
    ],
    code: 'CONNECTION',
    retryable: false,
    message: certificate,
  },
  {
    names: ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'],
    code: 'CONNECTION',
    retryable: false,
    message: ({ host }) => `the certificate of ${host} is not valid today; check its dates and this machine's clock`,
  },
  {
    names: ['ERR_TLS_CERT_ALTNAME_INVALID'],
    code: 'CONNECTION',
    retryable: false,
    message: ({ host, ...naming }) => `the certificate is not one for ${host}; check ${settingsOf(naming)}`,
  },
  {
    names: ['CERT_REVOKED', 'CERT_REJECTED', 'CERT_SIGNATURE_FAILURE', 'INVALID_CA', 'INVALID_PURPOSE'],
    code: 'CONNECTION',
    retryable: false,
    message: ({ host }) => `the certificate of ${host} cannot be accepted`,
  },
  {
    names: ['EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER'],
    code: 'CONNECTION',
    retryable: false,
    message: ({ host }) => `${host} does not speak TLS; is its address http:// instead of https://?`,
  },
]
