// What people do at the page, in a browser of a test.

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { patienceMs } from '../chat-server.ts'

export interface Visit {
  page: Page
  /** All that must not happen: errors, reports of the content security policy, boxes that pop up. */
  faults: string[]
  /** The URL of every request that the page sent, as it went out. */
  requests: string[]
}

export interface VisitOptions extends BrowserContextOptions {
  path?: string
  /** What is there once the page has done its work. */
  until?: string
}

/**
 * Asks for the page's files as they are. Each server packs them when they are first asked for, as small as can be: with a server for each test
 * that would take longer than many a test.
 */
export const unpacked = { 'accept-encoding': 'identity' }

/** A page of its own in a profile of its own, of somebody who wants nothing to move: what moves can't be pressed before it stands. */
export async function visit(
  browser: Browser,
  { url }: { url: string },
  { path = '/', until = '#connection[data-state=live]', extraHTTPHeaders, ...options }: VisitOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({
    reducedMotion: 'reduce',
    ...options,
    extraHTTPHeaders: { ...unpacked, ...extraHTTPHeaders },
  })
  const page = await context.newPage()
  const faults: string[] = []
  const requests: string[] = []
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on(
    'console',
    (message) => /Content Security Policy|TrustedHTML/i.test(message.text()) && faults.push(message.text()),
  )
  page.on('request', (request) => requests.push(request.url()))
  page.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`)
    dialog.dismiss().catch(() => {})
  })
  await page.goto(url + path)
  await page.locator(until).waitFor({ state: 'attached' })
  return { page, faults, requests }
}

export async function comeIn(page: Page, name: string): Promise<void> {
  await page.locator('#name').fill(name)
  await page.getByRole('button', { name: 'Come in', exact: true }).click()
  await page.locator('#text').waitFor()
}

export async function logIn(page: Page, name: string, password: string): Promise<void> {
  // Who logged in before finds the form as they left it.
  if (!(await page.locator('#password').isVisible()))
    await page.getByRole('button', { name: 'Log in with a password' }).click()
  await page.locator('#name').fill(name)
  await page.locator('#password').fill(password)
  await page.getByRole('button', { name: 'Log in', exact: true }).click()
}

export async function say(page: Page, text: string): Promise<void> {
  await page.locator('#text').fill(text)
  await page.locator('#text').press('Enter')
}

/** Messages that the server has confirmed. */
export const confirmed = '.message:not([data-state]) .text'

export function sees(page: Page, text: string): Promise<void> {
  return page.locator(confirmed, { hasText: text }).first().waitFor()
}

/** Waits until the part of that id is where the keys go. */
export function hasFocus(page: Page, id: string): Promise<void> {
  return page.locator(`#${id}:focus`).waitFor({ state: 'attached' })
}

/**
 * Waits until what is read on the page is this: it gets there in its own time, and what it shows meanwhile is nothing to go by. What it should
 * have been is told as by `assert`.
 */
export async function becomes<Value>(expected: Value, read: () => Promise<Value>): Promise<void> {
  const end = performance.now() + patienceMs
  while (!isDeepStrictEqual(await read(), expected) && performance.now() < end) await sleep(20)
  assert.deepEqual(await read(), expected)
}

/** Scrolls to an end of the messages again and again, as more of them come, until it is there. */
export async function scrollUntil(page: Page, there: Locator, way: 'up' | 'down'): Promise<void> {
  const late = performance.now() + 2 * patienceMs
  while ((await there.count()) === 0) {
    assert.ok(performance.now() < late, 'however far one scrolls, it does not come')
    await page.evaluate(`new Promise((resolve) => {
      const log = document.getElementById('log')
      log.scrollTop = ${way === 'up' ? 0 : 'log.scrollHeight'}
      setTimeout(resolve, 20)
    })`)
  }
}

/** Makes an account at the door. */
export async function register(page: Page, name: string, password: string): Promise<void> {
  await page.getByRole('button', { name: 'Make an account' }).click()
  await page.locator('#name').fill(name)
  await page.locator('#password').fill(password)
  await page.getByRole('button', { name: 'Make the account' }).click()
  await page.locator('#text').waitFor()
}

export async function makeRoom(page: Page, name: string, { private: hidden = false } = {}): Promise<void> {
  await page.getByRole('button', { name: 'New room' }).click()
  await page.locator('#new-room-name').fill(name)
  if (hidden) await page.getByLabel('Private').check()
  await page.getByRole('button', { name: 'Make', exact: true }).click()
  await page.locator('#room-name', { hasText: name }).waitFor()
}

export async function openAccount(page: Page): Promise<void> {
  await page.locator('#me').click()
  await page.locator('#account[open]').waitFor()
}

export async function openPeople(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'People in this room' }).click()
  await page.locator('#people[open]').waitFor()
}
