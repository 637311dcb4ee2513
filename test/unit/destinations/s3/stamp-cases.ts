import type { S3ClientConfig } from '@aws-sdk/client-s3'
import type * as Port from '../../../../src/destinations/destination.ts'
import type { ObjectProperties } from '../../../../src/destinations/s3/template.ts'
import { awkwardKeys } from '../../../contract/awkward-keys.ts'
import { seeded } from '../../plan/tree.ts'

/** What is signed for a moment is the same whenever the test runs; a second later would be another signature. */
export const moment = Date.UTC(2026, 10, 22, 23, 59, 58, 900)

/** Where a bucket may be: how the SDK is set up, and the bucket's name. */
export const places: Readonly<Record<string, { readonly config: S3ClientConfig; readonly bucket?: string }>> = {
  'virtual host': { config: {} },
  'path style': { config: { forcePathStyle: true } },
  'a bucket with dots': { config: {}, bucket: 'a.bucket.with.dots' },
  'a bucket with an old name': { config: {}, bucket: 'Old_Bucket' },
  'another partition': { config: { region: 'cn-north-1' } },
  'dual-stack': { config: { useDualstackEndpoint: true } },
  accelerate: { config: { useAccelerateEndpoint: true } },
  FIPS: { config: { region: 'us-gov-west-1', useFipsEndpoint: true } },
  'an access point': { config: {}, bucket: 'arn:aws:s3:eu-central-1:123456789012:accesspoint/mine' },
  'an endpoint, path style': { config: { endpoint: 'http://127.0.0.1:9000', forcePathStyle: true } },
  'an endpoint, virtual host': { config: { endpoint: 'https://s3.example.test:8443' } },
  'an endpoint with a path, path style': {
    config: { endpoint: 'https://gateway.example.test/storage/v1/s3', forcePathStyle: true },
  },
  'an endpoint with a path, virtual host': { config: { endpoint: 'https://gateway.example.test/storage/v1/s3/' } },
}

/** All a user could set of an object beside its key and content type. */
export const properties: Readonly<Record<string, ObjectProperties>> = {
  none: {},
  CacheControl: { CacheControl: 'public,  max-age=3600 , immutable' },
  ContentDisposition: { ContentDisposition: 'attachment; filename="a  b.wav"; filename*=UTF-8\'\'a%20b.wav' },
  ContentEncoding: { ContentEncoding: 'gzip' },
  ContentLanguage: { ContentLanguage: 'de-DE, en' },
  Metadata: {
    Metadata: { plain: 'text', Spaced: '  several   spaces\tand a tab  ', empty: '', 'with-dash': '#%&+=;,/?:@' },
  },
  Tagging: { Tagging: 'project=a%20b&owner=%26%3D&empty=' },
  StorageClass: { StorageClass: 'STANDARD_IA' },
  ACL: { ACL: 'bucket-owner-full-control' },
  grants: {
    GrantRead: 'id="abc", id="def"',
    GrantFullControl: 'uri="http://acs.amazonaws.com/groups/global/AllUsers"',
  },
  ServerSideEncryption: { ServerSideEncryption: 'AES256' },
  SSEKMSKeyId: {
    ServerSideEncryption: 'aws:kms',
    SSEKMSKeyId: 'arn:aws:kms:us-east-1:123456789012:key/1234abcd',
    SSEKMSEncryptionContext: 'eyJhIjoiYiJ9',
    BucketKeyEnabled: true,
  },
  SSECustomerKey: { SSECustomerAlgorithm: 'AES256', SSECustomerKey: '0123456789abcdef0123456789abcdef' },
  IfNoneMatch: { IfNoneMatch: '*' },
  Expires: { Expires: new Date(moment) },
  WebsiteRedirectLocation: { WebsiteRedirectLocation: '/another page?x=1#y' },
  ObjectLock: {
    ObjectLockMode: 'GOVERNANCE',
    ObjectLockRetainUntilDate: new Date(moment + 86_400_000),
    ObjectLockLegalHoldStatus: 'ON',
  },
  RequestPayer: { RequestPayer: 'requester' },
  ExpectedBucketOwner: { ExpectedBucketOwner: '123456789012' },
}
export const allProperties: ObjectProperties = Object.assign({}, ...Object.values(properties))

/** The same, as the command line takes it. */
export const askedFor: readonly Port.ObjectProperties[] = [
  {},
  { cacheControl: 'public,  max-age=3600 , immutable' },
  { contentEncoding: 'gzip, br' },
  { contentDisposition: 'attachment; filename="a  b.wav"; filename*=UTF-8\'\'a%20b.wav' },
  { metadata: { take: '1', 'With-Case': 'a  b', empty: '', 'a.b_c': '#%&+=;,/?:@' } },
  { metadata: { mtime: 'of their own', x: 'y' } },
  { tags: { project: 'a b', 'k=&/:': 'ü 漢 + - = . _ : / @', empty: '' } },
  { storageClass: 'INTELLIGENT_TIERING' },
  { acl: 'public-read' },
  { sse: 'AES256' },
  { sse: 'aws:kms', sseKmsKeyId: 'arn:aws:kms:us-east-1:123456789012:key/1234abcd' },
  { sse: 'aws:kms:dsse' },
  {
    cacheControl: 'no-cache',
    contentEncoding: 'gzip',
    contentDisposition: 'inline',
    metadata: { x: 'y' },
    tags: { a: 'b' },
    storageClass: 'STANDARD_IA',
    acl: 'bucket-owner-full-control',
    sse: 'aws:kms:dsse',
    sseKmsKeyId: 'alias/mine',
  },
]

export const keys: readonly string[] = [
  ...awkwardKeys,
  'double//slash///in/it',
  'ends/with/a/slash/',
  '/begins/with/one',
  './dots/../and/./more',
  "quotes'\"`(parentheses)!*'~",
  '%41%2f%2F%',
  'a=b&c=d?e#f',
  'key-of-the-object',
  '\u{1f9d1}'.repeat(256),
  ...randomKeys(200),
]

function randomKeys(count: number): string[] {
  const below = seeded(4)
  const characters = [
    ...' #%?+&=;:,@$!*\'"()[]{}<>~|^`\\/._-aZ09éöñ漢ю😀👩‍👩‍👧',
    'u\u0308',
    '//',
    '%20',
    '\u00a0',
    '\u2028',
  ]
  return Array.from({ length: count }, () => {
    return Array.from({ length: 1 + below(40) }, () => characters[below(characters.length)]).join('')
  })
}
