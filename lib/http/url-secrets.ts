// Refuses secrets in a URL: there they would stay in the logs of proxies, in histories and in the Referer of the next page.

import { ChatError } from '../errors.ts'

const byToken = 'send a token as the header Authorization: Bearer …'
const inBody = 'send it in the JSON body'

/** What a query parameter of that name would hold, and where it belongs. */
const belongs = new Map([
  ['token', byToken],
  ['access_token', byToken],
  ['api_key', byToken],
  ['secret', byToken],
  ['authorization', 'send it as the header Authorization'],
  ['password', `${inBody}, or as curl -u name:password`],
  ['code', inBody],
  ['invite', inBody],
  ['session', 'a session goes by its cookie'],
])

/**
 * Looks at a request's target, whatever it asks for.
 * @throws ChatError `invalid_request`; it does not repeat the secret
 */
export function refuseSecrets(target: string): void {
  const query = target.indexOf('?')
  const names = query < 0 ? [] : [...new URLSearchParams(target.slice(query + 1)).keys()]
  const name = names.map((name) => name.toLowerCase()).find((name) => belongs.has(name))
  if (name !== undefined) throw new ChatError('invalid_request', `${name} does not belong in a URL, which is kept in logs and histories; ${belongs.get(name)}`)
  if (/natter_[\w-]{43}/i.test(unescaped(target))) throw new ChatError('invalid_request', `a token does not belong in a URL, which is kept in logs and histories; ${byToken}, and make a new one in place of this`)
}

// Percent-encoded ASCII only, since more is not needed here and decodeURIComponent throws on what is not UTF-8.
function unescaped(target: string): string {
  return target.replace(/%([2-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
}
