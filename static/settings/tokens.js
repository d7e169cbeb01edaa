// @ts-check
// Tokens for bots, in the settings of who governs the place: made, shown once, listed and revoked.

/** @import { Author, User } from '../../lib/chat/streams/events.ts' */
/** @typedef {{ id: string, user: User, maker: Author, scopes: string[], rooms?: string[], expires?: string }} Token */

import { base, lobby } from '../parts/address.js'
import { request } from '../parts/api.js'
import { copyFrom } from '../parts/clipboard.js'
import { listed, onClick, onSubmit, part, tell, within } from '../parts/parts.js'
import { dateOnlyFormat, listFormat, say } from '../words/words.js'

export class Tokens {
  #whole = part('tokens', HTMLDetailsElement)
  #problem = part('tokens-problem', HTMLElement)
  #made = part('token-made', HTMLElement)
  #text = part('token-text', HTMLInputElement)
  #curl = part('token-curl', HTMLTextAreaElement)

  constructor() {
    this.#whole.addEventListener('toggle', () => void this.#list())
    onSubmit(part('token-form', HTMLFormElement), async ({ name, read, write }) => {
      const scopes = [...(read === 'true' ? ['read'] : []), ...(write === 'true' ? ['write'] : [])]
      const expires = part('token-expires', HTMLSelectElement).value
      this.forget()
      const made = await request('POST', '/tokens', { body: { name, scopes, ...(expires !== '' && { expires }) } })
      this.#show(made)
      await this.#list()
      this.#made.scrollIntoView({ block: 'nearest' })
    })
    this.#copies(part('token-copy', HTMLButtonElement), this.#text)
    this.#copies(part('token-curl-copy', HTMLButtonElement), this.#curl)
  }

  /** What was shown once is not shown again. */
  forget() {
    this.#made.hidden = true
    this.#text.value = this.#curl.value = ''
    for (const button of this.#made.querySelectorAll('button')) button.textContent = say('invite.copy')
  }

  /** @param {Token & { token: string }} made */
  #show({ token, user, scopes }) {
    within(this.#made, 'bdi', HTMLElement).textContent = user.name
    this.#text.value = token
    const place = `${location.origin}${base}`
    const does = scopes.includes('write')
      ? ['-d', 'hello', `${place}/rooms/${lobby}/messages`]
      : ['-N', `${place}/events`]
    this.#curl.value = ['curl', '--oauth2-bearer', token, ...does].join(' ')
    this.#made.hidden = false
    part('token-copy', HTMLButtonElement).focus()
  }

  /** @param {HTMLButtonElement} button @param {HTMLInputElement | HTMLTextAreaElement} field */
  #copies(button, field) {
    button.addEventListener('click', async () => {
      if (await copyFrom(field)) button.textContent = say('invite.copied')
    })
  }

  async #list() {
    if (!this.#whole.open) return
    this.#problem.hidden = true
    try {
      const { tokens } = await request('GET', '/tokens')
      within(this.#whole, 'ul', HTMLElement).replaceChildren(
        ...tokens.map((/** @type {Token} */ token) => this.#item(token)),
      )
    } catch (error) {
      tell(this.#problem, error)
    }
  }

  /** @param {Token} token */
  #item({ id, user, maker, scopes, rooms, expires }) {
    const both = scopes.includes('read') && scopes.includes('write')
    const notes = [
      say(both ? 'tokens.both' : scopes.includes('read') ? 'tokens.reads' : 'tokens.writes'),
      ...(rooms ? [listFormat.format(rooms)] : []),
      say('tokens.made_by', { name: maker.name, date: dateOnlyFormat.format(new Date(Number(id) / 1000)) }), // an id is its time, in microseconds
      expires === undefined
        ? say('tokens.endless')
        : say('tokens.until', { date: dateOnlyFormat.format(new Date(expires)) }),
    ]
    const { item, button } = listed(user.name, notes.join(' · '), say('tokens.revoke'))
    if (!button) return item
    onClick(
      button,
      this.#problem,
      async () => {
        await request('DELETE', `/tokens/${encodeURIComponent(id)}`)
        if (within(this.#made, 'bdi', HTMLElement).textContent === user.name) this.forget()
        await this.#list()
      },
      { sure: say('tokens.revoke_sure') },
    )
    return item
  }
}
