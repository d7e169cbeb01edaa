// Values as JSON that any reader can take: programs that cut lines, and terminals, find nothing in it that they obey.

// JSON itself escapes what is below U+0020. Beyond that: DEL and the control characters up to U+009F, of which U+0085 ends a line for many
// readers, as U+2028 and U+2029 do; and what turns the direction of all the text behind it on a screen.
const unsafe = /[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/
const allUnsafe = new RegExp(unsafe, 'g')

/**
 * A value as JSON in one line, whatever a reader takes for the end of a line. Characters that a reader or a terminal might obey are escaped
 * (`\u2028`), which means the same character to whoever parses it. Undefined where the value has no JSON form, as `JSON.stringify` has it.
 */
export function toJson(value: unknown): string | undefined {
  const json = JSON.stringify(value) as string | undefined
  // They can only stand within strings, where an escape may stand too.
  return json !== undefined && unsafe.test(json) ? json.replace(allUnsafe, escaped) : json
}

/** A character as JSON escapes it. */
export function escaped(sign: string): string {
  return `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`
}
