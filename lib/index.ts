// What another program may import: nothing else is public.

export type { Author, Id, Message, Room, User } from './chat/streams/events.ts'
export { collect, type CollectedEvent } from './collect.ts'
export type { CreateChatOptions, Identify } from './embed/chat-options.ts'
export { createChat } from './embed/create-chat.ts'
export { ChatError, type ErrorCode } from './errors.ts'
export type { Identity } from './embed/host-identity.ts'
export type { ChatHandler, MountedChat } from './embed/mounted-chat.ts'
export { eventStreamResponse, streamResponse } from './sse/event-stream-response.ts'
export type { Seen } from './sse/follower.ts'
export { encodeComment, encodeFrame, type Frames, type StreamEvent } from './sse/frame.ts'
export type { History, HistoryEvent } from './sse/history.ts'
export type { EventMap, FollowOptions, HubEvent, HubOptions } from './sse/hub-options.ts'
export type { HubStats } from './sse/hub-stats.ts'
export { Hub } from './sse/hub.ts'
export { RingBuffer, type RingEntry } from './sse/ring-buffer.ts'
export {
  ServerSentEventsStream,
  type StreamOptions,
  type StreamRequest,
  type StreamResponse,
  type StreamSource,
} from './sse/server-sent-events-stream.ts'
