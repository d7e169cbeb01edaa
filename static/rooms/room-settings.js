// @ts-check
// What a room is called and about, and whether it is archived: changed by whoever looks after it.

/** @import { Room } from '../../lib/chat/streams/events.ts' */
import { lobby } from '../parts/address.js'
import { request } from '../parts/api.js'
import { onClick, onSubmit, part } from '../parts/parts.js'
import { say } from '../words/words.js'

export class RoomSettings {
  /** @type {Room | null} */
  #room = null
  #whole = part('settings', HTMLDetailsElement)
  #name = part('settings-name', HTMLInputElement)
  #topic = part('settings-topic', HTMLInputElement)
  #archive = part('archive', HTMLButtonElement)

  constructor() {
    // What comes of it is told by the stream.
    /** @param {object} body */
    const change = async (body) =>
      void (await request('PATCH', `/rooms/${encodeURIComponent(this.#room?.id ?? '')}`, { body }))
    onSubmit(part('room-form', HTMLFormElement), async ({ name, topic }) => {
      const changes = {
        ...(name !== this.#room?.name && { name }),
        ...(topic !== (this.#room?.topic ?? '') && { topic }),
      }
      if (Object.keys(changes).length > 0) await change(changes)
      this.#whole.open = false
    })
    onClick(this.#archive, part('settings-problem', HTMLElement), () => change({ archived: !this.#room?.archived }))
  }

  /** @param {Room} room @param {boolean} allowed */
  show(room, allowed) {
    if (room.id !== this.#room?.id) this.#whole.open = false
    this.#room = room
    this.#whole.hidden = !allowed
    this.#archive.hidden = room.id === lobby
    this.#archive.textContent = say(room.archived ? 'room.restore' : 'room.archive')
    for (const [field, value] of /** @type {const} */ ([
      [this.#name, room.name],
      [this.#topic, room.topic ?? ''],
    ])) {
      if (field.value === field.defaultValue || !this.#whole.open) field.value = value // what is being written stays
      field.defaultValue = value
    }
  }
}
