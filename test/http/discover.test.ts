import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { discover } from '#server/http/discover.ts'
import { isPublicAddress } from '#server/http/picture/public-address.ts'
import type { BareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'

const JULIET = 'juliet@capulet.example'
const pages = new Map<string, string>()
const remote = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://x')
  if (pathname === '/away') return response.writeHead(302, { location: 'http://10.0.0.1/page' }).end()
  if (pathname === '/around') return response.writeHead(302, { location: '/around' }).end()
  if (pathname === '/file') return response.writeHead(302, { location: 'file:///etc/passwd' }).end()
  if (pathname === '/endless') {
    response.writeHead(200)
    const write = () => {
      while (!response.destroyed && response.write('<p>'.repeat(20_000)));
    }
    response.on('drain', write)
    return write()
  }
  const page = pages.get(pathname)
  if (page === undefined) return response.writeHead(404).end()
  response.writeHead(200, { 'content-type': 'text/html' }).end(page)
})

let origin = ''
before(async () => {
  await new Promise<void>((resolve) => remote.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(remote.address() as AddressInfo).port}`
})
after(() => {
  remote.closeAllConnections()
  remote.close()
})

const deps = {
  site: { url: new URL('https://blog.example'), domain: 'capulet.example' as BareJid },
  isAllowed: (address: string) => address === '127.0.0.1',
}
const found = async (typed: string) => (await discover(deps, typed)).address
const blog = { service: JULIET, node: NS.MICROBLOG }

describe('An address to follow', () => {
  it('may be an account, by any spelling', async () => {
    for (const typed of [
      JULIET,
      ` @${JULIET} `,
      'Juliet@Capulet.EXAMPLE/balcony',
      `xmpp:${JULIET}`,
      `xmpp:${JULIET}?roster`,
    ]) {
      assert.deepEqual(await found(typed), blog, typed)
    }
  })

  it('may be an xmpp: URI with a node and an item', async () => {
    const node = 'urn%3Axmpp%3Amicroblog%3A0'
    assert.deepEqual(await found(`xmpp:${JULIET}?;node=${node};item=x`), blog)
    assert.deepEqual(await found(`xmpp:pubsub.movim.eu?pubsub;action=subscribe;node=cats`), {
      service: 'pubsub.movim.eu',
      node: 'cats',
    })
  })

  it('may be a service and a node, with a space or a slash between them', async () => {
    const cats = { service: 'pubsub.movim.eu', node: 'cats' }
    assert.deepEqual(await found('pubsub.movim.eu cats'), cats)
    assert.deepEqual(await found('pubsub.movim.eu/cats'), cats)
    assert.deepEqual(await found('pubsub.movim.eu a b'), { ...cats, node: 'a b' })
    assert.deepEqual(await found(`${JULIET} urn:x`), { service: JULIET, node: 'urn:x' })
  })

  it('may be one of our own pages, which nobody has to ask for', async () => {
    assert.deepEqual(await found('https://blog.example/@juliet/a-post'), blog)
    assert.deepEqual(await found('https://blog.example/@romeo@montague.example'), {
      service: 'romeo@montague.example',
      node: NS.MICROBLOG,
    })
    assert.deepEqual(await found('https://blog.example/c/pubsub.movim.eu/a%2Fb/x'), {
      service: 'pubsub.movim.eu',
      node: 'a/b',
    })
  })

  it('may be a page that names it in its head, and its feed', async () => {
    pages.set(
      '/blog',
      `<!doctype html><html><head><link rel="stylesheet" href="xmpp:no@example"><link rel="alternate" type="application/atom+xml" href="/feed"><LINK rel="Alternate" href="xmpp:juliet%40capulet.example?;node=${encodeURIComponent(NS.MICROBLOG)};item=a"></head><body>`,
    )
    assert.deepEqual(await discover(deps, `${origin}/blog`), { address: blog, feedUrl: `${origin}/feed` })
  })

  it('may be an Atom feed that says where it is, or a page with such a feed', async () => {
    pages.set(
      '/feed',
      `<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><link rel="self" href="xmpp:${JULIET}?;node=${NS.MICROBLOG}"/><entry><link href="xmpp:other@example"/></entry></feed>`,
    )
    pages.set('/only-feed', '<html><head><link rel="alternate" type="application/atom+xml" href="feed"></head>')
    assert.deepEqual(await found(`${origin}/feed`), blog)
    assert.deepEqual(await discover(deps, `${origin}/only-feed`), { address: blog, feedUrl: `${origin}/feed` })
  })

  it('is not taken from the text of a page, nor from the entries of a feed', async () => {
    pages.set('/text', `<html><head></head><body><link rel="alternate" href="xmpp:${JULIET}"></body>`)
    pages.set('/entries', `<feed><entry><link rel="alternate" href="xmpp:${JULIET}"/></entry></feed>`)
    for (const path of ['/text', '/entries']) {
      await assert.rejects(discover(deps, origin + path), { code: 'not-found', message: /XMPP address/ })
    }
  })

  it('says what to write where it is none', async () => {
    for (const typed of ['', 'a@@b c', 'xmpp:', 'xmpp:capulet.example', 'ftp://capulet.example/x y', '\u0000']) {
      await assert.rejects(discover(deps, typed), { code: 'bad-request', message: /Write/ }, typed)
    }
  })

  it('leads to no private address, by a name, a number or a redirect', async () => {
    const strict = { ...deps, isAllowed: isPublicAddress }
    for (const url of [
      origin,
      'http://[::1]/',
      'http://0x7f000001/',
      'http://169.254.169.254/',
      'http://[64:ff9b::7f00:1]/',
    ]) {
      await assert.rejects(discover(strict, url), { code: 'forbidden' }, url)
    }
    // A bare Debian does not even know the name.
    await assert.rejects(discover(strict, 'http://localhost:1/'), ({ code }) => /^(?:forbidden|not-found)$/.test(code))
    await assert.rejects(discover(deps, `${origin}/away`), { code: 'forbidden' })
    await assert.rejects(discover(deps, `${origin}/file`), { code: 'bad-request' })
    await assert.rejects(discover(deps, `${origin}/around`), { code: 'not-found' })
    pages.set('/private-feed', '<link rel="alternate" type="application/atom+xml" href="http://10.0.0.1/feed">')
    await assert.rejects(discover(deps, `${origin}/private-feed`), { code: 'forbidden' })
  })

  it('is looked for in the beginning of a page only', async () => {
    await assert.rejects(discover(deps, `${origin}/endless`), { code: 'not-found' })
  })
})
