// Every example, as somebody runs it who installed natter from its tarball; and what that tarball holds.

import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { availableParallelism, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, describe, test, type TestContext } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type { Message } from '../../lib/index.ts'
import { launch, missing as withoutChromium } from '../browser/chromium.ts'
import { install, npm } from '../install.ts'
import { Line, Program, Reader, within } from './program.ts'

const project = new URL('../../', import.meta.url)
const here = new URL('./', import.meta.url)
const versions = new URL('../versions/', import.meta.url)

const folder = await mkdtemp(join(tmpdir(), 'natter-examples-'))
after(() => rm(folder, { recursive: true, force: true }))
const [skip, skipVersions] = await Promise.all([installExamples(), install(versions)])

const has = (command: string) =>
  (process.env['PATH'] ?? '').split(delimiter).some((path) => existsSync(join(path, command)))
const withoutOpenssl = has('openssl') ? false : 'there is no openssl to make a certificate with'
const withoutCurl = has('curl') ? false : 'there is no curl'

async function installExamples(): Promise<string | false> {
  await npm(['pack', '--pack-destination', folder], project)
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'))
  await cp(here, folder, { recursive: true, filter: (path) => !path.includes('node_modules') })
  return install(pathToFileURL(`${folder}/`), [`./${tarball}`])
}

function start(t: TestContext, file: string, node = process.execPath): Promise<Program> {
  return Program.start(t, folder, [node, file])
}

// The same news in each of them: what a reader gets, gets later, and leaves behind.
async function tellNews(
  t: TestContext,
  file: string,
  { version2 = false, node = process.execPath } = {},
): Promise<Reader> {
  const program = await start(t, file, node)
  const events = `${program.url}/events`

  const reader = await Reader.open(events, { version2 })
  await program.streams(1)
  const one = await program.post('/news?text=one')
  assert.deepEqual(await reader.take(1), [{ event: 'message', data: 'one', id: one }])
  reader.leave()
  await program.streams(0)

  await program.post('/news?text=two')
  await program.post(`/news?text=${encodeURIComponent('三\nlines\n')}`)
  const again = await Reader.open(events, { version2, lastEventId: one })
  await program.streams(1)
  await program.post('/news?text=four')
  assert.deepEqual(await again.texts(3), ['two', '三\nlines\n', 'four'])

  assert.deepEqual(await program.stop(), { code: 0, signal: null })
  assert.equal(await within('the end of the stream', again.over), true)
  assert.equal(program.errors, '')
  return again
}

const json = { 'content-type': 'application/json' }

/** The programs that have the chat at /chat, and how somebody gets a cookie of theirs. */
const chats: Record<string, (program: Program, name: string) => Promise<string> | string> = {
  'chat-http.js': (program, name) => logIn(program, new URLSearchParams({ name })),
  'chat-express.js': (program, name) => logIn(program, JSON.stringify({ name }), json),
  'chat-koa.js': (_, name) => `session=a-secret-of-${name}`,
  'chat-fastify.js': (_, name) => `session=a-secret-of-${name}`,
}

async function logIn(program: Program, body: string | URLSearchParams, headers = {}): Promise<string> {
  const answer = await fetch(`${program.url}/login`, { method: 'POST', headers, body, redirect: 'manual' })
  const [cookie = ''] = answer.headers.getSetCookie()
  return cookie.split(';')[0]!
}

async function say(program: Program, cookie: string, text: string): Promise<Message> {
  const answer = await fetch(`${program.url}/chat/rooms/lobby/messages`, {
    method: 'POST',
    headers: { ...json, cookie },
    body: JSON.stringify({ text }),
  })
  assert.equal(answer.status, 201, await answer.clone().text())
  assert.match(answer.headers.get('location')!, /^\/chat\/rooms\/lobby\/messages\/\d+$/)
  return (await answer.json()) as Message
}

async function nextMessage(reader: Reader): Promise<Message> {
  for (;;) {
    const [event] = await reader.take(1)
    if (event!.event === 'message') return JSON.parse(event!.data) as Message
  }
}

// The page and all it needs, people as the site knows them, what they say on a stream, nobody else, and an end.
async function useChat(
  t: TestContext,
  file: string,
  cookieOf: (typeof chats)[string],
  node = process.execPath,
): Promise<void> {
  const program = await start(t, file, node)
  const cookie = await cookieOf(program, 'ada')
  for (const path of ['/chat', '/chat/', '/chat/rooms/lobby']) {
    const page = await fetch(program.url + path, { headers: { accept: 'text/html' } })
    const html = await page.text()
    assert.match(html, /<!doctype html>/i, path)
    const needed = [...html.matchAll(/(?:href|src)="(\/[^"]*)"/g)].map(([, url]) => url!)
    assert.ok(needed.length > 5)
    for (const url of needed) {
      assert.match(url, /^\/chat(\/|$)/)
      assert.equal((await fetch(program.url + url, { headers: { accept: 'text/html' } })).status, 200, url)
    }
  }

  const reader = await Reader.open(`${program.url}/chat/events`, { headers: { cookie } })
  assert.equal(reader.headers['content-encoding'], undefined)
  for (const text of ['one', 'two']) {
    const message = await say(program, cookie, text)
    assert.deepEqual([message.from.name, await nextMessage(reader)], ['ada', message])
  }
  for (const headers of [json, { ...json, cookie }, { ...json, authorization: `Basic ${btoa('eve:')}` }]) {
    assert.equal(
      (await fetch(`${program.url}/chat/session`, { method: 'POST', headers, body: '{"name":"eve"}' })).status,
      403,
    )
  }
  const eve = await fetch(`${program.url}/chat/rooms/lobby/messages`, {
    method: 'POST',
    headers: { ...json, authorization: `Basic ${btoa('eve:')}` },
    body: '{"text":"hello"}',
  })
  assert.equal(eve.status, 401)
  const beside = await fetch(`${program.url}/chatter`)
  assert.notEqual(beside.headers.get('content-type'), 'application/problem+json')
  await beside.text()

  const [stopped, whole] = await Promise.all([program.stop(), within('the end of the stream', reader.over)])
  assert.deepEqual([stopped, whole, program.errors], [{ code: 0, signal: null }, true, ''])
}

const newsPrograms = [
  'http.js',
  'https.js',
  'http2.js',
  'express.js',
  'express-compression.js',
  'fastify.js',
  'koa.js',
  'hono.js',
  'next/serve.js',
  'typed.ts',
]
const secure = (file: string) => (/^http(s|2)/.test(file) ? withoutOpenssl : false)

describe('an example', { concurrency: Math.max(4, availableParallelism()) }, () => {
  for (const file of newsPrograms) {
    test(`${file} brings the news, and what was missed, and leaves nothing behind`, {
      skip: skip || secure(file),
    }, async (t) => {
      const { headers } = await tellNews(t, file)
      assert.match(String(headers['content-type']), /^text\/event-stream/)
      assert.equal(headers['content-encoding'], undefined)
    })
  }

  for (const name of ['node22', 'node24']) {
    const node = fileURLToPath(new URL(`node_modules/${name}/bin/node`, versions))
    for (const file of ['http.js', 'http2.js', 'express-compression.js']) {
      test(`${file} does the same on ${name}`, { skip: skip || skipVersions || secure(file) }, async (t) => {
        await tellNews(t, file, { node, version2: file === 'http2.js' })
      })
    }
  }

  test('http2.js does the same over HTTP/2', { skip: skip || withoutOpenssl }, async (t) => {
    const { headers } = await tellNews(t, 'http2.js', { version2: true })
    assert.equal(headers[':status'], 200)
  })

  test('express-compression.js compresses its page, and its stream not', { skip }, async (t) => {
    const program = await start(t, 'express-compression.js')
    const page = await fetch(program.url, { headers: { 'accept-encoding': 'gzip' } })
    assert.equal(page.headers.get('content-encoding'), 'gzip')
    await page.text()

    // One event at a time: a stream that held back would never give the first.
    const reader = await Reader.open(`${program.url}/events`)
    for (const text of ['one', 'two', 'three']) {
      await program.post(`/news?text=${text}`)
      assert.deepEqual(await reader.texts(1), [text])
    }
    reader.leave()
  })

  for (const file of ['http.js', 'https.js', 'http2.js', 'hono.js']) {
    test(`${file} can be watched with curl`, { skip: skip || withoutCurl || secure(file) }, async (t) => {
      const program = await start(t, file)
      const curl = spawn('curl', ['-skN', `${program.url}/events`], { stdio: ['ignore', 'pipe', 'inherit'] })
      t.after(() => curl.kill('SIGKILL'))
      await program.streams(1)

      const id = await program.post('/news?text=hello')
      const seen = new Promise<void>((resolve) => {
        let out = ''
        curl.stdout.on('data', (chunk) => {
          out += chunk
          if (out.endsWith(`id: ${id}\ndata: hello\n\n`)) resolve()
        })
      })
      await within('curl to print the event', seen)
      curl.kill()
      await program.streams(0)
    })
  }

  for (const file of ['clock.js', 'stock-ticker.js']) {
    test(`${file} goes on every second, and gives the seconds that were missed`, { skip }, async (t) => {
      const program = await start(t, file)
      const events = `${program.url}/events?symbol=ACME&symbol=HOOLI`.replace(/\?.*/, file === 'clock.js' ? '' : '$&')
      const [witness, reader] = await Promise.all([Reader.open(events), Reader.open(events)])
      const [last] = (await reader.take(2)).slice(-1)
      reader.leave()
      await program.streams(1)
      const all = await witness.take(6)
      const missed = all.slice(all.findIndex(({ id }) => id === last!.id) + 1)
      assert.ok(missed.length > 0)

      const again = await Reader.open(events, { lastEventId: last!.id })
      assert.deepEqual(await again.take(missed.length), missed)
      if (file === 'clock.js') {
        assert.ok(all.every(({ event, data }) => event === 'time' && data === new Date(data).toISOString()))
      } else {
        const prices = all.map(({ data }) => JSON.parse(data) as { symbol: string; price: number })
        assert.deepEqual(new Set(prices.map(({ symbol }) => symbol)), new Set(['ACME', 'HOOLI']))
      }

      assert.deepEqual(await program.stop(), { code: 0, signal: null })
      assert.deepEqual(await within('the ends', Promise.all([witness.over, again.over])), [true, true])
      assert.equal(program.errors, '')
    })
  }

  test('notifications.js brings to each their own, by name, over a line that is cut and mended', {
    skip,
  }, async (t) => {
    const program = await start(t, 'notifications.js')
    const line = await Line.to(t, program.url)
    const { EventSource } = createRequire(join(folder, 'package.json'))('eventsource') as {
      EventSource: new (url: string) => Source
    }
    const source = new EventSource(`${line.url}/users/ada/events`)
    t.after(() => source.close())
    const seen: [string, unknown, string][] = []
    let wake = () => {}
    for (const name of ['mention', 'invoice', 'announcement', 'message', 'reset']) {
      source.addEventListener(name, ({ type, data, lastEventId }) => {
        seen.push([type, JSON.parse(data), lastEventId])
        wake()
      })
    }
    const count = async (wanted: number) => {
      while (seen.length < wanted)
        await within(`${wanted} events after ${JSON.stringify(seen)}`, new Promise<void>((resolve) => (wake = resolve)))
    }
    await program.streams(1)
    const bob = await Reader.open(`${program.url}/users/bob/events`)
    await program.streams(2)
    const expected: typeof seen = []
    const notify = async (path: string, name: string, body: unknown) =>
      void expected.push([name, body, await program.post(path, body)])

    await notify('/users/ada/mention', 'mention', { by: 'bob' })
    await count(1)
    line.cut()
    await program.streams(1)
    await notify('/users/ada/invoice', 'invoice', { total: 12 })
    await program.post('/users/bob/mention', { by: 'ada' })
    await notify('/announcements', 'announcement', { text: 'we move' })
    line.mend()
    await program.streams(2)
    await notify('/users/ada/mention', 'mention', { by: 'eve' })
    await count(4)

    assert.deepEqual(seen, expected)
    const bobs = (await bob.take(2)).map(({ event, data }) => [event, JSON.parse(data)])
    assert.deepEqual(bobs, [
      ['mention', { by: 'ada' }],
      ['announcement', { text: 'we move' }],
    ])
    source.close()
    bob.leave()
    await program.streams(0)
    assert.deepEqual(await program.stop(), { code: 0, signal: null })
    assert.equal(program.errors, '')
  })

  test('token-stream.js goes on at the word where it was cut off, and stops generating for nobody', {
    skip,
  }, async (t) => {
    const program = await start(t, 'token-stream.js')
    const reader = await Reader.open(`${program.url}/events`)
    const first = await reader.take(3)
    await program.streams(1)
    reader.leave()
    await program.streams(0)

    const again = await Reader.open(`${program.url}/events`, { lastEventId: first[2]!.id })
    await program.streams(1)
    const [stopped, whole] = await Promise.all([program.stop(), within('the end of the answer', again.over)])

    assert.deepEqual([stopped, whole], [{ code: 0, signal: null }, true])
    const all = [...first, ...(await again.take(22))]
    const words = all.slice(0, -1).map(({ data }) => data)
    assert.equal(
      words.join(' '),
      'An event stream is a response that does not end : each event is a few lines of text and a blank one .',
    )
    assert.equal(all.at(-1)!.event, 'done')
    assert.equal(program.errors, '')
  })

  test('chat.js shows two pages what they say, whatever it is, and what one missed', {
    skip: skip || withoutChromium,
  }, async (t) => {
    const program = await start(t, 'chat.js')
    const line = await Line.to(t, program.url)
    const browser = await launch()
    t.after(() => browser.close())
    const visit = async (url: string) => {
      const page = await browser.newPage()
      await page.goto(url)
      await page.locator('body[data-state=open]').waitFor()
      return {
        page,
        say: async (text: string) => {
          await page.getByLabel('message').fill(text)
          await page.getByLabel('message').press('Enter')
        },
        sees: (text: string) => page.locator('li', { hasText: text }).waitFor(),
        all: () => page.locator('li').allTextContents(),
      }
    }
    const [ada, bob] = [await visit(line.url), await visit(program.url)]
    await program.streams(2)

    await ada.say('hello from ada')
    await bob.sees('hello from ada')
    line.cut()
    await ada.page.locator('body[data-state=away]').waitFor()
    await bob.say('<img src=x onerror=alert(1)>')
    await bob.sees('<img')
    await bob.say('did you get that?')
    await bob.sees('did you get that?')
    line.mend()
    await ada.sees('did you get that?')
    await ada.say('all of it')
    await Promise.all([ada, bob].map((person) => person.sees('all of it')))

    const said = ['hello from ada', '<img src=x onerror=alert(1)>', 'did you get that?', 'all of it']
    assert.deepEqual([await ada.all(), await bob.all()], [said, said])
    await browser.close()
    await program.streams(0)
    assert.deepEqual(await program.stop(), { code: 0, signal: null })
    assert.equal(program.errors, '')
  })

  for (const [file, cookieOf] of Object.entries(chats)) {
    test(`${file} has the whole chat at a path of its own, for the people of its site`, { skip }, async (t) => {
      await useChat(t, file, cookieOf)
    })
  }

  for (const name of ['node22', 'node24']) {
    test(`chat-express.js does the same on ${name}`, { skip: skip || skipVersions }, async (t) => {
      await useChat(
        t,
        'chat-express.js',
        chats['chat-express.js']!,
        fileURLToPath(new URL(`node_modules/${name}/bin/node`, versions)),
      )
    })
  }

  test('chat-express.js says something in the chat by itself', { skip }, async (t) => {
    const program = await start(t, 'chat-express.js')
    const reader = await Reader.open(`${program.url}/chat/events`)
    const answer = await fetch(`${program.url}/deploys`, { method: 'POST', headers: json, body: '{"version":"1.2.3"}' })
    assert.equal(answer.status, 201, await answer.clone().text())
    const message = (await answer.json()) as Message
    const said = await nextMessage(reader)
    assert.deepEqual(said, message)
    assert.deepEqual([said.from.name, said.text], ['deploys', '1.2.3 is live'])
  })

  test('chat-http.js ends the streams of whoever logs out', { skip }, async (t) => {
    const program = await start(t, 'chat-http.js')
    const [adas, bobs] = [await chats['chat-http.js']!(program, 'ada'), await chats['chat-http.js']!(program, 'bob')]
    const [ada, bob] = await Promise.all(
      [adas, bobs].map((cookie) => Reader.open(`${program.url}/chat/events`, { headers: { cookie } })),
    )
    await fetch(`${program.url}/logout`, { method: 'POST', headers: { cookie: adas }, redirect: 'manual' })
    assert.equal(await within('the end of the stream', ada!.over), true)
    await say(program, bobs, 'still here')
    assert.equal((await nextMessage(bob!)).text, 'still here')
    const refused = await fetch(`${program.url}/chat/rooms/lobby/messages`, {
      method: 'POST',
      headers: { ...json, cookie: adas },
      body: '{"text":"hello"}',
    })
    assert.equal(refused.status, 401)
  })

  for (const lib of [['es2024'], ['es2024', 'dom']]) {
    test(`typed.ts compiles strictly against the tarball's types, with ${lib.join(' and ')}`, { skip }, async () => {
      const compilerOptions = {
        ...{ target: 'es2024', lib, module: 'nodenext', noEmit: true, strict: true, skipLibCheck: false },
        ...{
          exactOptionalPropertyTypes: true,
          noUncheckedIndexedAccess: true,
          noPropertyAccessFromIndexSignature: true,
        },
        ...{ types: ['node'], typeRoots: [fileURLToPath(new URL('node_modules/@types', project))] },
      }
      const settings = join(folder, `tsconfig.${lib.length}.json`)
      await writeFile(settings, JSON.stringify({ compilerOptions, files: ['typed.ts'] }))

      const compiler = fileURLToPath(new URL('node_modules/typescript/bin/tsc', project))
      const { stdout } = await promisify(execFile)(process.execPath, [compiler, '-p', settings, '--listFiles']).catch(
        (error) => assert.fail(error.stdout),
      )
      assert.match(stdout, /natter-examples-\w+\/node_modules\/natter\/dist\/index\.d\.ts/)
    })
  }

  test('npx natter starts the server of the tarball, and its thread writes', { skip }, async (t) => {
    const program = await Program.start(t, folder, [
      'npx',
      '--no-install',
      'natter',
      '--port',
      '0',
      '--data',
      ':memory:',
    ])
    const answer = await fetch(`${program.url}/rooms/lobby/messages`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa('ada:')}` },
      body: 'hello',
    })
    assert.equal(answer.status, 201, await answer.clone().text())
    assert.match(await (await fetch(program.url)).text(), /<!doctype html>/i)
    await program.stop()
  })
})

interface Source {
  addEventListener(name: string, listener: (event: { type: string; data: string; lastEventId: string }) => void): void
  close(): void
}
