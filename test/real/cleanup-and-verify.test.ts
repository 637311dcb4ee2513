import { CreateMultipartUploadCommand, S3Client, UploadPartCommand } from '@aws-sdk/client-s3'
import { expect, it } from 'vitest'
import { expectCode } from '../support/command.ts'
import { forEachServer } from '../support/each-server.ts'
import { engines } from '../support/settings.ts'

forEachServer((test) => {
  for (const engine of engines) {
    it(`upload checked --to s3://…/ --verify --engine ${engine}; upload verify run.jsonl`, async () => {
      const { server, ws, withPlace } = test()
      await ws.write('checked/large.bin', Buffer.alloc(17 * 2 ** 20, 5))
      await ws.write('checked/empty.bin', '')
      await ws.writeAll('checked/a ü #1.txt', 'checked/b.txt')
      await withPlace(async (place) => {
        const line = `upload checked --to ${place.url} --verify --engine ${engine} --report run-${engine}.jsonl`
        expectCode(await ws.run(line, { env: server.env }), 0)
        const verified = await ws.run(`upload verify run-${engine}.jsonl --json`, { env: server.env })
        expectCode(verified, 0)
        const lines = verified.stdout
          .trim()
          .split('\n')
          .map((text) => JSON.parse(text))
        expect(lines.map(({ result }) => result)).toEqual(['same', 'same', 'same', 'same'])

        await ws.write('other/b.txt', 'something else')
        expectCode(await ws.run(`upload other --to ${place.url}`, { env: server.env }), 0)
        const differs = await ws.run(`upload verify run-${engine}.jsonl`, { env: server.env })
        expectCode(differs, 5)
        expect(differs.stdout).toMatch(/different {6}1\n.*b.txt: size is 14 bytes/)
      })
    })
  }

  it('upload cleanup s3://…/ --older-than 0 --yes', async () => {
    const { server, ws, withPlace } = test()
    await withPlace(async (place) => {
      const prefix = place.url.slice(`s3://${place.bucket}/`.length)
      const { endpoint, credentials } = server
      const client = new S3Client({
        endpoint,
        credentials,
        region: server.env.AWS_REGION ?? 'us-east-1',
        forcePathStyle: true,
      })
      const keys = ['a b+ü.bin', 'dir/c.bin', 'dir/d.bin']
      for (const key of keys) {
        const target = { Bucket: place.bucket, Key: prefix + key }
        const { UploadId } = await client.send(new CreateMultipartUploadCommand(target))
        await client.send(
          new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: Buffer.alloc(5 * 2 ** 20) }),
        )
      }
      client.destroy()
      const shown = await ws.run(`upload cleanup ${place.url} --older-than 0 --json`, { env: server.env })
      expectCode(shown, 2)
      const listed = shown.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).key)
      expect(listed.toSorted()).toEqual(keys.map((key) => prefix + key).toSorted())
      const young = await ws.run(`upload cleanup ${place.url} --yes`, { env: server.env })
      expectCode(young, 0)
      expect(young.stderr).toContain('3 unfinished uploads younger than 1d left alone')

      const removed = await ws.run(`upload cleanup ${place.url} --older-than 0 --yes`, { env: server.env })
      expectCode(removed, 0)
      expect(removed.stderr).toContain('3 unfinished uploads removed')
      const again = await ws.run(`upload cleanup ${place.url} --older-than 0 --yes`, { env: server.env })
      expectCode(again, 0)
      expect(again.stderr).toContain('nothing left behind')
    })
  })
})
