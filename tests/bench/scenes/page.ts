// What somebody waits for who opens the page for the first time, in a real browser.

import { get } from 'node:http'
import { launch, missing } from '../../browser/chromium.ts'
import { visit } from '../../browser/visit.ts'
import { middleOf, withServer, type Figures, type Scene } from '../scene.ts'

const oldMessages = 1_000_000
const visits = 5
const lastMessage = '.message:last-child .text'

const firstLoad: Scene = {
  name: 'page',
  work: 'first load of the page, until its messages are seen',
  unit: 'ms',
  peers: ['natter'],
  rounds: 1,
  oldMessages,
  cannotRun: () => missing || undefined,
  run: async (peer, place) =>
    withServer(peer, place.leftovers, await place.filledFolder(oldMessages), ({ port }) =>
      firstLoads(`http://127.0.0.1:${port}`),
    ),
}

/** The very first visitor waits until the files are packed, too. All have a browser that knows nothing of the page. */
async function firstLoads(url: string): Promise<Figures> {
  const browser = await launch()
  try {
    const tookMs: number[] = []
    let asked: string[] = []
    for (let number = 0; number <= visits; number++) {
      const began = performance.now()
      const { page, requests } = await visit(browser, { url }, { until: lastMessage })
      tookMs.push(performance.now() - began)
      asked = requests
      await page.context().close()
    }
    const [veryFirst, ...others] = tookMs
    const bytes = { br: await bytesOf(asked, 'br'), gzip: await bytesOf(asked, 'gzip') }
    const waited = `of ${visits}, ${Math.max(...others).toFixed(0)} at most, and ${veryFirst!.toFixed(0)} of who comes first of all`
    return {
      value: middleOf(others),
      note: `${waited}; ${asked.length} requests, messages and all ${kiB(bytes.br)} by brotli, ${kiB(bytes.gzip)} by gzip`,
    }
  } finally {
    await browser.close()
  }
}

/** Of the bodies of these answers, as they go over the wire to somebody who takes this encoding. A stream of events has no end, and hardly a byte. */
async function bytesOf(urls: readonly string[], encoding: 'br' | 'gzip'): Promise<number> {
  const finite = urls.filter((url) => new URL(url).pathname !== '/events')
  const bytes = await Promise.all(finite.map((url) => bodyBytes(url, encoding)))
  return bytes.reduce((sum, some) => sum + some, 0)
}

function bodyBytes(url: string, encoding: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { headers: { 'accept-encoding': encoding } }, (response) => {
      let bytes = 0
      response.on('data', (chunk: Buffer) => (bytes += chunk.length))
      response.on('end', () => resolve(bytes))
      response.on('error', reject)
    }).on('error', reject)
  })
}

function kiB(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`
}

export const page: readonly Scene[] = [firstLoad]
