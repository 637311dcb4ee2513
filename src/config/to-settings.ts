import type { ObjectProperties } from '../destinations/destination.ts'
import type { propertyKeys } from './file/property-keys.ts'
import type { OptionValues } from './options/options.ts'
import type { Settings } from './settings.ts'

/** The options' values as the rest of the program knows them. */
export function toSettings(
  values: OptionValues & { readonly to: string },
  sources: readonly string[],
  configFile: string | undefined,
): Settings {
  const { endpointUrl, region, profile, pathStyle, noSignRequest, caBundle, noVerifySsl } = values
  const { retries, retryDelay, retryMaxDelay, retryMaxTime, retryFailed } = values
  return {
    sources,
    filesFrom: values.filesFrom,
    null: values.null,
    base: values.base,
    flatten: values.flatten,
    key: values.key,
    keyFix: values.keyFix,
    include: values.include,
    exclude: values.exclude,
    excludeFrom: values.excludeFrom,
    newerThan: values.newerThan,
    olderThan: values.olderThan,
    follow: values.follow,
    allowEmpty: values.allowEmpty,
    limits: {
      maxSize: values.maxSize,
      minSize: values.minSize,
      maxFiles: values.maxFiles,
      maxTotalSize: values.maxTotalSize,
      allowExt: values.allowExt,
      denyExt: values.denyExt,
      allowType: values.allowType,
    },
    to: values.to,
    s3: { endpointUrl, region, profile, pathStyle, signRequest: !noSignRequest },
    supabase: { url: values.supabaseUrl },
    tls: { caBundle, verify: !noVerifySsl },
    contentType: values.contentType,
    properties: propertiesOf(values),
    preserve: values.preserve,
    rules: [],
    routes: [],
    rollout: undefined,
    ifExists: values.ifExists,
    concurrency: values.concurrency,
    partSize: values.partSize,
    multipartThreshold: values.multipartThreshold,
    partConcurrency: values.partConcurrency,
    bufferSize: values.bufferSize,
    limitRate: values.limitRate,
    order: values.order,
    engine: values.engine,
    retry: {
      retries,
      retryDelayMs: retryDelay,
      retryMaxDelayMs: retryMaxDelay,
      retryMaxTimeMs: retryMaxTime,
      retryFailed,
    },
    timeouts: { requestMs: values.timeout, stallMs: values.stallTimeout },
    resume: values.resume || values.resumeFrom !== undefined,
    resumeFrom: values.resumeFrom,
    checksum: values.checksum,
    verify: values.verify,
    onChange: values.onChange,
    halt: { maxFailures: values.maxFailures, maxErrorRate: values.maxErrorRate, deadline: values.deadline },
    undoOnFailure: values.undoOnFailure,
    dryRun: values.dryRun,
    runId: values.runId,
    report: values.report,
    progress: values.progress,
    quiet: values.quiet,
    verbose: values.verbose,
    noColor: values.noColor,
    json: values.json,
    configFile,
    isConfigNamed: values.config !== undefined,
    preset: values.preset,
    ignored: [],
    warnings: [],
  }
}

/** What is kept with an object, by the names of the port. */
export function propertiesOf(values: Pick<OptionValues, (typeof propertyKeys)[number]>): ObjectProperties {
  const { cacheControl, contentEncoding, contentDisposition, metadata, tag, storageClass, acl, sse, sseKmsKeyId } =
    values
  return { cacheControl, contentEncoding, contentDisposition, metadata, tags: tag, storageClass, acl, sse, sseKmsKeyId }
}
