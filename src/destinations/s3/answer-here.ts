import type { PutObjectCommand, S3Client, UploadPartCommand } from '@aws-sdk/client-s3'
import type { HttpRequest, HttpResponse } from '@smithy/core/protocols'
import { renewalMiddleware } from './renewal.ts'

/**
 * Carries a command all the way through the SDK but for the network: `answer` stands for the server. So the SDK can be
 * asked what it would send, and what it makes of what came back.
 *
 * @throws whatever the SDK throws.
 */
export async function answerHere(
  client: S3Client,
  command: PutObjectCommand | UploadPartCommand,
  answer: (request: HttpRequest) => HttpResponse,
): Promise<void> {
  // The step nearest to the network, and there the last.
  command.middlewareStack.addRelativeTo(
    () => async (args: { readonly request: unknown }) => ({ response: answer(args.request as HttpRequest) }) as never,
    { relation: 'after', toMiddleware: 'deserializerMiddleware', name: 'answerHere' },
  )
  // Nothing was sent, so there is nothing to send again with other credentials.
  const { middlewareStack } = command as PutObjectCommand
  middlewareStack.add((next) => next, { ...renewalMiddleware, override: true })
  await client.send(command as PutObjectCommand)
}
