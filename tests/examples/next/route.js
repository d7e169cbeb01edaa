// The same news as a route handler: this file goes to app/events/route.js of a Next application on a Node server.

import { eventStreamResponse } from 'natter'
import { hub } from './hub.js'

export const dynamic = 'force-dynamic'

export function GET(request) {
  return eventStreamResponse(request, hub, ['news'])
}

export function POST(request) {
  const text = new URL(request.url).searchParams.get('text')
  return new Response(`${hub.publish('news', { data: text })}\n`)
}
