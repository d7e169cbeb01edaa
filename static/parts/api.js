// @ts-check
// One request to the server, and how long to wait before the next. Knows nothing of rooms and messages: an answer comes
// back as data, a problem as a Refusal (the server said no) or as Unreachable (there was no answer to rely on).

import { base } from './address.js'
import { isSaid, say } from '../words/words.js'

const answerMsMax = 20_000 // a request that hangs longer counts as lost
const backoffMsMax = 15_000

/** The server answered, and the answer was no. The message is written for the person at the page: by its `code`, or its `detail` as it is. */
export class Refusal extends Error {
  /** @param {number} status @param {string} code @param {string} detail @param {number} retryAfterMs */
  constructor(status, code, detail, retryAfterMs) {
    super(isSaid(`error.${code}`) ? say(`error.${code}`) : detail)
    this.status = status
    this.code = code
    this.retryAfterMs = retryAfterMs
  }
}

export class Unreachable extends Error {}

/** @param {unknown} error */
export function isTemporary(error) {
  if (!(error instanceof Refusal)) return error instanceof Unreachable
  return error.status >= 500 || [408, 425, 429].includes(error.status)
}

/**
 * @param {'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'} method
 * @param {string} path as in the server's own map, wherever the chat is mounted
 * @param {{ body?: object, key?: string }} [options] key: the Idempotency-Key, which makes a retry safe
 * @returns {Promise<any>} the JSON of the answer, or null where there is none
 */
export async function request(method, path, { body, key } = {}) {
  /** @type {Record<string, string>} */
  const headers = { accept: 'application/json' }
  if (body) headers['content-type'] = 'application/json'
  if (key) headers['idempotency-key'] = key

  let response
  let text
  try {
    response = await fetch(base + path, {
      method,
      headers,
      body: body ? JSON.stringify(body) : null,
      signal: AbortSignal.timeout(answerMsMax),
    })
    text = await response.text()
  } catch (error) {
    throw new Unreachable(say('server.unreachable'), { cause: error })
  }

  if (response.status === 204) return null
  const answer = parsed(text)
  if (!response.ok) {
    throw new Refusal(
      response.status,
      typeof answer?.code === 'string' ? answer.code : '',
      typeof answer?.detail === 'string' ? answer.detail : say('server.status', { status: String(response.status) }),
      Math.max(0, Number(response.headers.get('retry-after')) || 0) * 1000,
    )
  }
  // A 200 that is no JSON comes from something in between, such as the sign-in page of a hotel's network.
  if (typeof answer !== 'object' || answer === null) throw new Unreachable(say('server.else'))
  return answer
}

/** @param {string} text @returns {any} */
function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // the caller decides what an answer without JSON means
  }
}

/**
 * How long to wait before the next try: longer each time, and by chance, so that a server that comes back is not met by
 * all its readers at once.
 * @param {number} failures @param {unknown} error
 */
export function backoffMs(failures, error) {
  const asked = error instanceof Refusal ? error.retryAfterMs : 0
  return Math.max(asked, Math.random() * Math.min(backoffMsMax, 1000 * 2 ** failures) + 300)
}

/**
 * Asks until there is an answer; a Refusal that will not change by waiting is thrown.
 * @param {string} path
 * @param {() => boolean} wanted once this is false, nobody is waiting any more, and null is returned
 */
export async function getPatiently(path, wanted) {
  for (let failures = 0; wanted(); failures++) {
    try {
      return await request('GET', path)
    } catch (error) {
      if (!isTemporary(error)) throw error
      await new Promise((resolve) => setTimeout(resolve, backoffMs(failures, error)))
    }
  }
  return null
}
