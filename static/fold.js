// @ts-check
// What a stream's events add up to: rooms, who is in them, what was said, people, and whom I block. Whoever folds all events from the
// first on has exactly what the server answers; whoever goes on from an answer folds what comes after it.

/** @import { Message, Room, User, WireEvent, WireEvents } from '../lib/chat/events.ts' */

/**
 * @typedef {object} State
 * @property {Map<string, Room>} rooms
 * @property {Map<string, Map<string, 'owner' | 'member'>>} members by room: who is in it, and their role there
 * @property {Map<string, Map<string, Message>>} messages by room
 * @property {Map<string, User>} users
 * @property {Set<string>} blocked the ids of those whom I block
 */

/** @returns {State} */
export function empty() {
  return { rooms: new Map(), members: new Map(), messages: new Map(), users: new Map(), blocked: new Set() }
}

/**
 * @param {State} state @param {WireEvent} happened
 */
export function fold({ rooms, members, messages, users, blocked }, { event, data }) {
  if (event === 'room') rooms.set(data.id, data)
  else if (event === 'user') {
    const before = users.get(data.id)?.name
    if (before !== undefined && before !== data.name) callAfter(rooms, before, data)
    users.set(data.id, data)
  }
  else if (event === 'block') blocked[data.on ? 'add' : 'delete'](data.user.id)
  else if (event === 'join') inside(members, data.room).set(data.user.id, data.role ?? 'member')
  else if (event === 'leave') inside(members, data.room).delete(data.user.id)
  else if (event === 'delete') inside(messages, data.room).delete(data.id)
  else if (event === 'reaction') react(inside(messages, data.room), data)
  else if (event === 'message' || event === 'edit') {
    const { reactions } = inside(messages, data.room).get(data.id) ?? {}
    inside(messages, data.room).set(data.id, { ...data, ...(reactions && { reactions }) })
  }
}

// A direct room is called after its two: so is whoever has another name by now in the rooms that have their id in their own.
/** @param {Map<string, Room>} rooms @param {string} before @param {User} user */
function callAfter(rooms, before, { id: user, name }) {
  for (const [id, room] of rooms) {
    if (room.kind !== 'direct' || !id.split('-').includes(user.slice(2))) continue
    if (room.name.startsWith(`${before}, `)) rooms.set(id, { ...room, name: `${name}${room.name.slice(before.length)}` })
    else if (room.name.endsWith(`, ${before}`)) rooms.set(id, { ...room, name: `${room.name.slice(0, -before.length)}${name}` })
  }
}

// A message whose text was changed later comes with that change, and reactions may come before it.
/** @param {Map<string, Message>} messages @param {WireEvents['reaction']} reaction */
function react(messages, { message: id, emoji, from, on }) {
  const { reactions: before, ...message } = messages.get(id) ?? /** @type {Message} */ ({ id })
  const reactions = { ...before }
  const others = (reactions[emoji] ?? []).filter((other) => other !== from.id)
  if (on) reactions[emoji] = [...others, from.id]
  else if (others.length > 0) reactions[emoji] = others
  else delete reactions[emoji]
  messages.set(id, { ...message, ...(Object.keys(reactions).length > 0 && { reactions }) })
}

/** @template T @param {Map<string, Map<string, T>>} maps @param {string} key @returns {Map<string, T>} */
function inside(maps, key) {
  const found = maps.get(key) ?? new Map()
  maps.set(key, found)
  return found
}
