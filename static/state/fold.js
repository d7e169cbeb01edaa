// @ts-check
// What a stream's events add up to: rooms, who is in them, what was said, people, and whom I block. Whoever folds all events from the
// first on has exactly what the server answers; whoever goes on from an answer folds what comes after it.

/** @import { Author, Message, Room, User, WireEvent, WireEvents } from '../../lib/chat/streams/events.ts' */

/**
 * @typedef {object} State
 * @property {Map<string, Room>} rooms
 * @property {Map<string, Map<string, 'owner' | 'member'>>} members by room: who is in it, and their role there
 * @property {Map<string, Map<string, Message>>} messages by room
 * @property {Map<string, User>} users
 * @property {Set<string>} blocked the ids of those whom I block
 */

const namedMax = 10 // of those who reacted with an emoji: as many as the server names

/** @returns {State} */
export function empty() {
  return { rooms: new Map(), members: new Map(), messages: new Map(), users: new Map(), blocked: new Set() }
}

/**
 * What each event changes. Some change nothing that is kept.
 * @type {{ [Name in keyof WireEvents]: (state: State, data: WireEvents[Name], me: string | undefined) => void }}
 */
const changes = {
  message: say,
  edit: say,
  delete: ({ messages }, { room, id }) => inside(messages, room).delete(id),
  reaction: ({ messages }, reaction, me) => react(inside(messages, reaction.room), reaction, me),
  join: ({ members }, { room, user, role }) => inside(members, room).set(user.id, role ?? 'member'),
  leave: ({ members }, { room, user }) => inside(members, room).delete(user.id),
  room: ({ rooms }, room) => rooms.set(room.id, room),
  user: know,
  block: ({ blocked }, { user, on }) => blocked[on ? 'add' : 'delete'](user.id),
  read: nothing,
  typing: nothing,
  presence: nothing,
  ping: nothing,
  reset: nothing,
}

/**
 * @param {State} state @param {WireEvent} happened @param {string} [me] the id of whoever reads: their reactions are marked
 */
export function fold(state, { event, data }, me) {
  const change = /** @type {(state: State, data: unknown, me: string | undefined) => void} each takes its own data */ (
    changes[event]
  )
  // What a newer server tells beside these is passed over.
  change?.(state, data, me)
}

function nothing() {}

/** @param {State} state @param {Message} message */
function say({ messages }, message) {
  const inRoom = inside(messages, message.room)
  const { reactions } = inRoom.get(message.id) ?? {}
  inRoom.set(message.id, { ...message, ...(reactions && { reactions }) })
}

/** @param {State} state @param {User} user */
function know({ rooms, messages, users }, user) {
  const before = users.get(user.id)?.name
  if (before !== undefined && before !== user.name) callAfter(rooms, before, user)
  users.set(user.id, user)
  for (const inRoom of messages.values()) callInReactions(inRoom, user)
}

// A direct room is called after its two: so is whoever has another name by now in the rooms that have their id in their own.
/** @param {Map<string, Room>} rooms @param {string} before @param {User} user */
function callAfter(rooms, before, { id: user, name }) {
  for (const [id, room] of rooms) {
    if (room.kind !== 'direct' || !id.split('-').includes(user.slice(2))) continue
    if (room.name.startsWith(`${before}, `))
      rooms.set(id, { ...room, name: `${name}${room.name.slice(before.length)}` })
    else if (room.name.endsWith(`, ${before}`))
      rooms.set(id, { ...room, name: `${room.name.slice(0, -before.length)}${name}` })
  }
}

// A message whose text was changed later comes with that change, and reactions may come before it.
/** @param {Map<string, Message>} messages @param {WireEvents['reaction']} reaction @param {string | undefined} me */
function react(messages, { message: id, emoji, from, on, count }, me) {
  const { reactions: before = [], ...message } = messages.get(id) ?? /** @type {Message} */ ({ id })
  const known = before.find((one) => one.emoji === emoji) ?? { emoji, count: 0, me: false, from: [] }
  const people = named(known.from, from, { on, count })
  // Without a count it is a room of two, and both of them are named.
  const now = { emoji, count: count ?? people.length, me: from.id === me ? on : known.me, from: people }
  const reactions = before.includes(known) ? before.map((one) => (one === known ? now : one)) : [...before, now]
  const left = reactions.filter((one) => one.count > 0)
  messages.set(id, { ...message, ...(left.length > 0 && { reactions: left }) })
}

// The first who reacted so. Whoever comes next is one of them if all before are known; and when one of them takes it back, who moves up is not.
/** @param {Author[]} before @param {Author} author @param {{ on: boolean, count: number | undefined }} told @returns {Author[]} */
function named(before, author, { on, count = before.length + 1 }) {
  if (!on) return before.filter(({ id }) => id !== author.id)
  if (before.some(({ id }) => id === author.id)) return before
  return before.length < namedMax && before.length === count - 1 ? [...before, author] : before
}

// Reactions show people under the names that they have now.
/** @param {Map<string, Message>} messages @param {User} user */
function callInReactions(messages, { id, name }) {
  const outdated = (/** @type {Author} */ author) => author.id === id && author.name !== name
  for (const [key, message] of messages) {
    if (!message.reactions?.some(({ from }) => from.some(outdated))) continue
    const reactions = message.reactions.map((one) => ({
      ...one,
      from: one.from.map((author) => (outdated(author) ? { ...author, name } : author)),
    }))
    messages.set(key, { ...message, reactions })
  }
}

/** @template T @param {Map<string, Map<string, T>>} maps @param {string} key @returns {Map<string, T>} */
function inside(maps, key) {
  const found = maps.get(key) ?? new Map()
  maps.set(key, found)
  return found
}
