// @ts-check
// The worker that all tabs of a browser share: it has the one stream, and they have it from here. Its name is the path that the
// chat is mounted at; its address holds the version, so a page never talks to a worker of another one.

import { StreamHub } from './stream-hub.js'

const hub = new StreamHub(`${self.name}/events`)

self.addEventListener('connect', (event) => {
  const [port] = /** @type {MessageEvent} */ (event).ports // what tsc knows of is a window, which gets no such event
  if (port) hub.connect(port)
})
