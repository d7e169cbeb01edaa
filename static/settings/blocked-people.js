// @ts-check
// Whom I block, in the settings: a list, of which each can be taken off again.

/** @import { User } from '../../lib/chat/streams/events.ts' */
/** @typedef {{ user: User, since: string }} Blocked */

import { request } from '../parts/api.js'
import { listed, onClick, part, tell, within } from '../parts/parts.js'
import { dateOnlyFormat, say } from '../words/words.js'

export class BlockedPeople {
  #whole = part('blocked', HTMLDetailsElement)
  #problem = within(this.#whole, '.problem', HTMLElement)
  #failed

  /** @param {(error: unknown) => void} failed */
  constructor(failed) {
    this.#failed = failed
    this.#whole.addEventListener('toggle', () => void this.list())
    onClick(part('blocked-more', HTMLButtonElement), this.#problem, () => this.#add(this.#last), { failed })
  }

  /** Lists them anew, if they are shown. */
  async list() {
    if (!this.#whole.open) return
    this.#problem.hidden = true
    try {
      await this.#add('')
    } catch (error) {
      tell(this.#problem, error)
      this.#failed(error)
    }
  }

  get #list() {
    return within(this.#whole, 'ul', HTMLElement)
  }

  /** The id of the last one that is listed. */
  get #last() {
    const last = this.#list.lastElementChild
    return last instanceof HTMLElement ? (last.dataset['user'] ?? '') : ''
  }

  /** @param {string} after all that are listed go if it is empty */
  async #add(after) {
    const { blocks, more } = await request('GET', `/blocks${after === '' ? '' : `?after=${encodeURIComponent(after)}`}`)
    const items = blocks.map((/** @type {Blocked} */ blocked) => this.#item(blocked))
    if (after === '') this.#list.replaceChildren(...items)
    else this.#list.append(...items)
    part('blocked-more', HTMLButtonElement).hidden = !more
    this.#showNone()
  }

  #showNone() {
    within(this.#whole, '.note', HTMLElement).textContent = say(
      this.#list.childElementCount > 0 ? 'blocked.note' : 'blocked.none',
    )
  }

  /** @param {Blocked} blocked */
  #item({ user, since }) {
    const { item, button } = listed(
      user.name,
      say('blocked.since', { date: dateOnlyFormat.format(new Date(since)) }),
      say('people.unblock'),
    )
    item.dataset['user'] = user.id
    if (!button) return item
    button.setAttribute('aria-label', say('blocked.unblock', { name: user.name }))
    onClick(
      button,
      this.#problem,
      async () => {
        await request('DELETE', `/blocks/${encodeURIComponent(user.id)}`)
        const next = item.nextElementSibling ?? item.previousElementSibling
        item.remove()
        this.#showNone()
        const there = next?.querySelector('button') ?? this.#whole.querySelector('summary')
        there?.focus()
      },
      { failed: this.#failed },
    )
    return item
  }
}
