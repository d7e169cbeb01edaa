// @ts-check
// Where I am logged in: a list in the settings, of which each can be ended, or all.

/** @typedef {{ id: string, began: string, used: string, current?: true }} Session */

import { request } from '../parts/api.js'
import { listed, onClick, part, tell, within } from '../parts/parts.js'
import { dateAndTimeFormat, dateOnlyFormat, say } from '../words/words.js'

export class Sessions {
  #whole = part('sessions', HTMLDetailsElement)
  #problem = within(this.#whole, '.problem', HTMLElement)

  /** @param {{ over: () => Promise<void>, failed: (error: unknown) => void }} on `over`: this one is ended too */
  constructor({ over, failed }) {
    this.#whole.addEventListener('toggle', () => void this.list())
    onClick(
      part('log-out-everywhere', HTMLButtonElement),
      this.#problem,
      async () => {
        await request('DELETE', '/sessions')
        await over()
      },
      { sure: say('sessions.end_all_sure'), failed },
    )
  }

  /** Lists them anew, if they are shown. */
  async list() {
    if (!this.#whole.open) return
    this.#problem.hidden = true
    try {
      const { sessions } = await request('GET', '/sessions')
      within(this.#whole, 'ul', HTMLElement).replaceChildren(
        ...sessions.toSorted(currentFirst).map((/** @type {Session} */ session) => this.#item(session)),
      )
    } catch (error) {
      tell(this.#problem, error)
    }
  }

  /** @param {Session} session */
  #item({ id, began, used, current }) {
    const times = { began: dateOnlyFormat.format(new Date(began)), used: dateAndTimeFormat.format(new Date(used)) }
    const title = say(current ? 'sessions.this' : 'sessions.other')
    const { item, button } = listed(
      title,
      say(current ? 'sessions.since' : 'sessions.since_used', times),
      current ? '' : say('leave.go'),
    )
    if (!button) return item
    onClick(button, this.#problem, async () => {
      await request('DELETE', `/sessions/${encodeURIComponent(id)}`)
      await this.list()
    })
    return item
  }
}

/** @param {Session} one @param {Session} other */
function currentFirst(one, other) {
  return Number(other.current === true) - Number(one.current === true) || other.used.localeCompare(one.used)
}
