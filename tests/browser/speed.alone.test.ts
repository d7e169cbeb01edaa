// How quick the page stays: while one types in a room of ten thousand messages, and while everybody talks at once.
// NATTER_FULL=1 holds it to its figures, which need a machine that is quiet.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fillFolder } from '../audit/filled-folder.ts'
import { startChat, temporaryFolder } from '../chat-server.ts'
import { skip, startBrowser } from './browser.ts'
import { comeIn, confirmed, sees, visit } from './visit.ts'

const full = process.env['NATTER_FULL'] !== undefined
const at = (times: number[], part: number) => times.sort((one, other) => one - other)[Math.floor(times.length * part)]!

test('a character that is typed in a room of ten thousand messages is there within a frame', {
  skip,
  timeout: 120_000,
}, async (t) => {
  const data = await temporaryFolder(t)
  await fillFolder(
    data,
    10_000,
    () => {},
    (message) => `message ${message} with **some** words, a [mark] and https://example.org/${message}`,
  )
  const chat = await startChat(t, { data })
  const browser = await startBrowser(t)
  const { page, faults } = await visit(browser, chat)
  await comeIn(page, 'ada')
  await sees(page, 'message 9999')
  // Up until no more is kept: what one reads along with is a part of it, however far one has scrolled.
  for (
    let before = 0, kept = await page.locator('.message').count();
    kept > before;
    kept = await page.locator('.message').count()
  ) {
    before = kept
    await page.evaluate(
      `new Promise((resolve) => { document.getElementById('log').scrollTop = 0; setTimeout(resolve, 150) })`,
    )
  }
  const kept = await page.locator('.message').count()
  assert.ok(kept >= 500, `${kept} are kept`)

  await page.evaluate(`{
    window.keys = []
    const field = document.getElementById('text')
    // What is done for a key, and the layout that it asks for.
    field.addEventListener('keydown', () => { window.began = performance.now() }, true)
    window.addEventListener('input', () => {
      document.getElementById('log').getBoundingClientRect()
      window.keys.push(performance.now() - window.began)
    })
  }`)
  await page.locator('#text').focus()
  for (const letter of 'what is typed here is some 100 characters long, and @goes on 😀 a little :while until the line is full, at last')
    await page.keyboard.type(letter)
  const keys = await page.evaluate<number[]>('window.keys')

  assert.ok(keys.length > 90)
  t.diagnostic(
    `with ${kept} of 10,000 messages on the page, a character takes ${at(keys, 0.5).toFixed(1)} ms, p99 ${at(keys, 0.99).toFixed(1)} ms`,
  )
  if (full) assert.ok(at(keys, 0.99) < 16)
  assert.ok(at(keys, 0.5) < 16)
  assert.deepEqual(faults, [])
})

test('five hundred messages in a second leave the page smooth', { skip, timeout: 120_000 }, async (t) => {
  const chat = await startChat(t)
  const browser = await startBrowser(t)
  const people = await Promise.all(Array.from({ length: 10 }, (_, at) => chat.comeIn(`person ${at}`)))
  const { page, faults } = await visit(browser, chat)
  await comeIn(page, 'ada')
  for (const person of people) await person.say('lobby', 'hello')
  const frames = `new Promise((resolve) => {
    const times = []
    const frame = (time) => {
      times.push(time)
      if (window.over?.()) resolve(times)
      else requestAnimationFrame(frame)
    }
    requestAnimationFrame(frame)
  })`

  // How many frames are dropped here while nothing happens is this machine's.
  await page.evaluate('{ const end = performance.now() + 1000; window.over = () => performance.now() > end }')
  const idle = dropped(await page.evaluate<number[]>(frames))
  await page.evaluate(
    `window.over = () => document.querySelector('.message:last-child .text')?.textContent.includes('the last of all')`,
  )
  const busy = page.evaluate<number[]>(frames)
  const began = performance.now()
  for (let tick = 0; tick < 20; tick++) {
    await Promise.all(
      people.flatMap((person, who) =>
        Array.from({ length: tick === 19 && who === 9 ? 0 : 2 }, (_, one) =>
          person.say('lobby', `**${tick}** of ${one}, said by ${who} with https://example.org/${tick}`),
        ),
      ),
    )
    await Promise.all(people.slice(0, 5).map((person) => person.say('lobby', 'and one more')))
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, began + (tick + 1) * 50 - performance.now())))
  }
  const said = performance.now() - began
  await people[0]!.say('lobby', 'the last of all')
  const drops = dropped(await busy)

  t.diagnostic(
    `${((500 / said) * 1000).toFixed(0)} messages a second: ${drops.missed} of ${drops.all} frames dropped (${idle.missed} of ${idle.all} while nothing was said)`,
  )
  await page.locator(confirmed, { hasText: 'the last of all' }).waitFor()
  if (full) assert.ok(drops.missed / drops.all - idle.missed / idle.all <= 0.1)
  assert.deepEqual(faults, [])
})

/** At sixty a second. */
function dropped(times: number[]): { missed: number; all: number } {
  const all = Math.round((times.at(-1)! - times[0]!) / (1000 / 60))
  return { missed: Math.max(0, all - (times.length - 1)), all }
}
