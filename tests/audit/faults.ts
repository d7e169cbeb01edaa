// Faults planted in a server, to see the audits turn red. Preloaded with `node --import` into the unchanged `server.ts`, in
// each of its threads; `NATTER_FAULT` names the fault. Each wraps a part of natter from outside.

import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { addressFaults } from './address-faults.ts'
import { loadFaults } from './load-faults.ts'

const faults: Record<string, () => Promise<void> | void> = {
  ...loadFaults,
  ...addressFaults,

  /** Answers and streams at once what is on its way to the disk, and gets there a little later. */
  'answer-before-commit': commitLater,

  /** The same for streams; answers are right. */
  async 'broadcast-before-commit'() {
    await commitLater()
    const { LocalLog } = await import('../../lib/store/log/local-log.ts')
    const { append } = LocalLog.prototype
    LocalLog.prototype.append = async function (events) {
      const outcomes = await append.call(this, events)
      await sleep(commitLaterMs + 20)
      return outcomes
    }
  },

  /** Commits without waiting until the disk has it. */
  async 'no-fsync'() {
    const { Database } = await import('../../lib/store/database.ts')
    const { openForWriting } = Database
    Database.openForWriting = (file) => openForWriting(file, { durable: false })
  },

  /** Commits what an event does, and then the event. */
  async 'effect-without-event'() {
    const { Database } = await import('../../lib/store/database.ts')
    const { insertEvent } = Database.prototype
    Database.prototype.insertEvent = function (id, event) {
      this.commit()
      this.begin()
      insertEvent.call(this, id, event)
    }
  },

  /** A request that comes again is a new one. */
  async 'no-idempotency'() {
    const { Database } = await import('../../lib/store/database.ts')
    const { insertEvent } = Database.prototype
    Database.prototype.eventByKey = () => undefined
    Database.prototype.insertEvent = function (id, { key: _, print: __, ...event }) {
      insertEvent.call(this, id, event)
    }
  },

  /** A deletion takes the place in the log, and leaves what was said. */
  'skeleton-lost-on-delete': () =>
    otherStatement('update bodies set text = ? where event = ?', 'delete from events where ? is not null and id = ?'),

  /** A deletion leaves what was said. */
  'body-kept-on-delete': () =>
    otherStatement('update bodies set text = ? where event = ?', 'update bodies set text = ? where event = -?'),

  /** A rename leaves the name before it. */
  'name-kept-on-rename': () =>
    otherStatement('update bodies set name = ? where event = ?', 'update bodies set name = ? where event = -?'),

  /** A deletion leaves what the message was reacted to with, and whom it named. */
  'emoji-kept-on-delete': () =>
    otherStatement('update bodies set facts = ? where event = ?', 'update bodies set facts = ? where event = -?'),

  /** Who comes back gets the last event that they had once more. */
  async 'cursor-off-by-one'() {
    const { Hub } = await import('../../lib/sse/hub.ts')
    const { follow } = Hub.prototype
    Hub.prototype.follow = function (stream, topics, options = {}) {
      const again = /^\d+$/.test(stream.lastEventId ?? '') && options.after === undefined
      follow.call(this, stream, topics, again ? { after: Number(stream.lastEventId) - 1 } : options)
    }
  },
}

function otherStatement(sql: string, other: string): void {
  const { prepare } = DatabaseSync.prototype
  DatabaseSync.prototype.prepare = function (asked, ...rest) {
    return prepare.call(this, asked === sql ? other : asked, ...rest)
  }
}

const commitLaterMs = 200

// Both connections share a cache, and the reading one may read what is not committed: so everything goes on as if a commit
// had been made, and the one that is made later can be lost with the process.
async function commitLater(): Promise<void> {
  const { Database } = await import('../../lib/store/database.ts')
  const { openForWriting, openForReading } = Database
  Database.openForWriting = (file, options) => {
    // A file that is new, or has to be brought up to date, is not known by such a name.
    openForWriting(file, options).close()
    return openForWriting(`file:${file}?cache=shared`, options)
  }
  Database.openForReading = (file, ...rest) => openForReading(`file:${file}?cache=shared`, ...rest)
  const { exec } = DatabaseSync.prototype
  DatabaseSync.prototype.exec = function (sql) {
    exec.call(this, `pragma read_uncommitted = on; ${sql}`)
  }
  const { begin, commit, close } = Database.prototype
  let due: NodeJS.Timeout | undefined
  Database.prototype.begin = function () {
    if (!due) begin.call(this)
  }
  Database.prototype.commit = function () {
    due ??= setTimeout(() => {
      due = undefined
      commit.call(this)
    }, commitLaterMs)
  }
  Database.prototype.close = function () {
    if (due) commit.call(this)
    clearTimeout(due)
    close.call(this)
  }
}

const name = process.env['NATTER_FAULT'] ?? ''
const plant = faults[name]
if (name !== '' && !plant) throw new Error(`there is no fault ${name}`)
await plant?.()
