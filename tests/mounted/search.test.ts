import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createChat } from '../../lib/embed/create-chat.ts'
import type { MountedChat } from '../../lib/embed/mounted-chat.ts'
import { ReadingThread } from '../../lib/store/search/reading-thread.ts'

const ada = { id: '1', name: 'ada' }
const bob = { id: '2', name: 'bob' }

async function chatOfTwo(t: TestContext): Promise<{ chat: MountedChat; room: string }> {
  const chat = await createChat({ data: ':memory:', identify: () => undefined })
  t.after(() => chat.close())
  const { id: room } = await chat.createRoom(ada, { name: 'attic', kind: 'private' })
  await chat.post(bob, 'lobby', { text: 'in the open' })
  await chat.addMember(ada, room, bob)
  await chat.post(ada, room, { text: 'in the attic' })
  return { chat, room }
}

/** Has something happen between what the index finds and the answer. */
function whileAnswering(t: TestContext, happens: () => Promise<unknown>): void {
  const { search } = ReadingThread.prototype
  t.after(() => (ReadingThread.prototype.search = search))
  ReadingThread.prototype.search = async function (...asked) {
    const found = await search.apply(this, asked)
    await happens()
    return found
  }
}

test('a host searches by function, as somebody or as nobody in particular', async (t) => {
  const { chat, room } = await chatOfTwo(t)
  const texts = async (by: typeof ada | null, options: { q?: string; room?: string }) =>
    (await chat.search(by, options)).messages.map(({ text }) => text)

  assert.deepEqual(await texts(bob, { q: 'the' }), ['in the attic', 'in the open'])
  assert.deepEqual(await texts(null, { q: 'the' }), ['in the open'])
  assert.deepEqual(await texts(bob, { room }), ['in the attic'])
  await assert.rejects(chat.search({ id: '3', name: 'eve' }, { room }), { code: 'not_found' })
})

test('who is removed while the search is under way no longer finds what is said there', async (t) => {
  const { chat, room } = await chatOfTwo(t)
  whileAnswering(t, () => chat.removeMember(ada, room, bob))

  assert.deepEqual(
    (await chat.search(bob, { q: 'the' })).messages.map(({ text }) => text),
    ['in the open'],
  )
  await assert.rejects(chat.search(bob, { q: 'the', room }), { code: 'not_found' })
})

test('what is deleted while the search is under way is not found', async (t) => {
  const { chat } = await chatOfTwo(t)
  const { id } = await chat.post(bob, 'lobby', { text: 'regretted' })
  whileAnswering(t, () => chat.remove(bob, 'lobby', id))

  assert.deepEqual(await chat.search(bob, { q: 'regretted' }), { messages: [], marks: {}, more: false })
})

test('who is banned while the search is under way gets nothing', async (t) => {
  const { chat } = await chatOfTwo(t)
  whileAnswering(t, () => chat.ban({ id: '9', name: 'olga', role: 'owner' }, bob))

  await assert.rejects(chat.search(bob, { q: 'the' }), { code: 'banned' })
})
