// Asks the server that carries a chat who sent a request, and believes nobody else. What it gives is checked in host-identity.ts.

import type { IncomingMessage } from 'node:http'
import type { Identify } from './chat-options.ts'
import type { People } from './chat/people.ts'
import type { Who } from './chat/who.ts'
import { readIdentity } from './host-identity.ts'
import { describe } from './log.ts'
import { within } from './within.ts'

const answerMs = 30_000 // for the host to say who sent a request; a connection waits for each

export class HostPeople {
  readonly #identify: Identify
  readonly #people: People
  /** The questions that have no answer yet, and whom they turned out to be about. */
  readonly #asking = new Set<{ id?: string; outdated?: true }>()

  constructor(identify: Identify, people: People) {
    this.#identify = identify
    this.#people = people
  }

  /** @throws Error for the log if the host fails, or gives what is no identity */
  async whoSent(request: IncomingMessage): Promise<Who> {
    for (;;) {
      const asking: { id?: string; outdated?: true } = {}
      this.#asking.add(asking)
      try {
        const given = await this.#answer(request)
        if (given === undefined || given === null) return { nobody: true }
        const identity = readIdentity(given)
        asking.id = identity.id
        const who = await this.#people.hosted(identity)
        if (!asking.outdated) return who
      } finally {
        this.#asking.delete(asking)
      }
    }
  }

  /** Whoever is being identified at this moment and may be this one has to be asked for again. */
  outdate(id: string): void {
    for (const asking of this.#asking) if (asking.id === undefined || asking.id === id) asking.outdated = true
  }

  // An error of the host's own must not pass for a refusal of ours.
  async #answer(request: IncomingMessage): Promise<unknown> {
    try {
      return await within(answerMs, Promise.resolve(this.#identify(request)), `no answer within ${answerMs / 1000} s`)
    } catch (error) {
      throw new Error(`identify failed: ${describe(error)}`)
    }
  }
}
