// Refuses secrets in a URL: there they would stay in the logs of proxies, in histories and in the Referer of the next page.

import { ChatError } from '../errors.ts'

const byToken = 'send a token as the header Authorization: Bearer …'

/** What a query parameter of that name would hold belongs elsewhere. */
const belongs: [name: RegExp, where: string][] = [
  [/^(token|access_token|api_key|secret)$/i, byToken],
  [/^authorization$/i, 'send it as the header Authorization'],
  [/^password$/i, 'send it in the JSON body, or as curl -u name:password'],
  [/^(code|invite)$/i, 'send it in the JSON body'],
  [/^session$/i, 'a session goes by its cookie'],
]

/**
 * Looks at a request's target, whatever it asks for.
 * @throws ChatError `invalid_request`; it does not repeat the secret
 */
export function refuseSecrets(target: string): void {
  const query = target.indexOf('?')
  // Some programs part them by a semicolon, or leave spaces around them.
  for (const raw of query < 0 ? [] : new URLSearchParams(target.slice(query + 1).replaceAll(';', '&')).keys()) {
    const name = raw.trim()
    const [, where] = belongs.find(([secret]) => secret.test(name)) ?? []
    if (where)
      throw new ChatError(
        'invalid_request',
        `${name.toLowerCase()} does not belong in a URL, which is kept in logs and histories; ${where}`,
      )
  }
  // Percent-encoded ASCII only, since more is not needed here and decodeURIComponent throws on what is not UTF-8.
  const unescaped = target.replace(/%([2-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  if (/natter_[\w-]{43}/i.test(unescaped))
    throw new ChatError(
      'invalid_request',
      `a token does not belong in a URL, which is kept in logs and histories; ${byToken}, and make a new one in place of this`,
    )
}
