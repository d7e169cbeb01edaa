// Who is next: a line whose places are shared by address first and by person second, and which is served in turns, so that the
// many jobs of one do not hold up the one job of another. Has never heard of what waits in it.

/** Whom something in the line is for. Where no address is known, each person has a share of their own. */
export interface Party {
  address?: string | undefined
  person: number | string
}

export class FairLine<Waiting extends { party: Party }> {
  /** By share and by person; both are in the order of their turns. */
  readonly #shares = new Map<string, Map<string, Waiting[]>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get all(): Waiting[] {
    return [...this.#shares.values()].flatMap((people) => [...people.values()].flat())
  }

  add(waiting: Waiting): void {
    const [share, person] = keysOf(waiting.party)
    const people = this.#shares.get(share) ?? new Map<string, Waiting[]>()
    const places = people.get(person) ?? []
    places.push(waiting)
    this.#shares.set(share, people.set(person, places))
    this.#size++
  }

  /** Takes out the one whose turn it is. Before its address has another turn all others have one, and so with its person. */
  next(): Waiting | undefined {
    if (this.#size === 0) return undefined
    const share = this.#shares.keys().next().value!
    const people = this.#shares.get(share)!
    const person = people.keys().next().value!
    const places = people.get(person)!
    const next = places.shift()!
    this.#size--
    people.delete(person)
    if (places.length > 0) people.set(person, places)
    this.#shares.delete(share)
    if (people.size > 0) this.#shares.set(share, people)
    return next
  }

  /**
   * Takes out the last of whoever has most places in the share that has most. Among equals it is `newcomer`'s: nobody who waits
   * makes room for somebody who has as much.
   */
  drop(newcomer: Party): Waiting {
    const [ownShare, ownPerson] = keysOf(newcomer)
    const share = largest(this.#shares, ownShare, (people) => [...people.values()].reduce((sum, places) => sum + places.length, 0))
    const people = this.#shares.get(share)!
    const person = largest(people, ownPerson, (places) => places.length)
    const places = people.get(person)!
    const last = places.pop()!
    this.#size--
    if (places.length === 0) people.delete(person)
    if (people.size === 0) this.#shares.delete(share)
    return last
  }
}

function keysOf({ address, person }: Party): [share: string, person: string] {
  // A number and the same digits as a name are two people.
  const one = `${typeof person} ${person}`
  return [address === undefined ? one : `address ${address}`, one]
}

function largest<Value>(entries: ReadonlyMap<string, Value>, own: string, sizeOf: (value: Value) => number): string {
  let [found, most] = [own, entries.has(own) ? sizeOf(entries.get(own)!) : 0]
  for (const [key, value] of entries) {
    if (sizeOf(value) > most) [found, most] = [key, sizeOf(value)]
  }
  return found
}
