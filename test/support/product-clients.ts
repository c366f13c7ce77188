import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import type { Product } from './product.ts'
import type { SlixmppClient } from './slixmpp.ts'
import { until } from './until.ts'

/** How the first blogger signs in: as it is no terminal, the product printed where the password is. */
export async function readHint(product: Product): Promise<{ blogger: string; password: string }> {
  const found = await until(() => /XMPP address (\S+): its password is in (.*)/.exec(product.output()), {
    what: 'how to sign in',
  })
  return { blogger: found[1] ?? '', password: (await readFile(found[2] ?? '', 'utf8')).trim() }
}

/** What another client needs for the product's own server. */
export async function xmppOf({ data, xmppPort }: Product): Promise<{ service: string; certificate: string }> {
  const certificate = await readFile(`${data}/local/certificate.pem`, 'utf8')
  return { service: `xmpp://127.0.0.1:${xmppPort}`, certificate }
}

/** Where a post says that its comments are. */
export async function findCommentsNode(
  client: SlixmppClient,
  service: string,
  item: string,
): Promise<{ service: string; node: string }> {
  const [post] = await client.items({ service, node: 'urn:xmpp:microblog:0', ids: [item] })
  const [link = ''] = /<[^>]*title="comments"[^>]*>/.exec(post?.payload ?? '') ?? []
  const [, where = '', node = ''] = /"xmpp:([^"?]+)\?;node=([^";]+)"/.exec(link) ?? []
  assert.notEqual(node, '', `no comments link in ${post?.payload}`)
  return { service: where, node: decodeURIComponent(node) }
}
