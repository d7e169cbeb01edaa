// The appends that wait for the disk: at most so many, taken out in groups, each answered once. It does not know who writes them.

import { ChatError, type Refusal } from '../../errors.ts'
import type { AppendResult, NewEvent } from './event-log.ts'

const limits = {
  events: 10_000, // that wait; above that an append is refused as busy
  characters: 8 * 1024 * 1024, // of their texts
  groupEvents: 1000, // in one transaction
  groupCharacters: 256 * 1024, // a whole group goes out to all streams in one go, during which nothing else happens
}

export interface Amount {
  events: number
  /** UTF-16 units of their texts. */
  characters: number
}

interface Append extends PromiseWithResolvers<AppendResult[]> {
  events: readonly NewEvent[]
  amount: Amount
}

export class AppendQueue {
  #waiting: Append[] = []
  /** The group that was taken out and is not answered yet. */
  #committing: Append[] = []
  readonly #amount: Amount = { events: 0, characters: 0 }

  /** What is not answered yet, whether it waits or is being committed. */
  get amount(): Readonly<Amount> {
    return this.#amount
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#committing.length === 0
  }

  /** Whether a group was taken out and is not answered yet. */
  get isCommitting(): boolean {
    return this.#committing.length > 0
  }

  /** Resolves when its group is resolved, with its own results. @throws ChatError `busy`, before it returns a promise */
  add(events: readonly NewEvent[]): Promise<AppendResult[]> {
    if (this.#amount.events + events.length > limits.events || this.#amount.characters > limits.characters)
      throw new ChatError('busy', 'too much is waiting for the disk; try again in a moment')
    const append = { events, amount: amountOf(events), ...Promise.withResolvers<AppendResult[]>() }
    this.#waiting.push(append)
    this.#amount.events += append.amount.events
    this.#amount.characters += append.amount.characters
    return append.promise
  }

  /** Takes out the events of the oldest appends that fit into one group, and of one append at least. */
  takeGroup(): NewEvent[] {
    let events = 0
    let characters = 0
    let count = 0
    for (const { amount } of this.#waiting) {
      events += amount.events
      characters += amount.characters
      if (count > 0 && (events > limits.groupEvents || characters > limits.groupCharacters)) break
      count++
    }
    this.#committing = this.#waiting.splice(0, count)
    return this.#committing.flatMap((append) => append.events)
  }

  /** Answers the group that was taken out: a result for each of its events, in order. */
  resolveGroup(results: readonly AppendResult[]): void {
    let from = 0
    for (const append of this.#takeCommitting()) {
      const to = from + append.events.length
      append.resolve(results.slice(from, to))
      from = to
    }
  }

  rejectGroup(refusal: Refusal): void {
    for (const { reject } of this.#takeCommitting()) reject(new ChatError(refusal.code, refusal.message))
  }

  rejectWaiting(refusal: Refusal): void {
    for (const { reject } of this.#forget(this.#waiting.splice(0))) reject(new ChatError(refusal.code, refusal.message))
  }

  #takeCommitting(): Append[] {
    return this.#forget(this.#committing.splice(0))
  }

  #forget(appends: Append[]): Append[] {
    for (const { amount } of appends) {
      this.#amount.events -= amount.events
      this.#amount.characters -= amount.characters
    }
    return appends
  }
}

export function amountOf(events: readonly NewEvent[]): Amount {
  const characters = events.reduce((sum, { body }) => sum + (body?.text?.length ?? 0), 0)
  return { events: events.length, characters }
}
