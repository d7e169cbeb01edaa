// @ts-check
// The dialog on a room: who is in it and what can be done with them, how others come in, and how one leaves.

/** @import { Author, Member, Room, User } from '../../lib/chat/streams/events.ts' */

import { lobby } from '../parts/address.js'
import { request } from '../parts/api.js'
import { Ban } from './ban.js'
import { InviteLink } from './invite.js'
import { onClick, onSubmit, openDialog, part, tell, within } from '../parts/parts.js'
import { unchanged } from '../parts/unchanged.js'
import { hueOf, initialOf, roleOf } from './person.js'
import { governs, manages as mayManage } from '../state/rights.js'
import { signOf } from '../rooms/room-list.js'
import { RoomLevel } from '../rooms/room-level.js'
import { RoomSettings } from '../rooms/room-settings.js'
import { say } from '../words/words.js'

/** @type {Record<User['role'], number>} */
const ranks = { owner: 3, admin: 2, member: 1, guest: 0, bot: 0 }

export class People {
  #id = '' // of the room that is shown
  #unfolded = ''
  #loading = '' // the room whose members are being asked for
  #dialog = part('people', HTMLDialogElement)
  #list = part('members', HTMLElement)
  #problem = part('people-problem', HTMLElement)
  #template = part('member-template', HTMLTemplateElement)
  #invite = new InviteLink()
  #settings = new RoomSettings()
  #ban
  #level
  #mirror
  #presence
  #session
  #on

  /**
   * @param {{ mirror: import('../state/mirror.js').Mirror, presence: import('../state/presence.js').Presence, levels: import('../state/levels.js').Levels,
   *   session: import('../state/session.js').Session }} parts
   * @param {{ direct: (room: Room) => void, block: (user: Author) => Promise<void>, nameOf: (room: Room) => string, failed: (error: unknown) => void }} on
   *   `direct`: the room of us two is there. `block`: they are to be blocked, if I say so once more
   */
  constructor({ mirror, presence, levels, session }, on) {
    this.#mirror = mirror
    this.#presence = presence
    this.#session = session
    this.#level = new RoomLevel(levels)
    this.#ban = new Ban(on)
    this.#on = on
    onSubmit(
      part('add-person', HTMLFormElement),
      async ({ name = '' }) => void (await request('PUT', this.#pathOf(name))),
      on.failed,
    )
    onClick(
      part('leave-room', HTMLButtonElement),
      this.#problem,
      async () => {
        await request('DELETE', this.#pathOf('me'))
        this.close()
      },
      {
        sure: () => say(this.#room?.kind === 'direct' ? 'room.leave_direct_sure' : 'room.leave_sure'),
        failed: on.failed,
      },
    )
  }

  /** @param {Room} room */
  open({ id }) {
    this.#id = id
    this.#unfolded = ''
    this.#problem.hidden = true
    this.#invite.switchTo(id, { closed: this.#session.closed })
    part('add-person', HTMLFormElement).reset()
    this.#show()
    openDialog(this.#dialog)
    if (!this.#mirror.state.members.has(id) || !this.#presence.isFresh(id)) void this.#load()
  }

  close() {
    this.#dialog.close()
  }

  /** Something has happened, perhaps in the room that is shown or to somebody in it. */
  changed() {
    if (!this.#dialog.open) return
    this.#show()
    const { members, users } = this.#mirror.state
    const known = members.get(this.#id)
    // A join tells the name only; who that is beyond it is asked for.
    if (!known || [...known.keys()].some((id) => !users.has(id))) void this.#load()
  }

  async #load() {
    const id = this.#id
    if (this.#loading === id) return
    this.#loading = id
    const isCurrent = unchanged(() => this.#id)
    try {
      await this.#presence.ask(id, () => this.#dialog.open && isCurrent())
    } catch (error) {
      if (isCurrent()) tell(this.#problem, error)
      return
    } finally {
      if (this.#loading === id) this.#loading = ''
    }
    if (isCurrent()) this.changed()
  }

  #show() {
    const room = this.#room
    if (!room) return
    const members = this.#members
    const mine = members.find(({ id }) => id === this.#me?.id)
    const direct = room.kind === 'direct'
    within(this.#dialog, 'h2 bdi', HTMLElement).textContent = this.#on.nameOf(room)
    within(this.#dialog, 'h2 use', SVGElement).setAttribute('href', signOf(room))
    part('people-topic', HTMLElement).textContent = room.topic ?? ''
    part('people-topic', HTMLElement).hidden = !room.topic
    part('people-count', HTMLElement).textContent =
      members.length > 1 ? say('people.count', { count: members.length }) : say('people.title')
    part('people-none', HTMLElement).hidden = members.length > 0 || !this.#mirror.state.members.has(room.id)
    const manages = mayManage(this.#me, room, this.#mirror.state.members.get(room.id) ?? new Map())
    part('add-person', HTMLElement).hidden = !manages || room.kind !== 'private' || room.archived === true
    const { hosted, closed } = this.#session // where another server says who people are, there are no invites
    part('invite', HTMLElement).hidden =
      !manages || room.archived === true || hosted || (closed && this.#me?.role === 'guest')
    const leave = part('leave-room', HTMLButtonElement)
    leave.hidden = !mine || room.id === lobby
    if (!leave.classList.contains('sure')) leave.textContent = say(direct ? 'room.leave_direct' : 'room.leave')
    part('leave-note', HTMLElement).hidden = leave.hidden || !direct
    this.#level.show(room, mine !== undefined)
    this.#settings.show(room, manages)

    if (!members.some(({ id }) => id === this.#unfolded)) this.#unfolded = ''
    const focused = this.#list.contains(document.activeElement)
      ? document.activeElement?.closest('li')?.dataset['user']
      : undefined
    this.#list.replaceChildren(...members.map((member) => this.#item(member, manages)))
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
    const here = this.#presence.has(member.id)
    within(item, '.dot', HTMLElement).hidden = !here
    const blocked = this.#mirror.state.blocked.has(member.id)
    const roles = [
      here ? say('presence.here') : '',
      blocked ? say('people.blocked') : '',
      isMe ? say('role.you') : '',
      roleOf(member),
      member.roomRole === 'owner' ? say('role.owns_room') : '',
    ].filter(Boolean)
    within(item, '.role-words', HTMLElement).textContent = roles.join(' · ')

    const may = {
      message:
        this.#me !== null &&
        !member.unproven &&
        member.role !== 'bot' &&
        !member.banned &&
        this.#room?.kind !== 'direct' &&
        !blocked,
      remove: manages && this.#room?.kind === 'private',
      admit: governs(this.#me) && member.account === true && !member.banned,
      ban: governs(this.#me) && this.#outranks(member) && !member.banned,
      unban: governs(this.#me) && this.#outranks(member) && member.banned === true,
      block: this.#me !== null && !blocked,
      unblock: this.#me !== null && blocked,
    }
    for (const choice of choices.querySelectorAll('button')) {
      choice.hidden = !may[/** @type {keyof typeof may} */ (choice.value)] // the template has these seven
      onClick(choice, this.#problem, () => this.#do(choice.value, member), {
        ...(choice.value === 'remove' && { sure: say('people.remove_sure') }),
        failed: this.#on.failed,
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
  async #do(what, member) {
    const { id } = member
    if (what === 'ban') return this.#ban.ask(member)
    if (what === 'block') return this.#on.block(member)
    if (what === 'unblock') return void (await request('DELETE', `/blocks/${encodeURIComponent(id)}`))
    if (what === 'message') {
      const room = await request('POST', '/direct', { body: { user: id } })
      this.close()
      this.#on.direct(room)
      return
    }
    if (what === 'remove') await request('DELETE', this.#pathOf(id))
    else if (what === 'admit') await request('PATCH', `/users/${encodeURIComponent(id)}`, { body: { role: 'member' } })
    else await request('PATCH', `/users/${encodeURIComponent(id)}`, { body: { banned: false } })
  }

  get #room() {
    return this.#mirror.state.rooms.get(this.#id)
  }

  get #me() {
    return this.#mirror.me ?? null
  }

  /** Those who are here first. @returns {Member[]} */
  get #members() {
    const { members, users } = this.#mirror.state
    const all = [...(members.get(this.#id) ?? [])].flatMap(([id, role]) => {
      const user = users.get(id)
      return user ? { ...user, ...(role === 'owner' && { roomRole: role }) } : []
    })
    return all.sort((one, other) => Number(this.#presence.has(other.id)) - Number(this.#presence.has(one.id)))
  }

  /** @param {User} other */
  #outranks({ role }) {
    return ranks[role] < ranks[this.#me?.role ?? 'guest']
  }

  /** @param {string} user */
  #buttonOf(user) {
    const item = [...this.#list.querySelectorAll('li')].find(({ dataset }) => dataset['user'] === user)
    return item?.querySelector('button')
  }

  /** @param {string} user */
  #pathOf(user) {
    return `/rooms/${encodeURIComponent(this.#id)}/members/${encodeURIComponent(user)}`
  }
}

/** @param {HTMLElement} item @param {boolean} open */
function unfold(item, open) {
  within(item, '.choices', HTMLElement).hidden = !open
  const button = within(item, '.person', HTMLButtonElement)
  if (!button.disabled) button.ariaExpanded = String(open)
}
