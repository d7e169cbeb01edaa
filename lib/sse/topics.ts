// Which streams follow which topics, and from which event on.

import type { Follower } from './follower.ts'

export class Topics {
  readonly #followers = new Map<string, Map<Follower, number>>()

  /** How many streams follow a topic. */
  count(topic: string): number {
    return this.#followers.get(topic)?.size ?? 0
  }

  has(topic: string, follower: Follower): boolean {
    return this.#followers.get(topic)?.has(follower) ?? false
  }

  /** Those who follow a topic, as they are now: they may be changed meanwhile. */
  of(topic: string): Follower[] {
    return [...(this.#followers.get(topic)?.keys() ?? [])]
  }

  /** Those who follow any of these topics, each once. */
  ofAny(topics: Iterable<string>): Set<Follower> {
    const found = new Set<Follower>()
    for (const topic of topics) for (const follower of this.#followers.get(topic)?.keys() ?? []) found.add(follower)
    return found
  }

  /** Does the follower follow a topic from before this event on? */
  counts(topic: string, follower: Follower, event: number): boolean {
    return event > (this.#followers.get(topic)?.get(follower) ?? Infinity)
  }

  /** Has it follow these topics too, those that it did not follow yet from `after` on. */
  add(follower: Follower, topics: readonly string[], after: number): void {
    const added = [...new Set(topics)].filter((topic) => !this.has(topic, follower))
    follower.topics = follower.topics.concat(added)
    if (added.length > 0) follower.since = Math.max(follower.since, after)
    for (const topic of added) {
      const followers = this.#followers.get(topic)
      if (followers) followers.set(follower, after)
      else this.#followers.set(topic, new Map([[follower, after]]))
    }
  }

  /** Has it no longer follow these. Its own list of them is the caller's to keep. */
  delete(follower: Follower, topics: readonly string[]): void {
    for (const topic of topics) {
      const followers = this.#followers.get(topic)
      followers?.delete(follower)
      if (followers?.size === 0) this.#followers.delete(topic)
    }
  }
}
