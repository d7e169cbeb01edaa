// Data that is damaged, foreign, from a newer natter, in use or gone: at the start one line and nothing touched; a bad page met
// while running is one line and a 503, and ends all writing; and `check` finds it.

import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  Listener,
  patienceMs,
  runServer,
  startChat,
  temporaryFolder,
  type ChatServer,
  type Person,
  type Scope,
} from '../chat-server.ts'
import type { Audit, AuditOptions, Verdict } from './audit.ts'
import { inScope } from './harness.ts'
import { storagePlanted } from './storage-faults.ts'

const pageBytes = 4096
const messages = 60 // of some kilobytes each: the middle of the file is theirs
const forms = {
  short: { starts: 4, badPages: 1, commands: [[]] },
  full: { starts: Infinity, badPages: 25, commands: [[], ['check']] },
}

export default {
  name: 'damaged-data',
  plantable: ['damage-ignored'],
  run: (options) => inScope((scope) => audit(scope, options)),
} satisfies Audit

async function audit(scope: Scope, { form, fault, progress }: AuditOptions): Promise<Verdict> {
  const { badPages, commands } = forms[form]
  const faults: string[] = []
  const template = await temporaryFolder(scope)
  const { cookie, pages } = await fillFolder(scope, template)
  const starts = Object.entries(atStart).slice(0, forms[form].starts)
  // A planted fault is one of a running server; what it does not touch need not be tried again.
  if (fault === undefined) {
    for (const [what, spoil] of starts) {
      const folder = await copyOf(scope, template)
      spoil(join(folder, 'natter.db'))
      faults.push(...(await refusesToStart(folder, commands)).map((text) => `${what}: ${text}`))
    }
    faults.push(...(await secondProcess(scope, await copyOf(scope, template), commands)))
    progress(`${starts.length + 1} starts refused`)
  }
  for (let turn = 0; turn < badPages && faults.length === 0; turn++) {
    const page = pages[Math.floor((pages.length * (turn + 1)) / (badPages + 1))]!
    const folder = await copyOf(scope, template)
    spoilPage(join(folder, 'natter.db'), page)
    faults.push(...(await meetsBadPage(scope, folder, { cookie, fault })).map((text) => `page ${page}: ${text}`))
    progress(`${turn + 1} of ${badPages} bad pages`)
  }
  if (fault === undefined) faults.push(...(await losesFile(scope, await copyOf(scope, template), cookie)))
  return {
    tried: `${starts.length + 1} starts, ${badPages} bad pages met while running, a file deleted`,
    found: 'a line each, nothing touched',
    faults,
  }
}

/** What may have happened to the file before the start. */
const atStart: Record<string, (file: string) => void> = {
  'zeroed header': (file) => overwrite(file, 0, Buffer.alloc(100)),
  'garbage where the tables are named': (file) => overwrite(file, 100, Buffer.alloc(pageBytes - 100, 0xa5)),
  'from a newer natter': (file) => overwrite(file, 60, Buffer.from([0, 0, 3, 231])),
  'cut by a page': (file) => truncateSync(file, statSync(file).size - pageBytes),
  'cut in the header': (file) => truncateSync(file, 50),
  'empty file': (file) => truncateSync(file, 0),
  'some text': (file) => writeFileSync(file, 'this is no database\n'.repeat(1000)),
  'a folder in its place'(file) {
    rmSync(file)
    mkdirSync(file)
  },
  "another program's database": (file) => overwrite(file, 68, Buffer.from([0, 0, 0, 1])),
  'all garbage but the header': (file) => overwrite(file, 100, Buffer.alloc(statSync(file).size - 100, 0xa5)),
  'a lock file that is none': (file) => writeFileSync(join(file, '..', 'natter.lock'), 'x'.repeat(10_000)),
}

async function fillFolder(scope: Scope, data: string): Promise<{ cookie: Person['headers']; pages: number[] }> {
  const chat = await startChat(scope, { data })
  const ada = await chat.comeIn('ada')
  for (let number = 0; number < messages; number++) await ada.say('lobby', `${number} ${'lorem ipsum '.repeat(200)}`)
  await chat.stop()
  // Those that hold what was said, and so are read and not written to any more.
  const file = readFileSync(join(data, 'natter.db'))
  const pages: number[] = []
  for (let page = 0; page < file.length / pageBytes; page++) {
    const bytes = file.subarray(page * pageBytes, (page + 1) * pageBytes)
    // A leaf of a table (13) with bodies whole in it: https://www.sqlite.org/fileformat.html#b_tree_pages
    // The search has the same texts, each with its room and author, on pages of its own that nobody reads here.
    const text = bytes.toString('latin1')
    if (bytes[0] === 13 && text.includes(' lorem ipsum lorem ipsum ') && !/r[a-z0-9]{9,} ?u[a-z0-9]{9,}/.test(text))
      pages.push(page)
  }
  return { cookie: ada.headers, pages: pages.slice(1, -1) }
}

async function copyOf(scope: Scope, template: string): Promise<string> {
  const folder = await temporaryFolder(scope)
  cpSync(template, folder, { recursive: true })
  return folder
}

async function refusesToStart(folder: string, commands: string[][]): Promise<string[]> {
  const faults: string[] = []
  const before = contents(folder)
  for (const command of commands) {
    const line = command.length > 0 ? /^[^\n]+\n$/ : /^natter can't start: [^\n]+\n$/
    const { code, out, err } = await runServer([...command, '--port', '0', '--data', folder])
    const doing = command[0] ?? 'the start'
    if (code !== 1 || out !== '') faults.push(`${doing} ended with ${code} and said ${JSON.stringify(out)}`)
    if (!line.test(err)) faults.push(`${doing} said ${JSON.stringify(err)}`)
  }
  faults.push(...changes(before, contents(folder)))
  return faults
}

async function secondProcess(scope: Scope, folder: string, commands: string[][]): Promise<string[]> {
  const faults: string[] = []
  const chat = await startChat(scope, { data: folder })
  for (const command of commands) {
    const { code, err } = await runServer([...command, '--port', '0', '--data', folder])
    if (code !== 1 || !/^natter can't (start|check): another natter is running [^\n]+\n$/.test(err))
      faults.push(`a second process ended with ${code} and said ${JSON.stringify(err)}`)
  }
  if ((await chat.fetch('/healthz')).status !== 200) faults.push('the first process was disturbed by a second one')
  await chat.stop()
  return faults
}

async function meetsBadPage(
  scope: Scope,
  folder: string,
  { cookie, fault }: { cookie: Person['headers']; fault: string | undefined },
): Promise<string[]> {
  const faults: string[] = []
  const spoilt = readFileSync(join(folder, 'natter.db'))
  const chat = await startChat(scope, { data: folder, ...storagePlanted({ fault }) })
  const listener = await Listener.open(`${chat.url}/events`)
  if ((await post(chat, cookie)).status !== 201) faults.push('a bad page that nobody met kept somebody from posting')
  const kept = contents(folder)

  for (let turn = 0; turn < 5; turn++) {
    const read = await readAll(chat)
    if (read.status !== 503 || read.code !== 'storage_damaged')
      faults.push(`reading the bad page got ${read.status} ${read.code}`)
    const posted = await post(chat, cookie)
    if (posted.status !== 503 || posted.code !== 'storage_damaged')
      faults.push(`a post after that got ${posted.status} ${posted.code}`)
    if (faults.length > 0) break
  }
  // A stream that meets it ends, and its reader comes back; others stay.
  const replay = await Listener.open(`${chat.url}/events?since=all`)
  if (!(await Promise.race([replay.over.then(() => true), sleep(patienceMs, false, { ref: false })])))
    faults.push('a stream over the bad page went on')
  if (listener.response.destroyed) faults.push('a stream that did not need the bad page was cut')
  for (const path of ['/healthz', '/', '/rooms']) {
    const { status } = await chat.fetch(path)
    if (status !== 200) faults.push(`GET ${path} got ${status} beside a bad page`)
  }
  faults.push(...changes(kept, contents(folder)).map((text) => `after the bad page was met, ${text}`))
  const lines = chat.errors.split('\n').filter(Boolean)
  if (lines.length !== 1) faults.push(`${lines.length} lines in the log: ${JSON.stringify(lines.slice(0, 3))}`)
  const code = await chat.stop()
  if (code !== 0) faults.push(`stopping ended with ${code}`)

  // What was posted before is in the file by now; so it is checked as it was found, too.
  for (const bytes of [undefined, spoilt]) {
    if (bytes) writeFileSync(join(folder, 'natter.db'), bytes)
    const before = contents(folder)
    const { code, out, err } = await runServer(['check', '--data', folder])
    if (code !== 1 || out !== '' || !/^[^\n]+ is not whole: [^\n]+\n$/.test(err))
      faults.push(`check ended with ${code} and said ${JSON.stringify(out + err)}`)
    faults.push(...changes(before, contents(folder)).map((text) => `check: ${text}`))
  }
  return faults
}

async function losesFile(scope: Scope, folder: string, cookie: Person['headers']): Promise<string[]> {
  const faults: string[] = []
  const chat = await startChat(scope, { data: folder })
  const listener = await Listener.open(`${chat.url}/events`)
  rmSync(join(folder, 'natter.db'))
  for (let turn = 0; turn < 5; turn++) {
    const { status, code } = await post(chat, cookie)
    if (status !== 503 || !code?.startsWith('storage_')) faults.push(`a post into a deleted file got ${status} ${code}`)
  }
  for (const path of ['/healthz', '/rooms/lobby/messages'])
    if ((await chat.fetch(path)).status !== 200) faults.push(`GET ${path} fails without the file`)
  if (listener.response.destroyed) faults.push('a stream was cut when the file was deleted')
  const lines = chat.errors.split('\n').filter(Boolean)
  if (lines.length !== 1) faults.push(`a deleted file was ${lines.length} lines in the log`)
  const code = await chat.stop()
  if (code !== 0) faults.push(`without its file the server ended with ${code}`)
  if (existsSync(join(folder, 'natter.db'))) faults.push('a deleted file was made anew')
  return faults
}

async function readAll(chat: ChatServer): Promise<{ status: number; code?: string }> {
  for (let after = '0', more = true; more; ) {
    const answer = await chat.fetch(`/rooms/lobby/messages?limit=20&after=${after}`)
    const page = (await answer.json()) as { messages: { id: string }[]; more: boolean; code?: string }
    if (answer.status !== 200) return { status: answer.status, ...(page.code !== undefined && { code: page.code }) }
    after = page.messages.at(-1)?.id ?? after
    more = page.more
  }
  return { status: 200 }
}

async function post(chat: ChatServer, cookie: Person['headers']): Promise<{ status: number; code?: string }> {
  const answer = await chat.fetch('/rooms/lobby/messages', {
    method: 'POST',
    headers: { ...cookie, 'content-type': 'application/json' },
    body: '{"text":"more"}',
  })
  return { status: answer.status, ...((await answer.json()) as { code?: string }) }
}

/** What lies in the folder; of SQLite's index into its write-ahead log, which is made anew each time, only that it is there. */
function contents(folder: string): Map<string, Buffer> {
  const found = new Map<string, Buffer>()
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const empty = entry.isDirectory() || entry.name.endsWith('-shm')
    found.set(entry.name, empty ? Buffer.alloc(0) : readFileSync(join(folder, entry.name)))
  }
  return found
}

function changes(before: Map<string, Buffer>, after: Map<string, Buffer>): string[] {
  const faults: string[] = []
  for (const [name, bytes] of before)
    if (!after.get(name)?.equals(bytes)) faults.push(`${name} ${after.has(name) ? 'was changed' : 'is gone'}`)
  for (const name of after.keys()) if (!before.has(name)) faults.push(`${name} was made`)
  return faults
}

function overwrite(file: string, at: number, bytes: Buffer): void {
  const descriptor = openSync(file, 'r+')
  writeSync(descriptor, bytes, 0, bytes.length, at)
  closeSync(descriptor)
}

function spoilPage(file: string, page: number): void {
  overwrite(file, page * pageBytes, Buffer.alloc(pageBytes, 0xa5))
}
