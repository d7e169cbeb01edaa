// @ts-check
// The page as a whole: who I am, the room I am in, and what happens on each click and each event. Everything the server
// tells comes in by the connection; everything shown is brought about from here.

/** @import { Message, Room, User, WireEvents } from '../lib/chat/events.ts' */
import { Account } from './account.js'
import { home, lobby, onRoomLink, pathOf, roomOf, scope } from './address.js'
import { Refusal, getPatiently } from './api.js'
import { Composer } from './composer.js'
import { Connection } from './connection.js'
import { Entry } from './entry.js'
import { Join } from './join.js'
import { MessageLog } from './message-log.js'
import { NewRoom } from './new-room.js'
import { Notice } from './notice.js'
import { Outbox } from './outbox.js'
import { part, tell } from './parts.js'
import { People } from './people.js'
import { Reader } from './reader.js'
import { RoomList, signOf } from './room-list.js'
import { Welcome } from './welcome.js'

const place = document.title

const side = part('side', HTMLElement)

/** @type {User | null | undefined} undefined until the server has said */
let me
/** @type {'open' | 'invite'} whether one may read and come in without an invite */
let access = 'open'
let hosted = false // another server says who one is
let joining = false
let room = ''
let roomsChangedAt = '' // the id of the last event that changed which rooms there are
// Other tabs share the cookie: when one comes in or leaves, all do.
const tabs = new BroadcastChannel(scope)

const rooms = new RoomList(part('rooms', HTMLElement))
const notice = new Notice(part('notice', HTMLElement))
const entry = new Entry(cameIn)
const welcome = new Welcome(entry, loggedOut)
const join = new Join(welcome, place, accepted)
const failed = (/** @type {unknown} */ error) => {
  if (error instanceof Refusal && error.status === 401) void readSession() // it is over
}
const newRoom = new NewRoom({ made: enterNew, failed })
const people = new People({ changed: changeRoom, direct: enterNew, nameOf: (room) => rooms.nameOf(room), failed })
const account = new Account({
  changed: (user) => {
    showMe(user)
    tabs.postMessage('session')
  },
  loggedOut,
  failed,
})

const composer = new Composer({
  form: part('composer', HTMLFormElement),
  field: part('text', HTMLTextAreaElement),
  send: part('send', HTMLButtonElement),
  left: part('text-left', HTMLElement),
}, (text) => {
  if (!me) return
  log.toEnd()
  showPending(outbox.add({ user: me.id, room, text, after: connection.cursor }))
})

const log = new MessageLog({
  scroller: part('log', HTMLElement),
  list: part('messages', HTMLElement),
  template: part('message-template', HTMLTemplateElement),
  older: part('older', HTMLElement),
  beginning: part('beginning', HTMLElement),
  empty: part('empty', HTMLElement),
  loading: part('loading', HTMLElement),
  jump: part('jump', HTMLElement),
}, {
  older: () => void reader.readOlder(),
  newest: () => void readRoom(),
  retry: (key) => {
    if (me) outbox.retry(key, me.id)
    else entry.focus()
  },
  discard: (key) => {
    outbox.discard(key)
    log.drop(key)
    composer.focus()
  },
})

const outbox = new Outbox({
  changed: (entry) => showPending(entry),
  delivered: (entry, message) => {
    if (entry.room === room) log.settle(entry.key, message)
  },
  refused: (entry, status) => {
    showPending(entry)
    if (status === 401) void readSession() // it is over
  },
})

const reader = new Reader(log, outbox, () => {
  for (const entry of outbox.in(room)) showPending(entry)
  showRoom()
})

const connection = new Connection({
  received: {
    message: hear,
    delete: ({ id, room: where }) => {
      if (where === room) log.remove(id)
    },
    join: hearOfJoin,
    leave: hearOfLeave,
    room: (changed) => {
      roomsChangedAt = connection.cursor
      changeRoom(changed)
    },
    user: hearOfUser,
    reset: () => void readSession().then(() => readRooms()).then(readRoom).catch(shut),
  },
  changed: (state) => {
    const words = { connecting: 'Connecting…', live: 'Live', reconnecting: 'Reconnecting…', offline: 'Offline' }
    const shown = part('connection', HTMLElement)
    const before = shown.dataset['state']
    if (before === state) return
    shown.dataset['state'] = state
    shown.firstElementChild?.replaceChildren(words[state])
    if (state !== 'live') return
    outbox.hurry()
    if (before !== 'connecting' && !log.filled && !reader.missing) void readRoom()
  },
  refused: () => void readSession(),
})

// What happens

/** @param {Message} message */
function hear(message) {
  const mine = outbox.match(message)
  if (message.room !== room) return
  if (mine) log.settle(mine.key, message)
  else log.add(message)
}

/** @param {Room} changed */
function changeRoom(changed) {
  rooms.put(changed)
  people.put(changed)
  if (changed.id !== room) return
  if (reader.missing) void readRoom()
  else showRoom()
}

/** @param {WireEvents['join']} joined */
async function hearOfJoin({ room: where, user }) {
  people.changed(where)
  if (user.id !== me?.id || rooms.get(where)) return
  // Somebody has let me in. Of what a closed room is there are no events for who was not in it: it is asked for.
  roomsChangedAt = connection.cursor
  try {
    changeRoom(await getPatiently(`/rooms/${encodeURIComponent(where)}`, () => true))
  } catch {
    // I am out again already: the leave comes next.
  }
}

/** @param {WireEvents['leave']} left */
function hearOfLeave({ room: where, user }) {
  const gone = rooms.get(where)
  if (user.id !== me?.id || !gone || gone.kind === 'open') return people.changed(where)
  roomsChangedAt = connection.cursor
  rooms.remove(where)
  if (where !== room) return
  people.close()
  notice.say(`You are no longer in “${rooms.nameOf(gone)}”.`)
  toLobby()
}

/** @param {User} user */
function hearOfUser(user) {
  people.changedUser(user)
  if (user.id !== me?.id) return
  showMe(user)
  if (user.banned) shut()
}

// Who I am

async function readSession() {
  const session = await getPatiently('/session', () => true)
  access = session.access ?? 'open'
  hosted = session.hosted === true
  if (me === undefined) {
    showMe(session.user)
    if (session.user) outbox.restore(session.user.id)
    for (const entry of outbox.in(room)) showPending(entry)
  } else {
    await become(session.user)
  }
}

/** Whoever is at the page is somebody else now, and may see other things. @param {User | null} user */
async function become(user) {
  const before = me
  showMe(user)
  if (user?.banned) return shut()
  if (user?.id === before?.id) return
  people.close()
  if (joining) return join.show(user)
  if (user) outbox.restore(user.id)
  // Who comes into an open room has read it already, and who falls out of it may read on.
  const goesOn = !(user && before) && log.filled && rooms.get(room)?.kind === 'open' && (user || access === 'open')
  if (!goesOn) return begin()
  connection.reopen()
  await readRooms()
}

/** By the form. @param {User} user */
async function cameIn(user) {
  tabs.postMessage('session')
  await become(user)
  composer.focus()
}

async function loggedOut() {
  outbox.clear() // what was not sent goes with whoever wrote it
  tabs.postMessage('session')
  await become(null)
}

/** By an invite. @param {User} user @param {Room | undefined} to */
async function accepted(user, to) {
  tabs.postMessage('session')
  joining = false
  room = to?.id ?? lobby
  history.replaceState(null, '', to ? pathOf(room) : home)
  composer.switchTo(room)
  showMe(user)
  outbox.restore(user.id)
  welcome.hide()
  await begin()
  composer.focus()
}

/** @param {User | null} user */
function showMe(user) {
  me = user
  log.me = user?.id ?? ''
  rooms.me = user?.name ?? ''
  account.show(user, { hosted })
  newRoom.allow(user !== null)
  if (rooms.get(room)?.kind === 'direct') showRoom()
  else showFoot()
}

// Where I am

async function start() {
  joining = join.asked
  const session = readSession()
  if (joining) return session.then(() => join.show(me ?? null))
  room = roomOf(location.pathname) ?? lobby
  composer.switchTo(room)
  await begin(session)
}

/**
 * The rooms come first, and the stream goes on from there. A room's history is asked for after that, so whatever is not
 * in it yet is still to come on the stream: no gap, and what comes twice is known by its id.
 * @param {Promise<void>} [session] being asked for
 */
async function begin(session) {
  try {
    const { cursor } = await readRooms()
    welcome.hide()
    connection.start(cursor)
    await readRoom()
  } catch (error) {
    await session // tells whether we know anybody
    shut(error)
  }
}

/** Nothing here may be read: without an invite, or because of a ban. @param {unknown} [why] */
function shut(why) {
  const refusal = why instanceof Refusal ? why : undefined
  if (why && !refusal) return tell(part('loading', HTMLElement), why)
  connection.stop()
  rooms.replace([])
  reader.stop()
  people.close()
  if (!me || refusal?.status === 401) return welcome.showClosed(place, { hosted, login: !hosted })
  welcome.show({ title: 'There is no way in', text: me.banned ? `You are banned from ${place}.` : `${refusal?.message}.`, leave: !hosted })
}

/** `again`: an event may overtake the answer, and would not be in it. @returns {Promise<{ rooms: Room[], cursor: string }>} */
async function readRooms(again = true) {
  const answer = await getPatiently('/rooms', () => true)
  if (again && Number(roomsChangedAt) > Number(answer.cursor)) return readRooms(false)
  rooms.replace(answer.rooms)
  showRoom()
  return answer
}

function readRoom() {
  return reader.read(room, nameOf(room))
}

/** @param {string} id */
function nameOf(id) {
  const known = rooms.get(id)
  return known ? rooms.nameOf(known) : id
}

/** @param {import('./outbox.js').Entry} entry */
function showPending(entry) {
  if (me && entry.room === room && entry.seenAs === null) log.pend(entry, { id: entry.user, name: me.name })
}

/** The head of the room we are in, and what one may do at its foot. */
function showRoom() {
  const shown = rooms.get(room)
  rooms.mark(room)
  part('room-name', HTMLElement).textContent = nameOf(room)
  document.getElementById('room-sign')?.setAttribute('href', signOf(shown))
  const topic = part('room-topic', HTMLElement)
  topic.textContent = topic.title = shown?.topic ?? ''
  topic.hidden = !shown?.topic
  part('missing', HTMLElement).querySelector('bdi')?.replaceChildren(room)
  document.title = room === lobby || reader.missing ? place : `${nameOf(room)} · ${place}`
  showFoot()
}

function showFoot() {
  const archived = rooms.get(room)?.archived === true
  composer.show(!reader.missing && !!me && !archived)
  if (!welcome.shown) entry.show(me === null && !hosted)
  part('hosted', HTMLElement).hidden = me !== null || !hosted
  part('archived', HTMLElement).hidden = reader.missing || !me || !archived
  part('missing', HTMLElement).hidden = !reader.missing
  if (reader.missing) part('loading', HTMLElement).hidden = true
  part('people-open', HTMLElement).hidden = reader.missing || !rooms.get(room)
}

/** A room that I have just made or opened. @param {Room} made */
function enterNew(made) {
  changeRoom(made)
  enter(made.id, pathOf(made.id))
}

/** @param {string} id @param {string} path */
function enter(id, path) {
  if (side.matches(':popover-open')) side.hidePopover()
  if (id === room && !reader.missing) {
    log.toEnd()
    return
  }
  if (location.pathname !== path) history.pushState(null, '', path)
  goTo(id)
}

/** @param {string} id */
function goTo(id) {
  room = id
  composer.switchTo(id)
  newRoom.show(false)
  void readRoom()
  if (me && matchMedia('(hover: hover)').matches) composer.focus() // elsewhere this would open a keyboard
}

/** From a room that is gone: there is no way back to it. */
function toLobby() {
  history.replaceState(null, '', home)
  goTo(lobby)
}

part('people-open', HTMLButtonElement).addEventListener('click', () => {
  const shown = rooms.get(room)
  if (shown) people.open(shown, me ?? null, { hosted })
})

onRoomLink((id, path) => {
  if (welcome.shown) return false
  enter(id, path)
  return true
})
window.addEventListener('popstate', () => {
  const id = roomOf(location.pathname) ?? lobby
  if (id !== room && !joining) goTo(id)
})
// As a column beside the messages there is nothing to pop over.
matchMedia('(min-width: 48rem)').addEventListener('change', () => {
  if (side.matches(':popover-open')) side.hidePopover()
})

tabs.addEventListener('message', () => void readSession())

void start()
