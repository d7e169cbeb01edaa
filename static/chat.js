// @ts-check
// The page as a whole: who I am, what happens on each event, and how the parts are joined. Everything the server tells comes in by
// the connection; everything shown is brought about from here.

/** @import { Room, User, WireEvent, WireEvents } from '../lib/chat/streams/events.ts' */
import { Account } from './settings/account.js'
import { home, joinPath, lobby, pathOf, recentEmojiName } from './parts/address.js'
import { Refusal } from './parts/api.js'
import { Blocks } from './state/blocks.js'
import { Calls } from './state/calls.js'
import { Connection } from './stream/connection.js'
import { Entry } from './door/entry.js'
import { Levels } from './state/levels.js'
import { Mirror } from './state/mirror.js'
import { NewRoom } from './rooms/new-room.js'
import { Notice } from './parts/notice.js'
import { closeAll, part, tell } from './parts/parts.js'
import { PeopleOpener } from './people/people-opener.js'
import { Presence } from './state/presence.js'
import { showWhoIsHere } from './rooms/room-head.js'
import { RoomList } from './rooms/room-list.js'
import { RoomsReader } from './state/rooms-reader.js'
import { RoomView } from './rooms/room-view.js'
import { SearchOpener } from './search/search-opener.js'
import { Session } from './state/session.js'
import { listenForShortcuts, showShortcuts } from './settings/shortcuts.js'
import { Unread } from './state/unread.js'
import { Welcome } from './door/welcome.js'
import { say, sayPage } from './words/words.js'

await sayPage()

const place = document.title

const side = part('side', HTMLElement)

let joining = false

const failed = (/** @type {unknown} */ error) => {
  if (error instanceof Refusal && error.status === 401) void session.read() // it is over
}
const mirror = new Mirror((where, id) => view.holds(where, id))
const blocks = new Blocks(mirror, {
  blocked: ({ name }) => notice.say(say('block.done', { name })),
  known: () => people.changed(),
  failed,
})
const rooms = new RoomList(part('rooms', HTMLElement))
const notice = new Notice(part('notice', HTMLElement))
const unread = new Unread({
  changed: (room) => {
    const counts = unread.of(room)
    rooms.count(room, counts)
    showTitle()
    if (counts.unread === 0) calls.read(room)
  },
  unsure: () => void reader.read().catch(failed),
  ignores: (user) => blocks.has(user),
})
const entry = new Entry(cameIn)
const welcome = new Welcome(entry, loggedOut)
const join =
  location.pathname === joinPath ? new (await import('./door/join.js')).Join(welcome, place, accepted) : undefined
const newRoom = new NewRoom({ made: enterNew, failed })
const presence = new Presence(mirror, { room: () => view.id, changed: showHere })
const levels = new Levels(showTitle)
const calls = new Calls(
  { mirror, levels, unread },
  { ignores: (user) => blocks.has(user), go: (path) => view.enter(path), nameOf: (room) => rooms.nameOf(room) },
)
const account = new Account({
  changed: (user) => {
    showMe(user)
    session.share('session')
  },
  loggedOut,
  failed,
  shortcuts: () => void showShortcuts(),
})
const reader = new RoomsReader(mirror, {
  listed: (list, first) => {
    unread.list(list.rooms, list.cursor, { anew: first })
    for (const { happened, id } of mirror.after(list.cursor)) unread.happened(happened, String(id), mirror.me ?? null)
  },
  changed: () => showRooms(),
})
const view = new RoomView(
  { mirror, rooms, notice, unread, presence },
  {
    entered: () => newRoom.show(false),
    shown: () => {
      if (!welcome.shown) entry.show(mirror.me === null && !session.hosted)
      part('hosted', HTMLElement).hidden = mirror.me !== null || !session.hosted
      showTitle()
      showHere()
      if (!view.filled) return
      presence.refresh()
      if (!view.room) reader.learn(view.id).catch(failed)
    },
    mayFollow: () => !welcome.shown && !joining,
    come: () => entry.focus(),
    block: (user) => blocks.ask(user),
    cursor: () => connection.cursor,
    failed,
  },
)
const search = new SearchOpener({
  may: () => !welcome.shown && !joining,
  room: () => (view.missing ? undefined : view.room),
  nameOf: nameOfRoom,
  failed,
})
const session = new Session({ told: hearOfSession, left: forgetPerson })
const people = new PeopleOpener(
  { mirror, presence, levels, session },
  {
    room: () => view.room,
    direct: enterNew,
    block: (user) => blocks.ask(user),
    nameOf: (room) => rooms.nameOf(room),
    failed,
  },
)

const connection = new Connection({
  received: hear,
  changed: (state) => {
    const shown = part('connection', HTMLElement)
    const before = shown.dataset['state']
    if (before === state) return
    shown.dataset['state'] = state
    shown.firstElementChild?.replaceChildren(say(`connection.${state}`))
    if (state !== 'live') return
    view.hurry()
    if (before === 'connecting') return
    presence.doubt()
    if (!view.filled && !view.missing) void view.readHere()
  },
  refused: () => session.read(),
})

// What happens

/** @param {WireEvent} happened @param {string} id */
function hear(happened, id) {
  const { event, data } = happened
  if (event === 'reset') return void startOver(id)
  if (unread.happened(happened, id, mirror.me ?? null) && event === 'message') calls.heard(data)
  if (event === 'read') return
  if (event === 'presence') return presence.heard(data)
  if (event === 'typing') return view.happened(happened)
  mirror.receive(happened, id)
  if (event === 'room' || event === 'leave') showRooms()
  else if (event === 'join') hearOfJoin(data)
  else if (event === 'user') hearOfUser(data)
  else if (event === 'block') hearOfBlock()
  else view.happened(happened)
  if (event === 'join' || event === 'leave') showHere()
  else if (event === 'room' || event === 'user') people.changed()
}

/** What was missed can't be told any more. @param {string} cursor */
async function startOver(cursor) {
  mirror.clear(cursor)
  presence.clear()
  view.stop()
  try {
    await session.read()
    await Promise.all([reader.read(), blocks.read()])
    await view.read()
  } catch (error) {
    shut(error)
  }
}

/** @param {WireEvents['join']} joined */
function hearOfJoin({ room: where, user }) {
  // Somebody has let me in. Of what a closed room is there are no events for who was not in it: it is asked for.
  if (user.id === mirror.me?.id && !mirror.state.rooms.has(where)) reader.read().catch(failed)
  presence.joined({ room: where, user })
}

/** Here or on another page of mine somebody was blocked, or no longer is. What names me is to be counted anew. */
function hearOfBlock() {
  reader.read().catch(failed)
  people.changed()
}

/** @param {User} user */
function hearOfUser(user) {
  if (user.id !== mirror.me?.id) return
  showMe(user)
  if (user.banned) shut()
}

// Who I am

/** The server has said who is at the page. @param {User | null} user */
async function hearOfSession(user) {
  if (mirror.me !== undefined) return become(user)
  showMe(user)
  if (user) view.restore(user.id)
}

/** Whoever is at the page is somebody else now, and may see other things. @param {User | null} user */
async function become(user) {
  const before = mirror.me
  session.settle()
  showMe(user)
  if (user?.banned) return shut()
  if (user?.id === before?.id) return
  closeAll()
  search.clear()
  notice.hide() // it was told to who was here before
  if (joining) return join?.show(user)
  if (user) view.restore(user.id)
  // Who comes into an open room has read it already, and who falls out of it may read on.
  const goesOn = !(user && before) && view.filled && view.room?.kind === 'open' && (user || !session.closed)
  if (!goesOn) return begin()
  connection.reopen(user?.id ?? '')
  unread.clear() // what one has read, another has not
  mirror.state.blocked.clear()
  await Promise.all([reader.read(), blocks.read()])
}

/** By the form. @param {User} user */
async function cameIn(user) {
  session.share('session')
  await goOnAt(view, become(user)) // the form at the door is gone
}

async function loggedOut() {
  forgetPerson()
  session.share('logout')
  await goOnAt(entry, become(null)) // my corner, where it was, is gone
}

/**
 * Where the focus goes when what had it goes away, while somebody else begins: at once, or once there is such a place.
 * @param {{ focus: () => void }} there @param {Promise<void>} beginning
 */
async function goOnAt(there, beginning) {
  // The browser itself takes it from what is hidden only with the next picture.
  const isLost = () => document.activeElement === document.body || !document.activeElement?.checkVisibility()
  if (isLost()) there.focus()
  await beginning
  if (isLost()) there.focus()
}

/** What this browser has kept of whoever logs out goes with them. */
function forgetPerson() {
  view.forgetUnsent()
  try {
    localStorage.removeItem(recentEmojiName)
  } catch {
    // Storage is forbidden, and so nothing is there.
  }
}

/** By an invite. @param {User} user @param {Room | undefined} to */
async function accepted(user, to) {
  session.share('session')
  joining = false
  history.replaceState(null, '', to ? pathOf(to.id) : home)
  view.begin()
  showMe(user)
  view.restore(user.id)
  welcome.hide()
  await goOnAt(view, begin())
}

/** @param {User | null} user */
function showMe(user) {
  mirror.me = user
  if (user) mirror.state.users.set(user.id, user)
  rooms.me = user?.name ?? ''
  account.show(user, { hosted: session.hosted })
  newRoom.allow(user !== null)
  view.show()
}

// Where I am

async function start() {
  joining = join !== undefined && join.asked
  const known = session.read()
  if (joining) return known.then(() => join?.show(mirror.me ?? null))
  view.begin()
  await begin(known)
}

/**
 * The rooms come first, and the stream goes on from there. Whatever is asked for after that, what is not in the answer yet
 * is still to come on the stream.
 * @param {Promise<void>} [known] who is at the page, which is being asked for
 */
async function begin(known) {
  forget()
  try {
    const answer = await reader.read()
    if (!answer) return // somebody else has begun since
    welcome.hide()
    connection.start(answer.cursor, mirror.me === null ? '' : mirror.me?.id)
    await Promise.all([view.readHere(), known?.then(() => blocks.read()) ?? blocks.read()])
  } catch (error) {
    await known // tells whether we know anybody
    shut(error)
  }
}

/** Somebody else begins with nothing. */
function forget() {
  connection.stop()
  mirror.clear()
  presence.clear()
  unread.clear()
  calls.clear()
  view.stop()
  rooms.show(mirror.state.rooms)
  view.show() // no longer by the name that the room had for who was here before
}

/** Nothing here may be read: without an invite, or because of a ban. @param {unknown} [why] */
function shut(why) {
  const refusal = why instanceof Refusal ? why : undefined
  if (why && !refusal) return tell(part('loading', HTMLElement), why)
  forget()
  closeAll()
  const { me } = mirror
  if (!me || refusal?.status === 401)
    return welcome.showClosed(place, { hosted: session.hosted, login: !session.hosted })
  welcome.show({
    title: say('welcome.shut'),
    text: me.banned ? say('welcome.banned', { place }) : say('server.refusal', { why: refusal?.message ?? '' }),
    leave: !session.hosted,
  })
}

function showRooms() {
  const left = rooms.get(view.id)
  rooms.show(mirror.state.rooms, { more: reader.more })
  for (const id of mirror.state.rooms.keys()) rooms.count(id, unread.of(id))
  if (left && !view.room) people.close()
  view.roomsChanged(left)
}

function showHere() {
  showWhoIsHere(view.room, { count: presence.count(view.id), other: presence.hasOther(view.id) })
  for (const { id, kind } of mirror.state.rooms.values())
    if (kind === 'direct') rooms.showHere(id, presence.hasOther(id))
  people.changed()
}

function showTitle() {
  const name = view.id === lobby || view.missing || !view.room ? place : `${rooms.nameOf(view.room)} · ${place}`
  document.title = calls.count > 0 ? `(${calls.count}) ${name}` : name
}

/** A room that I have just made or opened: the stream may not have told of it yet. @param {Room} made */
function enterNew(made) {
  if (!mirror.state.rooms.has(made.id)) mirror.state.rooms.set(made.id, made)
  showRooms()
  view.enter(pathOf(made.id))
}

/** @param {string} id */
function nameOfRoom(id) {
  const room = mirror.state.rooms.get(id)
  return room ? rooms.nameOf(room) : id
}

part('more-rooms', HTMLButtonElement).addEventListener('click', () => void reader.readOn().catch(failed))

listenForShortcuts({
  walk: (step, only) => {
    const room = rooms.next(view.id, step, only)
    if (room !== undefined && !welcome.shown && !joining) view.enter(pathOf(room))
  },
})

// As a column beside the messages there is nothing to pop over.
matchMedia('(min-width: 48rem)').addEventListener('change', () => {
  if (side.matches(':popover-open')) side.hidePopover()
})

// A part of the page that is fetched once it is needed; see parts.js.
document.addEventListener('unreachable', () => notice.say(say('server.refusal', { why: say('server.unreachable') })))

void start()
