// Asks the server that carries a chat who sent a request, and believes nobody else. What it gives is checked in host-identity.ts.

import type { IncomingMessage } from 'node:http'
import type { Identify } from './chat-options.ts'
import type { HostedUser, People } from '../chat/people/people.ts'
import type { Who } from '../chat/people/who.ts'
import { ChatError } from '../errors.ts'
import { readIdentity } from './host-identity.ts'
import { describe } from '../log.ts'
import { within } from '../within.ts'

const answerMs = 30_000 // for the host to say who sent a request; a connection waits for each

export type HostPeople = ReturnType<typeof hostPeople>

export function hostPeople(identify: Identify, people: People) {
  // For each question that has no answer yet, who was outdated since it was asked.
  const open = new Set<Set<string>>()

  // An error of the host's own must not pass for a refusal of ours.
  async function ask(request: IncomingMessage): Promise<unknown> {
    try {
      return await within(answerMs, Promise.resolve(identify(request)), `no answer within ${answerMs / 1000} s`)
    } catch (error) {
      throw new Error(`identify failed: ${describe(error)}`)
    }
  }

  // Whoever is new has to be stored. Where there is no room for that they can still read what is open to everybody.
  async function known(identity: HostedUser, { method }: IncomingMessage): Promise<Who> {
    try {
      return await people.hosted(identity)
    } catch (error) {
      const noRoom = error instanceof ChatError && (error.code === 'storage_low' || error.code === 'storage_full')
      if (noRoom && (method === 'GET' || method === 'HEAD')) return { kind: 'nobody' }
      throw error
    }
  }

  return {
    /** @throws Error for the log if the host fails, or gives what is no identity */
    async whoSent(request: IncomingMessage): Promise<Who> {
      for (;;) {
        const outdated = new Set<string>()
        open.add(outdated)
        try {
          const given = await ask(request)
          if (given === undefined || given === null) return { kind: 'nobody' }
          const identity = readIdentity(given)
          const who = await known(identity, request)
          if (!outdated.has(identity.id)) return who
        } finally {
          open.delete(outdated)
        }
      }
    },

    /** Whoever is being identified at this moment and turns out to be this one has to be asked for again. */
    outdate(id: string): void {
      // As `readIdentity` has it: programs without types give numbers.
      for (const outdated of open) outdated.add(String(id))
    },
  }
}
