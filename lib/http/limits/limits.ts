// How much one person, or one address, may do: changes a second, newcomers, open streams. Only requests are limited; a program
// that natter is mounted in calls the chat itself, and is not.

import { foldName } from '../../chat/people/names.ts'
import { governs, isGuest } from '../../chat/rules/rights.ts'
import type { Who } from '../../chat/people/who.ts'
import type { Settings } from '../../config.ts'
import { ChatError } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { networkOf } from '../../network.ts'
import { Buckets } from './buckets.ts'
import { Windows } from './windows.ts'

const limits = {
  personBurst: 10, // changes at once; then as many a second as the settings say
  botTimes: 10, // as many of both for a bot
  addressSeconds: 10, // of an address's rate are its guests' at once: a new name must not bring new room
  accountsSeconds: 1000, // and its accounts' together: an office never gets there, but accounts made by the hundred would
  networkTimes: 10, // an IPv6 network of 48 bits has as much as so many addresses; it holds 65,536
  comingIn: { burst: 60, perSecond: 0.1 }, // an address: a name that was taken stays taken for 30 days
  streamsPerSession: 10,
  // New rooms of an address in a day: of all its guests together, and so many times as many of accounts that anybody can make. A class of thirty
  // guests makes some rooms, and opens one with each of its own.
  dayMs: 24 * 3600_000,
  roomsOfGuests: 20,
  directRoomsOfGuests: 500,
  roomsOfAccounts: 10,
  // What a page does by itself, and never as often: it says every three seconds that somebody types, and with each message that they have read.
  typing: { burst: 10, perSecond: 1 }, // a person
  typingOfAddress: { burst: 60, perSecond: 20 },
  reading: { burst: 200, perSecond: 10 }, // a person
  readingOfGuests: { burst: 1000, perSecond: 100 }, // of an address
  coming: { burst: 5, perSecond: 0.1 }, // a person, who is told to be here in each of up to a hundred rooms, and later to be away
  comingOfAddress: { burst: 100, perSecond: 1 }, // a class that comes back all at once
  kibibyte: 1024, // of a body costs as much as a change
}

/** How somebody new comes in. */
const comingIn = new Set(['POST /session', 'POST /users', 'POST /invites/accept'])

/** What nobody should ever have to wait for: whoever uses a stolen session to its limit must not keep its owner from ending it. */
const unlimited = new Set(['DELETE /session', 'DELETE /sessions', 'DELETE /sessions/:id'])

const typing = 'POST /rooms/:room/typing'
const reading = 'PUT /rooms/:room/read'

export interface LimitsOptions extends Pick<Settings, 'postsPerSecond' | 'postsPerAddress' | 'streamsPerAddress'> {
  /** Gets a line for the owner, at most once. */
  log: Log
  /** A clock that never goes back, in ms. */
  now?: () => number
}

/** A bucket that a change is taken from. Without a key it is that of all whom their proxy does not name, and only tells when it is empty. */
interface Share {
  buckets: Buckets
  key: string | undefined
  /** Why a change is refused if this is empty. */
  why: string
}

/** Takes what a body costs, once it is known how many bytes of it came. */
export type PayForBody = (bytes: number) => void

export class Limits {
  readonly #options: LimitsOptions
  readonly #people: Buckets
  readonly #bots: Buckets
  /** Of guests, and of accounts, by address; and the same by network. */
  readonly #shared: { guests: AddressBuckets; accounts: AddressBuckets }
  readonly #newcomers: AddressBuckets
  readonly #typing: SignalBuckets
  readonly #reading: SignalBuckets
  readonly #coming: SignalBuckets
  /** New rooms by address and by network, direct ones apart. */
  readonly #rooms: Record<'rooms' | 'directRooms', Record<'guests' | 'accounts', AddressWindows>>
  /** How many streams are open, by address and by session. */
  #streams = new Map<string, number>()
  #reported = false

  constructor(options: LimitsOptions) {
    const { postsPerSecond, postsPerAddress, now = () => performance.now() } = options
    const ofPeople = (times: number) => ({ burst: limits.personBurst * times, perSecond: postsPerSecond * times })
    // At least one, or a rate below one in ten seconds would let nobody do anything.
    const ofAddresses = (seconds: number) => ({
      burst: Math.max(1, postsPerAddress * seconds),
      perSecond: postsPerAddress,
    })
    this.#options = options
    this.#people = new Buckets(ofPeople(1), now)
    this.#bots = new Buckets(ofPeople(limits.botTimes), now)
    this.#shared = {
      guests: addressBuckets(ofAddresses(limits.addressSeconds), now),
      accounts: addressBuckets(ofAddresses(limits.accountsSeconds), now),
    }
    this.#newcomers = addressBuckets(limits.comingIn, now)
    this.#typing = {
      people: new Buckets(limits.typing, now),
      shared: addressBuckets(limits.typingOfAddress, now),
      parties: ['guests', 'accounts'],
    }
    this.#reading = {
      people: new Buckets(limits.reading, now),
      shared: addressBuckets(limits.readingOfGuests, now),
      parties: ['guests'],
    }
    this.#coming = {
      people: new Buckets(limits.coming, now),
      shared: addressBuckets(limits.comingOfAddress, now),
      parties: ['guests', 'accounts'],
    }
    const ofBoth = (most: number) => ({
      guests: addressWindows(most, now),
      accounts: addressWindows(most * limits.roomsOfAccounts, now),
    })
    this.#rooms = { rooms: ofBoth(limits.roomsOfGuests), directRooms: ofBoth(limits.directRoomsOfGuests) }
  }

  /**
   * Counts a change, named by its method and route, that somebody asks for from an address; undefined is one that we don't know. A change is
   * let in while there is one left, and costs one more for each KiB of its body. So every text that is allowed can be said, and is paid for.
   * @throws ChatError `too_many`
   */
  change(change: string, who: Who, address: string | undefined): PayForBody {
    // That somebody types is never refused: `mayTellTyping` says whether anybody hears of it.
    if (unlimited.has(change) || change === typing) return () => {}
    if (change === reading) {
      this.#take(this.#sharesOfSignal(this.#reading, who, address))
      return () => {}
    }
    const shares = comingIn.has(change) ? this.#sharesOfNewcomer(address) : this.#sharesOf(who, address)
    this.#take(shares)
    return (bytes) => {
      const cost = Math.floor(bytes / limits.kibibyte)
      if (cost > 0) for (const { buckets, key } of shares) if (key !== undefined) buckets.take(key, cost)
    }
  }

  #sharesOfNewcomer(address: string | undefined): Share[] {
    const { postsPerSecond, postsPerAddress } = this.#options
    if (postsPerSecond === 0 || postsPerAddress === 0) return []
    return sharesBy(address, this.#newcomers, 'too many came in from this address')
  }

  /** Counts a sign that somebody types. Should it be one too many, others need not hear of it, and whoever sent it need not know. */
  mayTellTyping(who: Who, address: string | undefined): boolean {
    return this.#mayTell(this.#typing, who, address)
  }

  /** The same for whoever opens their first stream: others may be told that they are here, and later that they are away. */
  mayTellComing(who: Who, address: string | undefined): boolean {
    return this.#mayTell(this.#coming, who, address)
  }

  #mayTell(signals: SignalBuckets, who: Who, address: string | undefined): boolean {
    const shares = this.#sharesOfSignal(signals, who, address).filter(({ key }) => key !== undefined)
    if (shares.some(({ buckets, key }) => buckets.wait(key!) > 0)) return false
    for (const { buckets, key } of shares) buckets.take(key!)
    return true
  }

  #sharesOfSignal({ people, shared, parties }: SignalBuckets, who: Who, address: string | undefined): Share[] {
    if (this.#options.postsPerSecond === 0) return []
    const key = who.kind === 'user' ? String(who.user.id) : undefined
    const why = 'that is more often than any page asks'
    return [
      ...(key === undefined ? [] : [{ buckets: people, key, why }]),
      ...(parties.some((party) => party === partyOf(who)) && address !== undefined
        ? sharesBy(address, shared, why)
        : []),
    ]
  }

  #sharesOf(who: Who, address: string | undefined): Share[] {
    const { postsPerSecond, postsPerAddress } = this.#options
    const user = who.kind === 'user' ? who.user : undefined
    const isBot = user?.kind === 'bot'
    const rate = Number((postsPerSecond * (isBot ? limits.botTimes : 1)).toPrecision(6)) // 1.1 × 10 is 11.000000000000002
    // A name that nothing proves is one person, whoever gives it, before and after its first deed.
    const unproven = who.kind === 'claim' ? who.claims : user?.kind === 'unproven' ? user.name : undefined
    const key = unproven === undefined ? user && String(user.id) : `unproven ${foldName(unproven)}`
    const own = { buckets: isBot ? this.#bots : this.#people, key, why: `that is more than ${rate} a second` }
    const kind = partyOf(who)
    return [
      ...(postsPerSecond === 0 || key === undefined ? [] : [own]),
      ...(postsPerAddress === 0 || !kind
        ? []
        : sharesBy(
            address,
            this.#shared[kind],
            `too much comes from this address, whose ${kind} share what they may do`,
          )),
    ]
  }

  /**
   * Counts a room that somebody makes from an address, whatever becomes of it later. What is returned takes that back, for one that was not
   * made after all.
   * @throws ChatError `too_many`
   */
  newRoom(kind: 'rooms' | 'directRooms', who: Who, address: string | undefined): () => void {
    const { postsPerSecond, postsPerAddress } = this.#options
    const whose = partyOf(who)
    if (postsPerSecond === 0 || postsPerAddress === 0 || whose === undefined || address === undefined) return () => {}
    const { addresses, networks } = this.#rooms[kind][whose]
    const network = networkOf(address)
    const counted: [Windows, string][] = [
      [addresses, address],
      ...(network === undefined ? [] : [[networks, network] satisfies [Windows, string]]),
    ]
    const waitMs = Math.max(...counted.map(([windows, key]) => windows.wait(key)))
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000)
      const most = limits[`${kind}OfGuests`] * (whose === 'guests' ? 1 : limits.roomsOfAccounts)
      const advice = whose === 'guests' ? '; whoever has an account is not among them' : ''
      throw new ChatError(
        'too_many',
        `${whose} of this address have made ${most} rooms within a day; try again in ${seconds} s${advice}`,
        { retryAfter: seconds },
      )
    }
    const takes = counted.map(([windows, key]) => windows.take(key))
    return () => takes.forEach((takeBack) => takeBack())
  }

  /** Why one more stream may not be opened now, if so. */
  streamRefusal(who: Who, address: string | undefined): string | undefined {
    const { streamsPerAddress } = this.#options
    const open = (key: string | undefined) => (key === undefined ? 0 : (this.#streams.get(key) ?? 0))
    const keys = streamKeys(who, address)
    if (open(keys.session) >= limits.streamsPerSession)
      return `there are ${limits.streamsPerSession} streams open for this session`
    if (streamsPerAddress === 0) return undefined
    if (open(keys.network) >= streamsPerAddress * limits.networkTimes)
      return `there are ${open(keys.network)} streams open from this network`
    if (open(keys.address) < streamsPerAddress) return undefined
    if (address !== undefined) return `there are ${streamsPerAddress} streams open from this address`
    return void this.#reportOnce()
  }

  /** Counts a stream that begins, or with -1 one that is over. */
  countStream(who: Who, address: string | undefined, by: 1 | -1): void {
    for (const key of Object.values(streamKeys(who, address))) {
      if (key === undefined) continue
      const count = (this.#streams.get(key) ?? 0) + by
      if (count > 0) this.#streams.set(key, count)
      else this.#streams.delete(key)
    }
  }

  // From each of these or from none.
  #take(shares: readonly Share[]): void {
    let refusal = { why: '', waitMs: 0 }
    for (const { buckets, key, why } of shares) {
      const waitMs = buckets.wait(key ?? '')
      if (key === undefined && waitMs > 0) this.#reportOnce()
      if (key !== undefined && waitMs > refusal.waitMs) refusal = { why, waitMs }
    }
    if (refusal.waitMs > 0) {
      const seconds = Math.ceil(refusal.waitMs / 1000)
      throw new ChatError('too_many', `${refusal.why}; try again in ${seconds} s`, { retryAfter: seconds })
    }
    for (const { buckets, key } of shares) if (key !== undefined || buckets.wait('') === 0) buckets.take(key ?? '')
  }

  #reportOnce(): void {
    if (this.#reported) return
    this.#reported = true
    this.#options.log(
      'much comes from a proxy that does not name its clients, or from this machine itself, so that nothing can be limited by address: have the proxy send ' +
        'X-Forwarded-For (nginx: proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for), and a Host that is one of --url; or, if there is no proxy, start ' +
        'natter with --trust-proxy ""',
    )
  }
}

// What its streams are counted by: an address, its network, and a session. Of a host's own sessions we know nothing: there a person counts as one.
function streamKeys(who: Who, address: string | undefined) {
  const network = address === undefined ? undefined : networkOf(address)
  const session =
    who.kind === 'user' ? (who.session ?? (who.user.kind === 'hosted' ? `of ${who.user.id}` : undefined)) : undefined
  return {
    address: `address ${address ?? ''}`,
    network: network && `network ${network}`,
    session: session && `session ${session}`,
  }
}

interface SignalBuckets {
  people: Buckets
  shared: AddressBuckets
  /** Whose signals share what an address may send. */
  parties: readonly ReturnType<typeof partyOf>[]
}

interface AddressBuckets {
  addresses: Buckets
  networks: Buckets
}

function addressBuckets({ burst, perSecond }: { burst: number; perSecond: number }, now: () => number): AddressBuckets {
  const networks = { burst: burst * limits.networkTimes, perSecond: perSecond * limits.networkTimes }
  return { addresses: new Buckets({ burst, perSecond }, now), networks: new Buckets(networks, now) }
}

interface AddressWindows {
  addresses: Windows
  networks: Windows
}

function addressWindows(most: number, now: () => number): AddressWindows {
  const windows = (times: number) => new Windows({ most: most * times, lengthMs: limits.dayMs }, now)
  return { addresses: windows(1), networks: windows(limits.networkTimes) }
}

function sharesBy(address: string | undefined, { addresses, networks }: AddressBuckets, why: string): Share[] {
  const network = address === undefined ? undefined : networkOf(address)
  return [
    { buckets: addresses, key: address, why },
    ...(network === undefined ? [] : [{ buckets: networks, key: network, why }]),
  ]
}

// With whom somebody shares what an address may do. Accounts are among them where anybody can make one by themselves: bots and a host's people are
// given by somebody, and who governs must always be able to.
function partyOf(who: Who): 'guests' | 'accounts' | undefined {
  if (who.kind !== 'user' || isGuest(who.user)) return 'guests'
  return who.user.kind === 'account' && !governs(who.user) ? 'accounts' : undefined
}
