// The page's files as they go over the wire: packed, kept by browsers for good, and asked for anew with each version.

import assert from 'node:assert/strict'
import { get, type IncomingHttpHeaders } from 'node:http'
import { test } from 'node:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { startChat } from '../chat-server.ts'
import { mount } from '../mounted/mount.ts'

interface Raw {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}

/** Asks as no fetch does: nothing is unpacked. */
function ask(url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Raw> {
  return new Promise((resolve, reject) => {
    get(url, { method, headers, agent: false }, async (response) => {
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk)
      resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) })
    }).on('error', reject)
  })
}

/** All that the page links to in its head, as paths. */
function linksOf(html: string): string[] {
  return [...html.matchAll(/<(?:link|script)[^>]* (?:href|src)="([^"]+)"/g)].map(([, path]) => path!)
}

test('a file is packed as its reader likes it best, and is the same in every form', async (t) => {
  const chat = await startChat(t)
  const plain = await ask(`${chat.url}/`)
  assert.equal(plain.headers['content-encoding'], undefined)
  const unpack = { br: brotliDecompressSync, gzip: gunzipSync }

  const tags = new Set([plain.headers.etag])
  for (const [accepted, encoding] of [
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip', 'gzip'],
    ['br;q=0.1, gzip', 'gzip'],
    ['GZIP;Q=0.5', 'gzip'],
    ['br;q=0, gzip;q=0', undefined],
    ['identity', undefined],
    ['br;q=x', undefined],
  ] as const) {
    const { status, headers, body } = await ask(`${chat.url}/`, { 'accept-encoding': accepted })
    assert.deepEqual(
      [status, headers['content-encoding'], headers['content-length']],
      [200, encoding, String(body.length)],
      accepted,
    )
    assert.deepEqual(encoding ? unpack[encoding](body) : body, plain.body, accepted)
    assert.match(headers.vary ?? '', /\baccept-encoding\b/)
    if (encoding) assert.ok(body.length < plain.body.length / 2, `${body.length} of ${plain.body.length} bytes`)
    tags.add(headers.etag)

    const head = await ask(`${chat.url}/`, { 'accept-encoding': accepted }, 'HEAD')
    assert.deepEqual(
      [head.status, head.headers['content-length'], head.headers.etag, head.body.length],
      [200, headers['content-length'], headers.etag, 0],
      accepted,
    )
    const again = await ask(`${chat.url}/`, {
      'accept-encoding': accepted,
      'if-none-match': `"other", W/${headers.etag}`,
    })
    assert.deepEqual([again.status, again.headers.etag, again.body.length], [304, headers.etag, 0], accepted)
  }

  assert.equal(tags.size, 3)
  const other = await ask(`${chat.url}/`, { 'accept-encoding': 'gzip', 'if-none-match': plain.headers.etag! })
  assert.equal(other.status, 200)
})

test('what the page is made of is kept for good, the page itself is asked for each time', async (t) => {
  const chat = await startChat(t)
  const host = await mount(t)
  for (const [url, base] of [
    [chat.url, ''],
    [host.url, '/chat'],
  ] as const) {
    const page = await ask(`${url}${base}/`)
    assert.equal(page.headers['cache-control'], 'no-cache')
    const links = linksOf(page.body.toString())
    assert.ok(links.length > 6)

    for (const path of links) {
      const { status, headers } = await ask(url + path)
      assert.equal(status, 200, path)
      const versioned = new RegExp(`^${base}/static-[\\w-]{22}/[\\w/-]+\\.(js|css|svg|png)$`).test(path)
      assert.equal(headers['cache-control'], versioned ? 'public, max-age=31536000, immutable' : 'no-cache', path)
      // The one is there when no other is, the other tells the name of this place.
      if (!versioned) assert.ok([`${base}/reload.js`, `${base}/manifest.webmanifest`].includes(path), path)
    }
    const [style = ''] = links.filter((path) => path.endsWith('page.css'))
    const unpacked = await ask(url + style, { 'accept-encoding': 'br' })
    assert.deepEqual(brotliDecompressSync(unpacked.body), (await ask(`${url}${base}/page.css`)).body)
    // Who asks for what was there before an upgrade must not be given, and keep, what came with it.
    assert.equal((await ask(url + style.replace('/static-', '/static-x'))).status, 404)
    for (const path of ['package.json', 'tsconfig.json'])
      assert.equal((await ask(`${url}${base}/${path}`)).status, 404, path)
  }
})

test('who keeps the page on a phone or a desk finds it by its name and with its icons, wherever it is mounted', async (t) => {
  const name = '<b>$& "Tom\'s"</b> // & more'
  const chat = await startChat(t, { flags: ['--name', name] })
  const host = await mount(t)
  for (const [url, base, named] of [
    [chat.url, '', name],
    [host.url, '/chat', 'natter'],
  ] as const) {
    const html = (await ask(`${url}${base}/`)).body.toString()
    const [, link = ''] = /<link rel="manifest" href="([^"]+)"/.exec(html) ?? []
    const [, apple = ''] = /<link rel="apple-touch-icon" href="([^"]+)"/.exec(html) ?? []
    const answer = await ask(url + link)
    const manifest = JSON.parse(answer.body.toString()) as {
      name: string
      start_url: string
      scope: string
      icons: { src: string; sizes: string; type: string; purpose?: string }[]
    }

    assert.equal(answer.headers['content-type'], 'application/manifest+json')
    assert.equal(manifest.name, named)
    for (const path of [manifest.start_url, manifest.scope])
      assert.equal(new URL(path, url + link).href, `${url}${base}/`)
    assert.ok(manifest.icons.some(({ purpose }) => purpose === 'maskable'))
    for (const { src, sizes, type } of [...manifest.icons, { src: apple, sizes: '180x180', type: 'image/png' }]) {
      const { status, headers, body } = await ask(new URL(src, url + link).href, { 'accept-encoding': 'gzip, br' })
      assert.deepEqual([status, headers['content-type']], [200, type], src)
      if (type !== 'image/png') continue
      assert.equal(headers['content-encoding'], undefined, 'it is packed already')
      assert.equal(`${body.readUInt32BE(16)}x${body.readUInt32BE(20)}`, sizes, src)
    }
  }
})
