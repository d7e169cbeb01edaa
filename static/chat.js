// @ts-check
// The page as a whole: who I am, the room I am in, and what happens on each click and each event. Everything the server
// tells comes in by the connection; everything shown is brought about from here.

/** @import { Room, User, WireEvent, WireEvents } from '../lib/chat/events.ts' */
import { Account } from './account.js'
import { home, lobby, onRoomLink, pathOf, roomOf, scope } from './address.js'
import { Refusal, getPatiently, request } from './api.js'
import { Composer } from './composer.js'
import { Connection } from './connection.js'
import { Entry } from './entry.js'
import { Join } from './join.js'
import { MessageLog } from './message-log.js'
import { Mirror } from './mirror.js'
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

/** @type {'open' | 'invite'} whether one may read and come in without an invite */
let access = 'open'
let hosted = false // another server says who one is
let joining = false
let room = ''
// Other tabs share the cookie: when one comes in or leaves, all do.
const tabs = new BroadcastChannel(scope)

const mirror = new Mirror((where, id) => reader.holds(where, id))
const rooms = new RoomList(part('rooms', HTMLElement))
const notice = new Notice(part('notice', HTMLElement))
const entry = new Entry(cameIn)
const welcome = new Welcome(entry, loggedOut)
const join = new Join(welcome, place, accepted)
const failed = (/** @type {unknown} */ error) => {
  if (error instanceof Refusal && error.status === 401) void readSession() // it is over
}
const newRoom = new NewRoom({ made: enterNew, failed })
const people = new People(mirror, { direct: enterNew, nameOf: (room) => rooms.nameOf(room), failed })
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
  if (!mirror.me) return
  log.toEnd()
  showPending(outbox.add({ user: mirror.me.id, room, text, after: connection.cursor }))
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
    if (mirror.me) outbox.retry(key, mirror.me.id)
    else entry.focus()
  },
  discard: (key) => {
    outbox.discard(key)
    log.drop(key)
    composer.focus()
  },
  react: async (message, emoji, on) => {
    try {
      await request(on ? 'PUT' : 'DELETE', `/rooms/${encodeURIComponent(room)}/messages/${message}/reactions/${encodeURIComponent(emoji)}`)
    } catch (error) {
      notice.say(error instanceof Error ? `${error.message}.` : '')
      failed(error)
    }
  },
})

const outbox = new Outbox({
  changed: (entry) => showPending(entry),
  delivered: (entry, message) => reader.delivered(entry.key, message, connection.cursor),
  refused: (entry, status) => {
    showPending(entry)
    if (status === 401) void readSession() // it is over
  },
})

const reader = new Reader({ mirror, log, outbox }, () => {
  for (const entry of outbox.in(room)) showPending(entry)
  showRoom()
})

const connection = new Connection({
  received: hear,
  changed: (state) => {
    const words = { connecting: 'Connecting…', live: 'Live', reconnecting: 'Reconnecting…', offline: 'Offline' }
    const shown = part('connection', HTMLElement)
    const before = shown.dataset['state']
    if (before === state) return
    shown.dataset['state'] = state
    shown.firstElementChild?.replaceChildren(words[state])
    if (state !== 'live') return
    outbox.hurry()
    if (before !== 'connecting' && !reader.filled && !reader.missing) void readRoom()
  },
  refused: () => void readSession(),
})

// What happens

/** @param {WireEvent} happened @param {string} id */
function hear(happened, id) {
  const { event, data } = happened
  if (event === 'reset') return void startOver(id)
  mirror.receive(happened, id)
  if (event === 'room' || event === 'leave') showRooms()
  else if (event === 'join') hearOfJoin(data)
  else if (event === 'user') hearOfUser(data)
  else reader.happened(happened)
  people.changed()
}

/** What was missed can't be told any more. @param {string} cursor */
async function startOver(cursor) {
  mirror.clear(cursor)
  reader.stop()
  try {
    await readSession()
    await readRooms()
    await readRoom()
  } catch (error) {
    shut(error)
  }
}

/** @param {WireEvents['join']} joined */
function hearOfJoin({ room: where, user }) {
  // Somebody has let me in. Of what a closed room is there are no events for who was not in it: it is asked for.
  if (user.id === mirror.me?.id && !mirror.state.rooms.has(where)) readRooms().catch(failed)
}

/** @param {User} user */
function hearOfUser(user) {
  if (user.id !== mirror.me?.id) return
  showMe(user)
  if (user.banned) shut()
}

// Who I am

async function readSession() {
  const session = await getPatiently('/session', () => true)
  access = session.access ?? 'open'
  hosted = session.hosted === true
  if (mirror.me === undefined) {
    showMe(session.user)
    if (session.user) outbox.restore(session.user.id)
    for (const entry of outbox.in(room)) showPending(entry)
  } else {
    await become(session.user)
  }
}

/** Whoever is at the page is somebody else now, and may see other things. @param {User | null} user */
async function become(user) {
  const before = mirror.me
  showMe(user)
  if (user?.banned) return shut()
  if (user?.id === before?.id) return
  people.close()
  if (joining) return join.show(user)
  if (user) outbox.restore(user.id)
  // Who comes into an open room has read it already, and who falls out of it may read on.
  const goesOn = !(user && before) && reader.filled && mirror.state.rooms.get(room)?.kind === 'open' && (user || access === 'open')
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
  mirror.me = user
  if (user) mirror.state.users.set(user.id, user)
  rooms.me = user?.name ?? ''
  account.show(user, { hosted })
  newRoom.allow(user !== null)
  if (mirror.state.rooms.get(room)?.kind === 'direct') showRoom()
  else showFoot()
}

// Where I am

async function start() {
  joining = join.asked
  const session = readSession()
  if (joining) return session.then(() => join.show(mirror.me ?? null))
  room = roomOf(location.pathname) ?? lobby
  composer.switchTo(room)
  await begin(session)
}

/**
 * The rooms come first, and the stream goes on from there. Whatever is asked for after that, what is not in the answer yet
 * is still to come on the stream.
 * @param {Promise<void>} [session] being asked for
 */
async function begin(session) {
  forget()
  try {
    const answer = await readRooms()
    if (!answer) return // somebody else has begun since
    welcome.hide()
    connection.start(answer.cursor)
    await readRoom()
  } catch (error) {
    await session // tells whether we know anybody
    shut(error)
  }
}

/** Somebody else begins with nothing. */
function forget() {
  connection.stop()
  mirror.clear()
  reader.stop()
  rooms.show(mirror.state.rooms)
}

/** Nothing here may be read: without an invite, or because of a ban. @param {unknown} [why] */
function shut(why) {
  const refusal = why instanceof Refusal ? why : undefined
  if (why && !refusal) return tell(part('loading', HTMLElement), why)
  forget()
  people.close()
  const { me } = mirror
  if (!me || refusal?.status === 401) return welcome.showClosed(place, { hosted, login: !hosted })
  welcome.show({ title: 'There is no way in', text: me.banned ? `You are banned from ${place}.` : `${refusal?.message}.`, leave: !hosted })
}

function readRooms() {
  return mirror.ask('/rooms', (/** @type {{ rooms: Room[] }} */ { rooms }) => {
    mirror.state.rooms = new Map(rooms.map((room) => [room.id, room]))
  }).then((answer) => {
    if (answer) showRooms()
    return answer
  })
}

function readRoom() {
  return reader.read(room, nameOf(room))
}

/** @param {string} id */
function nameOf(id) {
  const known = mirror.state.rooms.get(id)
  return known ? rooms.nameOf(known) : id
}

/** @param {import('./outbox.js').Entry} entry */
function showPending(entry) {
  if (mirror.me && entry.room === room && entry.seenAs === null) log.pend(entry, { id: entry.user, name: mirror.me.name })
}

function showRooms() {
  const left = rooms.get(room)
  rooms.show(mirror.state.rooms)
  if (mirror.state.rooms.has(room) || !left) {
    if (reader.missing && mirror.state.rooms.has(room)) void readRoom()
    return showRoom()
  }
  people.close()
  notice.say(`You are no longer in “${rooms.nameOf(left)}”.`)
  history.replaceState(null, '', home) // there is no way back to it
  goTo(lobby)
}

/** The head of the room we are in, and what one may do at its foot. */
function showRoom() {
  const shown = mirror.state.rooms.get(room)
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
  const { me, state } = mirror
  const archived = state.rooms.get(room)?.archived === true
  log.viewer = { me: me?.id ?? '', mayReact: !!me && !archived }
  composer.show(!reader.missing && !!me && !archived)
  if (!welcome.shown) entry.show(me === null && !hosted)
  part('hosted', HTMLElement).hidden = me !== null || !hosted
  part('archived', HTMLElement).hidden = reader.missing || !me || !archived
  part('missing', HTMLElement).hidden = !reader.missing
  if (reader.missing) part('loading', HTMLElement).hidden = true
  part('people-open', HTMLElement).hidden = reader.missing || !state.rooms.has(room)
}

/** A room that I have just made or opened: the stream may not have told of it yet. @param {Room} made */
function enterNew(made) {
  if (!mirror.state.rooms.has(made.id)) mirror.state.rooms.set(made.id, made)
  showRooms()
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
  if (mirror.me && matchMedia('(hover: hover)').matches) composer.focus() // elsewhere this would open a keyboard
}

part('people-open', HTMLButtonElement).addEventListener('click', () => {
  const shown = mirror.state.rooms.get(room)
  if (shown) people.open(shown, { hosted })
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
