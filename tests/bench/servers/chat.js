// What the small servers here have in common: the same addresses and the same JSON as natter, so that all of them move the
// same bytes; but they know nobody, keep nothing and check nothing.

let newest = Date.now() * 1000

/** The room of `/rooms/lobby/messages`. */
export function roomOf(url) {
  return url.split('/')[2]
}

/** The rooms of `/rooms/lobby,attic/messages`. */
export function roomsOf(url) {
  return roomOf(url).split(',')
}

/** Those who read each room. */
export class Readers {
  #rooms = new Map()

  come(rooms, reader) {
    for (const room of rooms) this.of(room).add(reader)
  }

  leave(rooms, reader) {
    for (const room of rooms) this.of(room).delete(reader)
  }

  of(room) {
    let readers = this.#rooms.get(room)
    if (!readers) this.#rooms.set(room, (readers = new Set()))
    return readers
  }
}

/** Reads a message from a request, has it delivered, and answers with it. */
export function post(request, response, deliver) {
  let text = ''
  request.setEncoding('utf8')
  request.on('data', (chunk) => (text += chunk))
  request.on('end', () => {
    const id = String(newest++)
    const message = {
      id,
      room: roomOf(request.url),
      from: { id: 'u_7f3k7f3k2x', name: 'ada-mi8p2x4k' },
      text,
      at: new Date().toISOString(),
    }
    const json = JSON.stringify(message)
    deliver(message, json)
    response.writeHead(201, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) })
    response.end(json)
  })
}

/** Listens on a free port, and says so as natter does. */
export function listen(server) {
  // Who posts may have to wait until thousands have read; Node would hang up after 5 s without a request.
  server.keepAliveTimeout = 72_000
  // All readers come at once.
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
    process.stdout.write(`listening on http://127.0.0.1:${server.address().port}\n`)
  })
}
