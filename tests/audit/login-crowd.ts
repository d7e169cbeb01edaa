// A process of its own that has many people log in at once, again and again until it is told to stop; then it says in a line of
// JSON how they were answered.

import { Agent, request } from 'node:http'

const [url = '', count = '0'] = process.argv.slice(2)
const agent = new Agent({ keepAlive: true, maxSockets: Number(count) })
const answers: Record<string, number> = {}
let stopping = false
let crowds = 0
process.once('SIGTERM', () => (stopping = true))

function logIn(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const body = JSON.stringify({ name, password: 'what was it again' })
    const asking = request(
      `${url}/session`,
      { agent, method: 'POST', headers: { 'content-type': 'application/json', 'content-length': body.length } },
      (answer) => {
        answers[answer.statusCode!] = (answers[answer.statusCode!] ?? 0) + 1
        answer.resume().on('end', resolve)
      },
    )
    asking.on('error', reject).end(body)
  })
}

do {
  // Nobody of these has an account, which takes as long to find out.
  await Promise.all(Array.from({ length: Number(count) }, (_, at) => logIn(`nobody ${crowds} ${at}`)))
  crowds++
} while (!stopping)
process.stdout.write(`${JSON.stringify({ crowds, answers })}\n`)
process.exit()
