// @ts-check
// What one can do with a message that was said: answer, react, change, delete or copy it. Knows who may, asks before it deletes, and
// tells what the server refused.

/** @import { Author, Message } from '../../lib/chat/streams/events.ts' */
/** @import { Choice } from './message-menu.js' */

import { pathOf } from '../parts/address.js'
import { Refusal, request } from '../parts/api.js'
import { copy } from '../parts/clipboard.js'
import { later, onClick, part, within } from '../parts/parts.js'
import { unchanged } from '../parts/unchanged.js'
import { firstLine } from './quotes.js'
import { askMembers, governs, mayWith } from '../state/rights.js'
import { say } from '../words/words.js'

/** @type {Map<string, 'owner' | 'member'>} */
const nobody = new Map()

export class MessageActions {
  /** @type {Pick<Message, 'id' | 'room'> | undefined} the message that may be deleted */
  #asked
  #dialog = part('deletion', HTMLDialogElement)
  #mirror
  #notice
  #walk
  #composer
  /** @type {import('./emoji-picker.js').EmojiPicker | undefined} made when somebody first wants one */
  #picker
  #on

  /**
   * @param {{ mirror: import('../state/mirror.js').Mirror, notice: import('../parts/notice.js').Notice, walk: import('./message-walk.js').MessageWalk,
   *   composer: import('../composer/composer.js').Composer }} parts
   * @param {{ block: (user: Author) => Promise<void>, failed: (error: unknown) => void }} on `block`: asks whether to, and resolves when that is answered
   */
  constructor({ mirror, notice, walk, composer }, on) {
    this.#mirror = mirror
    this.#notice = notice
    this.#walk = walk
    this.#composer = composer
    this.#on = on
    onClick(part('deletion-go', HTMLButtonElement), part('deletion-problem', HTMLElement), () => this.#delete(), {
      failed: on.failed,
    })
    this.#dialog.addEventListener('close', () => walk.focus())
  }

  /** @param {Message} message */
  may(message) {
    const { rooms, members, blocked } = this.#mirror.state
    return mayWith(this.#mirror.me, message, {
      room: rooms.get(message.room),
      roles: members.get(message.room) ?? nobody,
      blocked,
    })
  }

  /**
   * Whether I own the room is not known until it is asked for, and matters only for what others said.
   * @param {Message} message @returns {Promise<boolean>} whether more is known now of what one may do
   */
  async learn(message) {
    const { me, state } = this.#mirror
    const room = state.rooms.get(message.room)
    if (
      !me ||
      !room ||
      room.kind === 'direct' ||
      message.from.id === me.id ||
      governs(me) ||
      state.members.has(room.id)
    )
      return false
    try {
      await askMembers(this.#mirror, room.id)
      return true
    } catch {
      return false // then one is offered what everybody may
    }
  }

  /** @param {Choice} choice */
  async choose({ what, message, emoji, anchor }) {
    if (what === 'reply') return this.#composer.reply(message.id)
    if (what === 'edit') return this.#composer.edit(message)
    if (what === 'delete') return this.askToDelete(message)
    if (what === 'copy') return this.#copy(message.text)
    if (what === 'unblock')
      return void (await this.#try(() => request('DELETE', `/blocks/${encodeURIComponent(message.from.id)}`)))
    if (what === 'block') {
      await this.#on.block(message.from)
      return this.#walk.focus()
    }
    if (what === 'link') return this.#copy(location.origin + pathOf(message.room, message.id))
    const picked = what === 'pick' ? await this.#pick(anchor) : emoji
    if (picked === undefined) return
    const isOn = message.reactions?.some((one) => one.emoji === picked && one.me) === true
    await this.react(message, picked, what === 'pick' || !isOn)
  }

  /** @param {HTMLElement} anchor */
  async #pick(anchor) {
    const { EmojiPicker } = await later(() => import('./emoji-picker.js'))
    this.#picker ??= new EmojiPicker()
    return this.#picker.pick(anchor)
  }

  /** @param {Pick<Message, 'id' | 'room'>} message @param {string} emoji @param {boolean} on */
  async react(message, emoji, on) {
    await this.#try(() =>
      request(on ? 'PUT' : 'DELETE', `${addressOf(message)}/reactions/${encodeURIComponent(emoji)}`),
    )
  }

  /** @param {Pick<Message, 'id' | 'room'>} message @param {string} text @returns {Promise<boolean>} whether it is saved */
  edit(message, text) {
    return this.#try(() => request('PATCH', addressOf(message), { body: { text } }))
  }

  /** @param {Pick<Message, 'id' | 'room' | 'text'>} message */
  askToDelete(message) {
    this.#asked = message
    part('deletion-problem', HTMLElement).hidden = true
    within(this.#dialog, '.quote-text', HTMLElement).textContent = firstLine(message.text)
    this.#dialog.showModal()
  }

  async #delete() {
    const asked = this.#asked
    if (!asked) return
    const isCurrent = unchanged(() => this.#asked)
    try {
      await request('DELETE', addressOf(asked))
    } catch (error) {
      // Somebody was quicker, and it is what was wanted.
      if (!(error instanceof Refusal) || error.status !== 404) throw error
    }
    this.#composer.endEdit(asked.room, asked.id)
    if (isCurrent()) this.#dialog.close()
  }

  /** @param {string} text */
  async #copy(text) {
    this.#notice.say(say((await copy(text)) ? 'message.copied' : 'message.not_copied'))
  }

  /** @param {() => Promise<unknown>} work @returns {Promise<boolean>} whether it is done */
  async #try(work) {
    try {
      await work()
      return true
    } catch (error) {
      this.#notice.say(error instanceof Error ? say('server.refusal', { why: error.message }) : '')
      this.#on.failed(error)
      return false
    }
  }
}

/** @param {Pick<Message, 'id' | 'room'>} message */
function addressOf({ id, room }) {
  return `/rooms/${encodeURIComponent(room)}/messages/${id}`
}
