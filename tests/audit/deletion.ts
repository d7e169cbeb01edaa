// What is edited or deleted leaves its place in the log, and nothing of what it said: it is still a cursor to go on from and a key
// that was used, through kills as well, and its words, whom it named and what it was reacted to with are in no file and on no stream. Nor
// are the names that people and rooms had before, or older topics.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Message } from '../../lib/chat/streams/events.ts'
import { idOfUser } from '../../lib/chat/streams/wire.ts'
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
  /** Whom it named when it was posted, as it is kept: the same people in the same order are named nowhere else. */
  mentions: string
  /** What it was reacted to with. */
  emoji: string | undefined
  deleted: boolean
}

/** Names and topics: those of now, and those that are gone. */
interface Called {
  person: Person
  room: string
  now: string[]
  gone: string[]
}

const deletion: Audit = {
  name: 'deletion',
  plantable: ['skeleton-lost-on-delete', 'body-kept-on-delete', 'name-kept-on-rename', 'emoji-kept-on-delete'],
  run: ({ form, fault, progress }) =>
    inScope(async (scope) => {
      const { lives, posts } = forms[form]
      const data = await temporaryFolder(scope)
      const chat = await startChat(scope, { data, ...planted(fault) })
      const ada = await chat.comeIn('ada')
      const named = await Promise.all(Array.from({ length: 12 }, async (_, at) => (await chat.comeIn(`named${at}`)).id))
      const [name, topic] = [aWord(), aWord()]
      const called: Called = {
        person: await chat.account(name),
        room: await ada.makeRoom('Kitchen', { topic }),
        now: [name, topic],
        gone: [],
      }
      await called.person.join(called.room)
      const said: Said[] = []
      const faults: string[] = []
      for (let life = 1; life <= lives; life++) {
        for (let post = 0; post < posts; post++) said.push(await say(ada, said.length, named))
        faults.push(...(await reactToSome(ada, said)))
        await callAnew(ada, called)
        for (const one of said.filter(({ deleted }) => !deleted && Math.random() < 0.3)) {
          for (let edits = Math.floor(Math.random() * 3); edits > 0; edits--) faults.push(...(await edit(ada, one)))
          if (Math.random() < 0.5) continue
          const answer = await ada.fetch(`/rooms/lobby/messages/${one.message.id}`, {
            method: 'DELETE',
            headers: { 'sec-fetch-site': 'same-origin' },
          })
          if (answer.status !== 204) faults.push(`a deletion was answered with ${answer.status}`)
          one.deleted = true
        }
        // In the life that deleted it, and in the next one.
        for (const when of ['', 'after a kill ']) {
          faults.push(
            ...(await lookAt(await chat.stranger.listen({ path: '/events?since=all' }), said, called)).map(
              (what) => when + what,
            ),
          )
          faults.push(...(await askAgain(ada, said)).map((what) => when + what))
          if (when === '') await chat.kill().then(() => chat.start())
        }
        const words = said.flatMap(goneOf)
        const gone = {
          words,
          mentions: said.flatMap(({ mentions, deleted, before }) => (deleted || before.length > 0 ? [mentions] : [])),
          emojis: emojisGone(said),
          'names and topics': called.gone,
        }
        for (const name of readdirSync(data)) {
          const bytes = readFileSync(join(data, name), 'latin1')
          for (const [what, texts] of Object.entries(gone)) {
            const found = texts.filter((text) => bytes.includes(Buffer.from(text).toString('latin1')))
            if (found.length > 0) faults.push(`${found.length} ${what} that are gone are in ${name}`)
          }
        }
        progress(`${life} of ${lives} kills, ${words.length} words gone`)
      }
      if ((await chat.stop()) !== 0) faults.push('it did not stop in order')
      faults.push(...integrityOf(join(data, 'natter.db')))
      const gone = said.filter(({ deleted }) => deleted)
      const edits = said.reduce((sum, { before }) => sum + before.length, 0)
      if (gone.length === 0 || edits === 0)
        faults.push('nothing was deleted, or nothing edited: this has tried nothing')
      return {
        tried: `${edits} edits, ${gone.length} of ${said.length} messages deleted, ${lives} kills -9`,
        found:
          'each still a cursor and a key, its words, mentions and reactions and those from before its edits in no file and on no stream, nor older names and topics, all others whole',
        faults,
      }
    }),
}

export default deletion

const emojis = Array.from({ length: 0x200 }, (_, at) => String.fromCodePoint(0x1f400 + at)).filter(
  (emoji) => /^\p{RGI_Emoji}$/v.test(emoji) && /^\p{Emoji_Presentation}/u.test(emoji),
)

const aWord = () => `word${Math.random().toString(36).slice(2)}end`

async function say(ada: Person, number: number, named: readonly string[]): Promise<Said> {
  const some = fourOf(named.length, number)
  const word = `${aWord()}${some.map((at) => ` @named${at}`).join('')}`
  const key = `key-${number}`
  const mentions = JSON.stringify(some.map((at) => idOfUser(named[at]!)))
  return {
    message: await ada.say('lobby', word, { key }),
    key,
    word,
    now: word,
    before: [],
    mentions,
    emoji: undefined,
    deleted: false,
  }
}

/** Four of so many, in an order that no other number has. */
function fourOf(count: number, number: number): number[] {
  const left = Array.from({ length: count }, (_, at) => at)
  return Array.from({ length: 4 }, () => {
    const [one] = left.splice(number % left.length, 1)
    number = Math.floor(number / (left.length + 1))
    return one!
  })
}

// Some that are left, each with an emoji that none of the others has; and some of those take it back.
async function reactToSome(ada: Person, said: readonly Said[]): Promise<string[]> {
  const refused: string[] = []
  const free = emojis.filter((emoji) => !said.some((one) => one.emoji === emoji))
  for (const one of said) {
    if (one.deleted || one.emoji !== undefined || Math.random() < 0.7) continue
    const emoji = free.shift()
    if (emoji === undefined) break
    one.emoji = emoji
    for (const method of Math.random() < 0.5 ? ['PUT', 'DELETE'] : ['PUT']) {
      const { status } = await ada.fetch(`/rooms/lobby/messages/${one.message.id}/reactions/${emoji}`, {
        method,
        headers: { 'sec-fetch-site': 'same-origin' },
      })
      if (status !== 204) refused.push(`a reaction was answered with ${status}`)
    }
  }
  return refused
}

function emojisGone(said: readonly Said[]): string[] {
  return said.flatMap(({ emoji, deleted }) => (emoji !== undefined && deleted ? [emoji] : []))
}

async function callAnew(ada: Person, called: Called): Promise<void> {
  const [name, topic] = [aWord(), aWord()]
  await called.person.ask('PATCH', '/users/me', { name })
  await ada.ask('PATCH', `/rooms/${called.room}`, { topic })
  called.gone.push(...called.now)
  called.now = [name, topic]
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
async function lookAt(reader: Listener, said: readonly Said[], called: Called): Promise<string[]> {
  await reader.next('ping')
  reader.leave()
  const ids = (event: string) =>
    reader.all.filter((one) => one.event === event).map(({ data }) => (JSON.parse(data) as { id: string }).id)
  const left = said.filter(({ deleted }) => !deleted)
  const gone = said.filter(({ deleted }) => deleted).map(({ message }) => message.id)
  const faults: string[] = []
  const asPosted = left.filter(({ before }) => before.length === 0).map(({ message }) => message.id)
  const edited = left.filter(({ before }) => before.length > 0).map(({ message }) => message.id)
  if (ids('message').join() !== asPosted.join())
    faults.push(`a new reader gets ${ids('message').length} messages, of ${asPosted.length} that are left as they were`)
  if (ids('edit').sort().join() !== edited.sort().join())
    faults.push(`a new reader gets ${ids('edit').length} edits, of ${edited.length} messages`)
  if (ids('delete').sort().join() !== gone.sort().join())
    faults.push(`a new reader gets ${ids('delete').length} deletions of ${gone.length}`)
  const texts = new Map(
    reader.all
      .filter(({ event }) => event === 'message' || event === 'edit')
      .map(({ data }) => JSON.parse(data) as Message)
      .map(({ id, text }) => [id, text]),
  )
  if (left.some(({ message, now }) => texts.get(message.id) !== now))
    faults.push('a new reader gets another text than there is')
  if (said.some((one) => goneOf(one).some((word) => reader.bytes.includes(word))))
    faults.push('a new reader gets words that are gone')
  if (emojisGone(said).some((emoji) => reader.bytes.includes(emoji)))
    faults.push('a new reader gets emojis that are gone')
  if (called.gone.some((name) => reader.bytes.includes(name)))
    faults.push('a new reader gets names or topics that are gone')
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
  const after = said.filter(
    ({ deleted, before, message }) => !deleted && before.length === 0 && Number(message.id) > Number(one.message.id),
  )
  if (reader.all.some(({ event }) => event === 'reset')) faults.push('a deleted message is no cursor any more')
  if (reader.all.filter(({ event }) => event === 'message').length !== after.length)
    faults.push('who goes on from a deleted message misses some')
  const answer = await ada.send('POST', '/rooms/lobby/messages', { text: one.word }, { 'idempotency-key': one.key })
  const { id } = (await answer.json()) as Message
  if (id !== one.message.id)
    faults.push(`a deleted message that is sent again is ${answer.status} ${id}, and was ${one.message.id}`)
  return faults
}
