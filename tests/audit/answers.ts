// Answers as they came over a connection, taken apart, and what must hold for each of them whatever was asked.

export interface RawAnswer {
  status: number
  /** By name, in lower case. */
  headers: Map<string, string>
  /** A character a byte, with the lines of chunks in it. */
  body: string
  /** All of it came. */
  whole: boolean
}

const limits = {
  bytes: 512 * 1024, // of an answer that is no file of the page
}

const start = /HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n/y

/** All that came on a connection, a character a byte; what is cut off in its head is left out. */
export function answersIn(heard: string): RawAnswer[] {
  const answers: RawAnswer[] = []
  for (let at = 0; at < heard.length; ) {
    start.lastIndex = at
    const status = Number(start.exec(heard)?.[1] ?? 0)
    const end = heard.indexOf('\r\n\r\n', at)
    if (status === 0 || end < 0) return answers
    const lines = heard.slice(at, end).split('\r\n').slice(1)
    const headers = new Map(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    )
    at = end + 4
    // To HEAD comes the length of what does not follow.
    start.lastIndex = at
    const length = start.test(heard)
      ? 0
      : Number(headers.get('content-length') ?? (status < 200 || status === 204 || status === 304 ? 0 : Infinity))
    const body = heard.slice(at, at + length)
    answers.push({ status, headers, body, whole: body.length === length })
    at += body.length
  }
  return answers
}

/** What is wrong with it, if anything. */
export function wrongWith({ status, headers, body, whole }: RawAnswer): string[] {
  const wrong: string[] = []
  const type = headers.get('content-type') ?? ''
  if (status >= 400) {
    if (!type.startsWith('application/problem+json'))
      wrong.push(`${status} is no problem+json but ${JSON.stringify(type)}`)
    else if (whole && body !== '' && !/"code":"[a-z_]+"/.test(body)) wrong.push(`${status} has no code`)
    else if (whole && body !== '' && !/"detail":"[^"]{10}/.test(body)) wrong.push(`${status} does not say what to do`)
  }
  if (/^text\/(html|javascript|css)|^image\//.test(type)) return wrong
  // Terminals and whoever reads a log are steered by these; JSON has other ways to write them.
  const steering = /\xc2[\x80-\x9f]|\x7f|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]/.exec(body)
  if (steering)
    wrong.push(`${status} ${type} has ${JSON.stringify(Buffer.from(steering[0], 'latin1').toString())} in it as it is`)
  if (Number(headers.get('content-length')) > limits.bytes)
    wrong.push(`${status} ${type} has ${headers.get('content-length')} bytes`)
  return wrong
}
