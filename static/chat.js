// @ts-check
// The page as a whole: who I am, the room I am in, and what happens on each click and each event. Everything the server
// tells comes in by the connection; everything shown is brought about from here.

/** @import { Message, Room, User } from '../lib/chat/events.ts' */
import { Refusal, getPatiently, request } from './api.js'
import { Composer } from './composer.js'
import { Connection } from './connection.js'
import { MessageLog, initialOf } from './message-log.js'
import { Outbox } from './outbox.js'
import { RoomList } from './room-list.js'

const lobby = 'lobby'
const pageSize = 50

const entryForm = part('entry', HTMLFormElement)
const nameField = part('name', HTMLInputElement)
const side = part('side', HTMLElement)
const newRoom = part('new-room', HTMLFormElement)
const newRoomName = part('new-room-name', HTMLInputElement)
const newRoomOpen = part('new-room-open', HTMLButtonElement)
const leave = part('leave', HTMLDialogElement)

/** @type {User | null | undefined} undefined until the server has said */
let me
let room = ''
let roomIsMissing = false
/** @type {object} stands for one reading of a room: answers to an earlier reading are dropped */
let reading = {}
let loadingOlder = false
// Other tabs share the cookie: when one comes in or leaves, all do.
const tabs = new BroadcastChannel('natter')

const rooms = new RoomList(part('rooms', HTMLElement))

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
  older: () => void loadOlder(),
  newest: () => void readRoom(),
  retry: (key) => {
    if (me) outbox.retry(key, me.id)
    else nameField.focus()
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

const connection = new Connection({
  received: {
    message: hear,
    delete: ({ id, room: where }) => {
      if (where === room) log.remove(id)
    },
    room: hearOfRoom,
    user: (user) => {
      if (user.id === me?.id) showMe(user)
    },
    reset: () => void readSession().then(readRooms).then(readRoom),
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
    if (before !== 'connecting' && !log.filled && !roomIsMissing) void readRoom()
  },
  refused: () => void readSession(),
})

/** @param {Message} message */
function hear(message) {
  const mine = outbox.match(message)
  if (message.room !== room) return
  if (mine) log.settle(mine.key, message)
  else log.add(message)
}

/** @param {Room} changed */
function hearOfRoom(changed) {
  rooms.put(changed)
  if (changed.id !== room) return
  if (roomIsMissing) void readRoom()
  else part('room-name', HTMLElement).textContent = changed.name
}

async function start() {
  void readSession()
  room = roomOfPath(location.pathname) ?? lobby
  composer.switchTo(room)
  // The rooms come first, and the stream goes on from there. A room's history is asked for after that, so whatever is not
  // in it yet is still to come on the stream: no gap, and what comes twice is known by its id.
  try {
    const { cursor } = await readRooms()
    connection.start(cursor)
    await readRoom()
  } catch (error) {
    tell(part('loading', HTMLElement), error)
  }
}

/** @returns {Promise<{ rooms: Room[], cursor: string }>} */
async function readRooms() {
  const answer = await getPatiently('/rooms', () => true)
  rooms.replace(answer.rooms)
  return answer
}

async function readSession() {
  const { user } = await getPatiently('/session', () => true)
  const before = me
  if (before !== undefined && user?.id === before?.id) return
  showMe(user)
  if (before !== undefined) connection.reopen()
  if (!user) return
  outbox.restore(user.id)
  if (before) await readRoom() // what the one before had not sent goes
  else for (const entry of outbox.in(room)) showPending(entry)
}

/** Shows the newest messages of the room we are in. */
async function readRoom() {
  const current = reading = {}
  const name = rooms.get(room)?.name ?? room
  roomIsMissing = false
  loadingOlder = false
  rooms.mark(room)
  part('room-name', HTMLElement).textContent = name
  log.clear(name)
  for (const entry of outbox.in(room)) showPending(entry)
  showFoot()
  try {
    const page = await getPatiently(historyPath(), () => reading === current)
    if (reading !== current) return
    for (const message of page.messages) {
      const mine = outbox.match(message)
      if (mine) log.drop(mine.key)
    }
    log.fill(page.messages, page.more)
  } catch (error) {
    if (reading !== current) return
    roomIsMissing = true
    part('missing', HTMLElement).querySelector('bdi')?.replaceChildren(room)
    part('loading', HTMLElement).hidden = true
    showFoot()
    if (!(error instanceof Refusal)) throw error
  }
}

async function loadOlder() {
  const before = log.olderThan
  if (!before || loadingOlder) return
  const current = reading
  loadingOlder = true
  try {
    const page = await getPatiently(`${historyPath()}&before=${before}`, () => reading === current && log.olderThan === before)
    if (page && reading === current && log.olderThan === before) {
      loadingOlder = false
      log.fillOlder(page.messages, page.more)
    }
  } catch {
    // The room is gone, or closed to us: what is shown stays, and scrolling up asks again.
  }
  if (reading === current) loadingOlder = false
}

function historyPath() {
  return `/rooms/${encodeURIComponent(room)}/messages?limit=${pageSize}`
}

/** @param {import('./outbox.js').Entry} entry */
function showPending(entry) {
  if (me && entry.room === room && entry.seenAs === null) log.pend(entry, { id: entry.user, name: me.name })
}

/** @param {User | null} user */
function showMe(user) {
  me = user
  log.me = user?.id ?? ''
  part('me', HTMLElement).hidden = !user
  part('me-name', HTMLElement).textContent = user?.name ?? ''
  part('me-avatar', HTMLElement).textContent = initialOf(user?.name ?? '')
  newRoomOpen.hidden = !user
  if (!user) showNewRoom(false)
  showFoot()
}

function showFoot() {
  composer.show(!roomIsMissing && !!me)
  entryForm.hidden = roomIsMissing || me !== null
  part('missing', HTMLElement).hidden = !roomIsMissing
}

/** @param {string} id @param {string} path */
function enter(id, path) {
  if (side.matches(':popover-open')) side.hidePopover()
  if (id === room && !roomIsMissing) {
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
  showNewRoom(false)
  void readRoom()
  if (me && matchMedia('(hover: hover)').matches) composer.focus() // elsewhere this would open a keyboard
}

/** @param {string} path */
function roomOfPath(path) {
  const slug = /^\/rooms\/([^/]+)(?:\/messages\/\d+)?$/.exec(path)?.[1]
  if (slug === undefined) return path === '/' ? lobby : undefined
  try {
    return decodeURIComponent(slug)
  } catch {
    return slug // not encoded as it should be: there will be no such room, and the page says so
  }
}

/** @param {string} name */
async function comeIn(name) {
  const { user } = await request('POST', '/session', { body: { name } })
  showMe(user)
  connection.reopen() // as the one I am now
  tabs.postMessage('session')
  composer.focus()
}

/** @param {string} name */
async function makeRoom(name) {
  /** @type {Room} */
  const made = await request('POST', '/rooms', { body: { name } })
  rooms.put(made)
  showNewRoom(false)
  enter(made.id, `/rooms/${encodeURIComponent(made.id)}`)
}

async function leaveNow() {
  const button = part('leave-confirm', HTMLButtonElement)
  const problem = part('leave-problem', HTMLElement)
  button.disabled = true
  problem.hidden = true
  try {
    await request('DELETE', '/session')
    leave.close()
    outbox.clear()
    showMe(null)
    await readRoom() // what was not sent goes with whoever wrote it
    connection.reopen()
    tabs.postMessage('session')
  } catch (error) {
    tell(problem, error)
  }
  button.disabled = false
}

/**
 * A form with one field: what is to be done with its text, and where the problem is told, if there is one.
 * @param {HTMLFormElement} form @param {HTMLInputElement} field @param {HTMLElement} problem
 * @param {(text: string) => Promise<void>} work
 */
function onSubmit(form, field, problem, work) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    if (form.ariaBusy === 'true') return
    problem.hidden = true
    field.ariaInvalid = null
    field.focus()
    if (field.value.trim() === '') return
    form.ariaBusy = 'true'
    try {
      await work(field.value)
      field.value = ''
    } catch (error) {
      tell(problem, error)
      field.ariaInvalid = 'true'
      if (error instanceof Refusal && error.status === 401) void readSession()
    }
    form.ariaBusy = null
  })
}

/** @param {HTMLElement} place @param {unknown} error */
function tell(place, error) {
  place.textContent = error instanceof Error ? error.message : ''
  place.hidden = false
}

/** @param {boolean} open */
function showNewRoom(open) {
  newRoom.hidden = !open
  newRoomOpen.ariaExpanded = String(open)
  part('new-room-problem', HTMLElement).hidden = true
  newRoomName.value = ''
  newRoomName.ariaInvalid = null
  if (open) newRoomName.focus()
}

/**
 * @template {HTMLElement} T
 * @param {string} id @param {new () => T} kind
 * @returns {T}
 */
function part(id, kind) {
  const element = document.getElementById(id)
  if (!(element instanceof kind)) throw new Error(`index.html has no ${kind.name} #${id}`)
  return element
}

onSubmit(entryForm, nameField, part('entry-problem', HTMLElement), comeIn)
onSubmit(newRoom, newRoomName, part('new-room-problem', HTMLElement), makeRoom)
newRoomOpen.addEventListener('click', () => showNewRoom(newRoom.hidden !== false))
newRoom.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return
  event.preventDefault() // the drawer stays open
  showNewRoom(false)
  newRoomOpen.focus()
})

part('leave-open', HTMLButtonElement).addEventListener('click', () => {
  leave.querySelector('bdi')?.replaceChildren(me?.name ?? '')
  part('leave-guest', HTMLElement).hidden = me?.role !== 'guest'
  part('leave-problem', HTMLElement).hidden = true
  if (side.matches(':popover-open')) side.hidePopover()
  leave.showModal()
})
part('leave-confirm', HTMLButtonElement).addEventListener('click', leaveNow)

// Links to rooms stay real links: they can be copied, and opened in another tab.
document.addEventListener('click', (event) => {
  const link = event.target instanceof Element ? event.target.closest('a') : null
  if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
  const id = link.origin === location.origin && link.hash === '' ? roomOfPath(link.pathname) : undefined
  if (id === undefined) return
  event.preventDefault()
  enter(id, link.pathname)
})
window.addEventListener('popstate', () => {
  const id = roomOfPath(location.pathname) ?? lobby
  if (id !== room) goTo(id)
})
// As a column beside the messages there is nothing to pop over.
matchMedia('(min-width: 48rem)').addEventListener('change', () => {
  if (side.matches(':popover-open')) side.hidePopover()
})

tabs.addEventListener('message', () => void readSession())
let today = new Date().toDateString()
setInterval(() => {
  if (new Date().toDateString() === today) return
  today = new Date().toDateString()
  log.renameDays()
}, 60_000)

void start()
