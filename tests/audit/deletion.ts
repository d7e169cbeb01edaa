// What is edited or deleted leaves its place in the log, and nothing of what it said: it is still a cursor to go on from and a key
// that was used, through kills as well, and its words are in no file and on no stream.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Message } from '../../lib/chat/events.ts'
import { startChat, temporaryFolder, type Listener, type Person } from '../chat-server.ts'
import type { Audit } from './audit.ts'
import { inScope, integrityOf, planted } from './harness.ts'

const forms = {
  short: { lives: 2, posts: 30 },
  full: { lives: 20, posts: 300 },
}

interface Said {
  message: Message
  key: string
  /** What it was posted with: a word that stands nowhere else. */
  word: string
  /** What it says now, and what it said before. */
  now: string
  before: string[]
  deleted: boolean
}

const deletion: Audit = {
  name: 'deletion',
  plantable: ['skeleton-lost-on-delete', 'body-kept-on-delete'],
  run: ({ form, fault, progress }) =>
    inScope(async (scope) => {
      const { lives, posts } = forms[form]
      const data = await temporaryFolder(scope)
      const chat = await startChat(scope, { data, ...planted(fault) })
      const ada = await chat.comeIn('ada')
      const said: Said[] = []
      const faults: string[] = []
      for (let life = 1; life <= lives; life++) {
        for (let post = 0; post < posts; post++) said.push(await say(ada, said.length))
        for (const one of said.filter(({ deleted }) => !deleted && Math.random() < 0.3)) {
          for (let edits = Math.floor(Math.random() * 3); edits > 0; edits--) faults.push(...(await edit(ada, one)))
          if (Math.random() < 0.5) continue
          const answer = await ada.fetch(`/rooms/lobby/messages/${one.message.id}`, { method: 'DELETE', headers: { 'sec-fetch-site': 'same-origin' } })
          if (answer.status !== 204) faults.push(`a deletion was answered with ${answer.status}`)
          one.deleted = true
        }
        // In the life that deleted it, and in the next one.
        for (const when of ['', 'after a kill ']) {
          faults.push(...(await lookAt(await chat.stranger.listen({ path: '/events?since=all' }), said)).map((what) => when + what))
          faults.push(...(await askAgain(ada, said)).map((what) => when + what))
          if (when === '') await chat.kill().then(() => chat.start())
        }
        const words = said.flatMap(goneOf)
        for (const name of readdirSync(data)) {
          const bytes = readFileSync(join(data, name), 'latin1')
          const found = words.filter((word) => bytes.includes(word))
          if (found.length > 0) faults.push(`${found.length} words that are gone are in ${name}`)
        }
        progress(`${life} of ${lives} kills, ${words.length} words gone`)
      }
      if ((await chat.stop()) !== 0) faults.push('it did not stop in order')
      faults.push(...integrityOf(join(data, 'natter.db')))
      const gone = said.filter(({ deleted }) => deleted)
      const edits = said.reduce((sum, { before }) => sum + before.length, 0)
      if (gone.length === 0 || edits === 0) faults.push('nothing was deleted, or nothing edited: this has tried nothing')
      return {
        tried: `${edits} edits, ${gone.length} of ${said.length} messages deleted, ${lives} kills -9`,
        found: 'each still a cursor and a key, its words and those from before its edits in no file and on no stream, all others whole',
        faults,
      }
    }),
}

export default deletion

const aWord = () => `word${Math.random().toString(36).slice(2)}end`

async function say(ada: Person, number: number): Promise<Said> {
  const word = aWord()
  const key = `key-${number}`
  return { message: await ada.say('lobby', word, { key }), key, word, now: word, before: [], deleted: false }
}

async function edit(ada: Person, one: Said): Promise<string[]> {
  const text = aWord()
  const answer = await ada.send('PATCH', `/rooms/lobby/messages/${one.message.id}`, { text })
  await answer.body?.cancel()
  if (answer.status !== 200) return [`an edit was answered with ${answer.status}`]
  one.before.push(one.now)
  one.now = text
  return []
}

/** The words of it that nobody is to find. */
function goneOf({ now, before, deleted }: Said): string[] {
  return deleted ? [...before, now] : before
}

// What a new reader gets: the messages that are left, those that were edited with their newest text, and a deletion for each other.
async function lookAt(reader: Listener, said: readonly Said[]): Promise<string[]> {
  await reader.next('ping')
  reader.leave()
  const ids = (event: string) => reader.all.filter((one) => one.event === event).map(({ data }) => (JSON.parse(data) as { id: string }).id)
  const left = said.filter(({ deleted }) => !deleted)
  const gone = said.filter(({ deleted }) => deleted).map(({ message }) => message.id)
  const faults: string[] = []
  const asPosted = left.filter(({ before }) => before.length === 0).map(({ message }) => message.id)
  const edited = left.filter(({ before }) => before.length > 0).map(({ message }) => message.id)
  if (ids('message').join() !== asPosted.join()) faults.push(`a new reader gets ${ids('message').length} messages, of ${asPosted.length} that are left as they were`)
  if (ids('edit').sort().join() !== edited.sort().join()) faults.push(`a new reader gets ${ids('edit').length} edits, of ${edited.length} messages`)
  if (ids('delete').sort().join() !== gone.sort().join()) faults.push(`a new reader gets ${ids('delete').length} deletions of ${gone.length}`)
  const texts = new Map(reader.all.filter(({ event }) => event === 'message' || event === 'edit').map(({ data }) => (JSON.parse(data) as Message)).map(({ id, text }) => [id, text]))
  if (left.some(({ message, now }) => texts.get(message.id) !== now)) faults.push('a new reader gets another text than there is')
  if (said.some((one) => goneOf(one).some((word) => reader.bytes.includes(word)))) faults.push('a new reader gets words that are gone')
  return faults
}

// One that was deleted, as a cursor and as a key.
async function askAgain(ada: Person, said: readonly Said[]): Promise<string[]> {
  const gone = said.filter(({ deleted }) => deleted)
  const one = gone[Math.floor(Math.random() * gone.length)]
  if (!one) return []
  const faults: string[] = []
  const reader = await ada.listen({ lastEventId: one.message.id })
  await reader.next('ping')
  reader.leave()
  const after = said.filter(({ deleted, before, message }) => !deleted && before.length === 0 && Number(message.id) > Number(one.message.id))
  if (reader.all.some(({ event }) => event === 'reset')) faults.push('a deleted message is no cursor any more')
  if (reader.all.filter(({ event }) => event === 'message').length !== after.length) faults.push('who goes on from a deleted message misses some')
  const answer = await ada.send('POST', '/rooms/lobby/messages', { text: one.word }, { 'idempotency-key': one.key })
  const { id } = (await answer.json()) as Message
  if (id !== one.message.id) faults.push(`a deleted message that is sent again is ${answer.status} ${id}, and was ${one.message.id}`)
  return faults
}
