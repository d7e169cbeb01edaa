// @ts-check
// Whose session this browser has: the server is asked at the start and whenever that may have changed, here or in another tab. Does
// not know what follows for the page.

/** @import { User } from '../../lib/chat/streams/events.ts' */

import { scope } from '../parts/address.js'
import { getPatiently } from '../parts/api.js'
import { unchanged } from '../parts/unchanged.js'

export class Session {
  /** @type {'open' | 'invite'} */
  #access = 'open'
  #hosted = false
  #asked = 0 // an answer that comes after another is of no interest
  // Other tabs share the cookie: when one comes in or leaves, all do.
  #tabs = new BroadcastChannel(scope)
  #on

  /**
   * @param {{ told: (user: User | null) => Promise<void>, left: () => void }} on `told`: whose it is, perhaps as before. `left`: in another
   *   tab somebody has logged out
   */
  constructor(on) {
    this.#on = on
    this.#tabs.addEventListener('message', ({ data }) => {
      if (data === 'logout') on.left()
      void this.read()
    })
    // Put away in the memory of the browser, as it is when one goes on to another page, it did not hear who came and went.
    window.addEventListener('pageshow', ({ persisted }) => {
      if (persisted) void this.read()
    })
  }

  /** Can nobody read or come in without an invite? */
  get closed() {
    return this.#access === 'invite'
  }

  /** Does another server say who one is? */
  get hosted() {
    return this.#hosted
  }

  /** Asks whose it is. */
  async read() {
    this.#asked++
    const isNewest = unchanged(() => this.#asked)
    const session = await getPatiently('/session', isNewest)
    if (!isNewest()) return
    this.#access = session.access ?? 'open'
    this.#hosted = session.hosted === true
    await this.#on.told(session.user)
  }

  /** Whose it is has just been said: an answer to an earlier question is of no interest any more. */
  settle() {
    this.#asked++
  }

  /**
   * Lets other tabs know.
   * @param {'session' | 'logout'} what `session`: it is somebody else's, or they have another name. `logout`: somebody has logged out
   */
  share(what) {
    this.#tabs.postMessage(what)
  }
}
