// @ts-check
// The room that one is in: its head, what was said, and its foot, where one writes. Knows how one gets from room to room and to
// a message by its link; what happens is told to it.

/** @import { Author, Room, WireEvent } from '../../lib/chat/streams/events.ts' */
/** @typedef {import('../composer/outbox.js').Entry} Entry */

import { home, lobby, messageOf, onRoomLink, roomOf } from '../parts/address.js'
import { Composer } from '../composer/composer.js'
import { Drafts } from '../composer/drafts.js'
import { MessageActions } from '../log/message-actions.js'
import { MessageLog } from '../log/message-log.js'
import { MessageMenu } from '../log/message-menu.js'
import { MessageWalk } from '../log/message-walk.js'
import { Outbox } from '../composer/outbox.js'
import { part } from '../parts/parts.js'
import { Quotes } from '../log/quotes.js'
import { Reader } from '../log/reader.js'
import { showRoomHead } from './room-head.js'
import { RoomPeople } from '../people/room-people.js'
import { Typing } from '../composer/typing.js'
import { say } from '../words/words.js'

const side = part('side', HTMLElement)

export class RoomView {
  #room = ''
  #path = '' // the page's address, as far as it was followed
  #on
  #mirror
  #rooms
  #notice
  #unread
  #drafts = new Drafts()
  #quotes
  #actions
  #composer
  #log
  #outbox
  #reader
  #typing
  #walk
  #menu

  /**
   * @param {{ mirror: import('../state/mirror.js').Mirror, rooms: import('./room-list.js').RoomList, notice: import('../parts/notice.js').Notice, unread: import('../state/unread.js').Unread,
   *   presence: import('../state/presence.js').Presence }} parts
   * @param {{ entered: () => void, shown: () => void, mayFollow: () => boolean, come: () => void, block: (user: Author) => Promise<void>,
   *   cursor: () => string, failed: (error: unknown) => void }} on
   *   `entered`: it is another room now. `shown`: how much of it is shown has changed. `mayFollow`: may a link lead to another room?
   *   `come`: whoever wants to go on must come in first. `block`: asks whether to block somebody. `cursor`: the stream's
   */
  constructor({ mirror, rooms, notice, unread, presence }, on) {
    this.#mirror = mirror
    this.#rooms = rooms
    this.#notice = notice
    this.#unread = unread
    this.#on = on
    const walk = (this.#walk = new MessageWalk({ open: (message) => menu.open(message), leave: () => this.focus() }))
    const quotes = (this.#quotes = new Quotes(mirror))
    const roomPeople = new RoomPeople(mirror, presence, () => this.#composer.peopleChanged())
    this.#composer = new Composer(
      { drafts: this.#drafts, quotes, people: roomPeople },
      {
        written: (text, replyTo) => this.#say(text, replyTo),
        changed: (id, text) => this.#change(id, text),
        emptied: (id) => actions.askToDelete(this.#reader.message(id) ?? { room: this.#room, id, text: '' }),
        editLast: () => this.#editLast(),
        editing: (id) => {
          this.#log.editing = id ?? ''
        },
      },
    )
    const actions = (this.#actions = new MessageActions({ mirror, notice, walk, composer: this.#composer }, on))
    this.#typing = new Typing(mirror, this.#drafts)
    this.#log = new MessageLog(
      walk,
      {
        me: '',
        mayReact: false,
        nameOf: (user) => mirror.nameOf(user),
        quote: (link, room, id) => quotes.write(link, room, id),
      },
      {
        more: (end) => void this.#reader.readOn(end),
        newest: () => void this.read(),
        moved: () => this.noteRead(),
        retry: (key) => this.#retry(key),
        discard: (key) => this.#discard(key),
        react: (id, emoji, isOn) => actions.react({ room: this.#room, id }, emoji, isOn),
      },
    )
    const menu = (this.#menu = new MessageMenu({ actions, walk }, (id) => this.#reader.message(id)))
    this.#outbox = new Outbox({
      changed: (entry) => this.#showPending(entry),
      delivered: (entry, message) => this.#reader.delivered(entry.key, message, on.cursor()),
      refused: (entry, error) => this.#refused(entry, error),
    })
    this.#reader = new Reader({ mirror, log: this.#log, outbox: this.#outbox }, () => {
      this.showPending()
      this.show()
    })
    this.#listen()
  }

  #listen() {
    onRoomLink((path) => {
      if (!this.#on.mayFollow()) return false
      this.enter(path)
      return true
    })
    // The address stays as it is: with a hash it would be another place to come back to.
    document.querySelector('.skip')?.addEventListener('click', (event) => {
      event.preventDefault()
      part('log', HTMLElement).focus()
    })
    window.addEventListener('popstate', () => {
      // That only what is behind # has changed, as by the link that skips to the messages, is no way to another place.
      if (this.#on.mayFollow() && location.pathname !== this.#path) this.#goTo(location.pathname)
    })
    window.addEventListener('blur', () => this.#looked())
    window.addEventListener('focus', () => this.#looked())
    document.addEventListener('visibilitychange', () => this.#looked())
  }

  /** The slug of the room. */
  get id() {
    return this.#room
  }

  /** As the server has it, if there is such a room. */
  get room() {
    return this.#mirror.state.rooms.get(this.#room)
  }

  /** Whether what was said in it has been read. */
  get filled() {
    return this.#reader.filled
  }

  /** Is there no such room, as far as we may know? */
  get missing() {
    return this.#reader.missing
  }

  /** Of which messages are events kept? @param {string} room @param {string} message */
  holds(room, message) {
    return this.#reader.holds(room, message)
  }

  /** Somebody begins here: in the room of an address, unless another is named. @param {string} [path] */
  begin(path = location.pathname) {
    this.#room = roomOf(path) ?? lobby
    this.#path = path
    this.#composer.switchTo(this.#room)
    this.#typing.switchTo(this.#room)
  }

  /** Shows the newest messages, or those around the message of the page's address. @param {{ around?: string | undefined }} [options] */
  async read({ around } = {}) {
    const room = this.#room
    this.#log.newAfter = this.#unreadFrom
    const shown = await this.#reader.read(room, this.#name, { around })
    if (shown) this.#on.shown()
    if (shown && around !== undefined && !this.#log.reveal(around)) this.#notice.say(say('log.gone'))
  }

  /** As the address of the page says: a room, perhaps with a message. */
  readHere() {
    return this.read({ around: messageOf(location.pathname) })
  }

  stop() {
    this.#reader.stop()
    this.#quotes.clear()
  }

  /** Something was said, changed, deleted or reacted to, or somebody is writing. @param {WireEvent} happened */
  happened(happened) {
    if (happened.event === 'typing') return this.#typing.heard(happened.data)
    if (happened.event === 'message') this.#typing.said(happened.data)
    this.#reader.happened(happened)
    this.#quotes.happened(happened)
    this.#menu.refresh()
  }

  /** Goes on as somebody: with what they had not sent. @param {string} user */
  restore(user) {
    this.#outbox.restore(user)
    this.#drafts.restore(user)
    this.#composer.refresh()
    this.showPending()
  }

  /** Whoever was here is gone, with all that was not sent. */
  forgetUnsent() {
    this.#outbox.clear()
    this.#drafts.clear()
    this.#composer.refresh()
    this.showPending()
  }

  /** The server is there again. */
  hurry() {
    this.#outbox.hurry()
  }

  focus() {
    this.#composer.focus()
  }

  /** Goes to a room, or a message in it. @param {string} path */
  enter(path) {
    if (side.matches(':popover-open')) side.hidePopover()
    if (roomOf(path) === this.#room && !this.missing && messageOf(path) === undefined) {
      if (location.pathname !== path) history.pushState(null, '', path)
      this.#path = path
      this.#log.toEnd()
      return
    }
    if (location.pathname !== path) history.pushState(null, '', path)
    this.#goTo(path)
  }

  /** The rooms are others now: this one may be gone, or be there at last. @param {Room | undefined} left how it was known until now */
  roomsChanged(left) {
    if (this.room || !left) {
      if (this.missing && this.room) void this.read()
      return this.show()
    }
    this.#notice.say(say('rooms.gone', { room: this.#rooms.nameOf(left) }))
    history.replaceState(null, '', home) // there is no way back to it
    this.#goTo(home)
  }

  /** Its head, and what one may do at its foot. */
  show() {
    this.#rooms.mark(this.#room)
    showRoomHead(this.room, this.#name)
    part('missing', HTMLElement).querySelector('bdi')?.replaceChildren(this.#room)
    this.showFoot()
  }

  showFoot() {
    const { me } = this.#mirror
    const { room, missing } = this
    const archived = room?.archived === true
    this.#log.viewer = { ...this.#log.viewer, me: me?.id ?? '', mayReact: !!me && !archived }
    this.#composer.show(!missing && !!me && !archived)
    part('archived', HTMLElement).hidden = missing || !me || !archived
    part('missing', HTMLElement).hidden = !missing
    if (missing) part('loading', HTMLElement).hidden = true
    part('people-open', HTMLElement).hidden = missing || !room
    this.#on.shown()
  }

  /** What is being sent stands at the end. */
  showPending() {
    const entries = this.#outbox.in(this.#room)
    this.#log.keepSending(new Set(entries.map(({ key }) => key)))
    for (const entry of entries) this.#showPending(entry)
  }

  /** Whoever looks at the end of the room has read it. */
  noteRead() {
    if (isAttentive() && this.#reader.complete && this.#log.following) this.#unread.read(this.#room, this.#on.cursor())
  }

  get #name() {
    const { room } = this
    return room ? this.#rooms.nameOf(room) : this.#room
  }

  /** @param {string} path */
  #goTo(path) {
    const room = roomOf(path) ?? lobby
    const around = messageOf(path)
    this.#path = path
    if (room === this.#room && around !== undefined && this.#log.reveal(around)) return
    this.#room = room
    this.#composer.switchTo(room)
    this.#typing.switchTo(room)
    this.#on.entered()
    void this.read({ around })
    if (this.#mirror.me && matchMedia('(hover: hover)').matches) this.focus() // elsewhere this would open a keyboard
  }

  /** Where what I have not read begins. */
  get #unreadFrom() {
    return this.#unread.of(this.#room).unread > 0 ? this.#unread.readIn(this.#room) : undefined
  }

  // Somebody looks at the page now, or elsewhere. What comes meanwhile is new to who comes back.
  #looked() {
    if (!isAttentive()) this.#log.newAfter = this.#unreadFrom ?? this.#on.cursor()
    else if (!this.#log.divided) this.#log.newAfter = undefined
    this.noteRead()
  }

  /** @param {string} text @param {string | undefined} replyTo */
  #say(text, replyTo) {
    const { me } = this.#mirror
    if (!me) return
    this.#log.newAfter = undefined
    this.#log.toEnd()
    this.#showPending(
      this.#outbox.add({
        user: me.id,
        room: this.#room,
        text,
        ...(replyTo !== undefined && { replyTo }),
        after: this.#on.cursor(),
      }),
    )
  }

  /** @param {Entry} entry */
  #showPending(entry) {
    const { me } = this.#mirror
    if (me && entry.room === this.#room && entry.seenAs === null)
      this.#log.pend(entry, { id: entry.user, name: me.name })
  }

  /** @param {string} key */
  #retry(key) {
    const { me } = this.#mirror
    if (!me) return this.#on.come()
    this.#outbox.retry(key, me.id)
    this.focus() // the button is gone
  }

  /** @param {string} key */
  #discard(key) {
    this.#outbox.discard(key)
    this.#log.drop(key)
    this.focus()
  }

  /** @param {Entry} entry @param {unknown} error */
  #refused(entry, error) {
    this.#showPending(entry)
    // There it stands under the message; the room may even be closed to us by now.
    if (entry.room !== this.#room) this.#notice.say(say('message.refused', { why: entry.refusal ?? '' }))
    this.#on.failed(error)
  }

  /** @param {string} id @param {string} text @returns {Promise<boolean>} whether the message says so now */
  async #change(id, text) {
    if (this.#reader.message(id)?.text === text) return true
    return this.#actions.edit({ room: this.#room, id }, text)
  }

  #editLast() {
    const last = this.#reader.newest(({ from }) => from.id === this.#mirror.me?.id)
    if (!last) return
    this.#walk.show(last.id)
    this.#composer.edit(last)
  }
}

/** Does somebody look at the page right now? */
export function isAttentive() {
  return !document.hidden && document.hasFocus()
}
