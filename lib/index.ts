// What another program may import: nothing else is public.

export { collect, type CollectedEvent } from './collect.ts'
export { eventStreamResponse, streamResponse } from './sse/event-stream-response.ts'
export type { Seen } from './sse/follower.ts'
export { encodeComment, encodeFrame, type Frames, type StreamEvent } from './sse/frame.ts'
export type { History, HistoryEvent } from './sse/history.ts'
export type { EventMap, FollowOptions, HubEvent, HubOptions, HubStats } from './sse/hub-options.ts'
export { Hub } from './sse/hub.ts'
export { RingBuffer, type RingEntry } from './sse/ring-buffer.ts'
export { ServerSentEventsStream, type StreamOptions, type StreamRequest, type StreamResponse, type StreamSource } from './sse/server-sent-events-stream.ts'
