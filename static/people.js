// @ts-check
// The dialog on a room: who is in it and what can be done with them, how others come in, and how one leaves.

/** @import { Member, Room, User } from '../lib/chat/events.ts' */

import { lobby } from './address.js'
import { request } from './api.js'
import { InviteLink } from './invite.js'
import { onClick, onSubmit, openDialog, part, tell, within } from './parts.js'
import { hueOf, initialOf, roleOf } from './person.js'
import { signOf } from './room-list.js'
import { RoomSettings } from './room-settings.js'

/** @type {Record<User['role'], number>} */
const ranks = { owner: 3, admin: 2, member: 1, guest: 0, bot: 0 }

export class People {
  /** @type {Room | null} */
  #room = null
  /** @type {User | null} */
  #me = null
  /** @type {Member[]} */
  #members = []
  #hosted = false
  #unfolded = ''
  /** @type {'no' | 'yes' | 'again'} */
  #loading = 'no'
  #dialog = part('people', HTMLDialogElement)
  #list = part('members', HTMLElement)
  #problem = part('people-problem', HTMLElement)
  #template = part('member-template', HTMLTemplateElement)
  #invite = new InviteLink()
  #settings
  #on

  /**
   * @param {{ changed: (room: Room) => void, direct: (room: Room) => void, nameOf: (room: Room) => string, failed: (error: unknown) => void }} on
   *   `direct`: the room of us two is there
   */
  constructor(on) {
    this.#on = on
    this.#settings = new RoomSettings(on.changed)
    onSubmit(part('add-person', HTMLFormElement), async ({ name = '' }) => {
      await request('PUT', this.#pathOf(name))
      await this.#load()
    }, on.failed)
    onClick(part('leave-room', HTMLButtonElement), this.#problem, async () => {
      await request('DELETE', this.#pathOf('me'))
      this.close()
    }, { sure: 'Leave for good?', failed: on.failed })
  }

  /** `hosted`: another server says who people are, and there are no invites. @param {Room} room @param {User | null} me @param {{ hosted: boolean }} options */
  open(room, me, { hosted }) {
    this.#room = room
    this.#me = me
    this.#hosted = hosted
    this.#members = []
    this.#unfolded = ''
    this.#problem.hidden = true
    this.#invite.switchTo(room.id)
    part('add-person', HTMLFormElement).reset()
    this.#show()
    openDialog(this.#dialog)
    void this.#load()
  }

  close() {
    this.#dialog.close()
  }

  /** Something has changed, perhaps in the room that is shown. @param {string} id */
  changed(id) {
    if (this.#dialog.open && id === this.#room?.id) void this.#load()
  }

  /** @param {User} user */
  changedUser(user) {
    if (user.id === this.#me?.id) this.#me = user
    if (this.#dialog.open && this.#members.some(({ id }) => id === user.id)) void this.#load()
  }

  /** The room that is shown is another now. @param {Room} room */
  put(room) {
    if (room.id !== this.#room?.id) return
    this.#room = room
    this.#show()
  }

  async #load() {
    if (this.#loading !== 'no') {
      this.#loading = 'again'
      return
    }
    this.#loading = 'yes'
    const id = this.#room?.id ?? ''
    try {
      const { members } = await request('GET', `/rooms/${encodeURIComponent(id)}/members`)
      if (id === this.#room?.id) {
        this.#members = members
        this.#show()
        part('people-none', HTMLElement).hidden = members.length > 0
      }
    } catch (error) {
      tell(this.#problem, error)
    }
    const again = this.#loading !== 'yes' || id !== this.#room?.id
    this.#loading = 'no'
    if (again) void this.#load()
  }

  #show() {
    const room = this.#room
    if (!room) return
    const mine = this.#members.find(({ id }) => id === this.#me?.id)
    const direct = room.kind === 'direct'
    within(this.#dialog, 'h2 bdi', HTMLElement).textContent = this.#on.nameOf(room)
    within(this.#dialog, 'h2 use', SVGElement).setAttribute('href', signOf(room))
    part('people-topic', HTMLElement).textContent = room.topic ?? ''
    part('people-topic', HTMLElement).hidden = !room.topic
    part('people-count', HTMLElement).textContent = this.#members.length > 1 ? `${this.#members.length} people` : 'People'
    part('people-none', HTMLElement).hidden = true
    // A private room that nobody owns any more is its members'.
    const free = room.kind === 'private' && this.#members.length > 0 && !this.#members.some(({ roomRole }) => roomRole)
    const manages = !direct && (this.#governs || mine?.roomRole === 'owner' || (mine !== undefined && free))
    part('add-person', HTMLElement).hidden = !manages || room.kind !== 'private' || room.archived === true
    part('invite', HTMLElement).hidden = !manages || room.archived === true || this.#hosted
    part('leave-room', HTMLElement).hidden = !mine || direct || room.id === lobby
    this.#settings.show(room, manages)

    if (!this.#members.some(({ id }) => id === this.#unfolded)) this.#unfolded = ''
    const focused = this.#list.contains(document.activeElement) ? document.activeElement?.closest('li')?.dataset['user'] : undefined
    this.#list.replaceChildren(...this.#members.map((member) => this.#item(member, manages)))
    if (focused !== undefined) (this.#buttonOf(focused) ?? this.#list).focus()
  }

  /** @param {Member} member @param {boolean} manages */
  #item(member, manages) {
    const copy = /** @type {DocumentFragment} */ (this.#template.content.cloneNode(true))
    const item = within(copy, 'li', HTMLElement)
    const button = within(item, '.person', HTMLButtonElement)
    const choices = within(item, '.choices', HTMLElement)
    const isMe = member.id === this.#me?.id
    item.dataset['user'] = member.id
    item.style.setProperty('--hue', hueOf(member.id))
    item.classList.toggle('own', isMe)
    within(item, '.avatar', HTMLElement).textContent = initialOf(member.name)
    within(item, '.name', HTMLElement).textContent = member.name
    const roles = [isMe ? 'you' : '', roleOf(member), member.roomRole === 'owner' ? 'owns this room' : ''].filter(Boolean)
    within(item, '.role', HTMLElement).textContent = roles.join(' · ')

    const may = {
      message: this.#me !== null && !member.unproven && member.role !== 'bot' && !member.banned && this.#room?.kind !== 'direct',
      remove: manages && this.#room?.kind === 'private',
      ban: this.#governs && this.#outranks(member) && !member.banned,
      unban: this.#governs && this.#outranks(member) && member.banned === true,
    }
    for (const choice of choices.querySelectorAll('button')) {
      choice.hidden = !may[/** @type {keyof typeof may} */ (choice.value)] // the template has these four
      onClick(choice, this.#problem, () => this.#do(choice.value, member), {
        ...(choice.value === 'ban' && { sure: 'Ban them?' }), ...(choice.value === 'remove' && { sure: 'Remove from the room?' }), failed: this.#on.failed,
      })
    }
    const some = !isMe && Object.values(may).includes(true)
    button.disabled = !some
    if (!some) button.ariaExpanded = null
    if (some && this.#unfolded === member.id) unfold(item, true)
    button.addEventListener('click', () => {
      const open = choices.hidden !== false
      for (const other of this.#list.querySelectorAll('li')) unfold(other, other === item && open)
      this.#unfolded = open ? member.id : ''
    })
    return item
  }

  /** @param {string} what @param {Member} member */
  async #do(what, { id }) {
    if (what === 'message') {
      const room = await request('POST', '/direct', { body: { user: id } })
      this.close()
      this.#on.direct(room)
      return
    }
    if (what === 'remove') await request('DELETE', this.#pathOf(id))
    else await request('PATCH', `/users/${encodeURIComponent(id)}`, { body: { banned: what === 'ban' } })
    await this.#load()
  }

  /** Is it mine to look after the whole place? */
  get #governs() {
    return this.#me?.role === 'owner' || this.#me?.role === 'admin'
  }

  /** @param {User} other */
  #outranks({ role }) {
    return ranks[role] < ranks[this.#me?.role ?? 'guest']
  }

  /** @param {string} user */
  #buttonOf(user) {
    const item = [...this.#list.querySelectorAll('li')].find((item) => item.dataset['user'] === user)
    return item?.querySelector('button')
  }

  /** @param {string} user */
  #pathOf(user) {
    return `/rooms/${encodeURIComponent(this.#room?.id ?? '')}/members/${encodeURIComponent(user)}`
  }
}

/** @param {HTMLElement} item @param {boolean} open */
function unfold(item, open) {
  within(item, '.choices', HTMLElement).hidden = !open
  const button = within(item, '.person', HTMLButtonElement)
  if (!button.disabled) button.ariaExpanded = String(open)
}
