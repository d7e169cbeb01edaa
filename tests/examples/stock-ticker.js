// A stock ticker: each share's price every second. /events?symbol=ACME&symbol=HOOLI follows these two, /events all of them.
// A reader that was away, for up to an hour, gets the prices that it missed.

import { createServer } from 'node:http'
import { Hub, ServerSentEventsStream } from 'natter'

const prices = new Map([
  ['ACME', 120],
  ['HOOLI', 310],
  ['INITECH', 45],
])
const hub = new Hub({ ring: prices.size * 3600 })

const trading = setInterval(() => {
  for (const [symbol, last] of prices) {
    const price = Math.round(last * (0.99 + Math.random() * 0.02) * 100) / 100
    prices.set(symbol, price)
    hub.publish(symbol, { event: 'price', data: { symbol, price } })
  }
}, 1000)

const server = createServer((request, response) => {
  const [path, query] = request.url.split('?')
  if (path === '/stats') return response.end(JSON.stringify(hub.stats()))
  if (path !== '/events') return response.writeHead(404).end()
  const asked = new URLSearchParams(query).getAll('symbol').filter((symbol) => prices.has(symbol))
  hub.follow(new ServerSentEventsStream(request, response), asked.length > 0 ? asked : [...prices.keys()])
})

server.listen(process.env.PORT ?? 0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))

process.once('SIGTERM', async () => {
  clearInterval(trading)
  await hub.close()
  server.close()
})
