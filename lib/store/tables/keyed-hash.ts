// What the log keeps of a name, where it must know that the name is taken and the name itself must be able to go: a hash of it under
// the log's own secret. Whoever has the file has the secret too, and can try out names; without the file nobody can.

import { createHmac } from 'node:crypto'

const characters = 22 // of base64url: 132 bits, so that no two names are ever taken for one

/** HMAC-SHA256, cut short: https://www.rfc-editor.org/rfc/rfc2104 */
export function keyedHash(secret: string, text: string): string {
  return createHmac('sha256', secret).update(text).digest('base64url').slice(0, characters)
}
