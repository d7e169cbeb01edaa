// @ts-check
// Loads the page again when a part of it could not be had: the server was stopped just then, the network was gone, or another
// version of natter has come since, which has other files than this page asks for. No module, and at a path of its own that
// is the same in all versions, so that it is there when nothing else is.

{
  // By chance, so that a server that comes back is not met by all at once; and not so soon if the page was loaded again already.
  const [entry] = performance.getEntriesByType('navigation')
  const again = entry instanceof PerformanceNavigationTiming && entry.type === 'reload'
  const [waitMsMin, waitMsMax] = again ? [5_000, 30_000] : [1_000, 5_000]
  let underWay = false

  /** @param {number} ms */
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

  const loadAgain = async () => {
    if (underWay) return
    underWay = true
    for (;;) {
      await wait(waitMsMin + Math.random() * (waitMsMax - waitMsMin))
      // Only once there is a page to load: the browser's own page, which says that there is none, would stay for good.
      const answer = await fetch(location.href, {
        method: 'HEAD',
        headers: { accept: 'text/html' },
        cache: 'no-store',
      }).catch(() => null)
      if (answer?.ok) return location.reload()
    }
  }

  // What fails to load is told to its element alone: it doesn't bubble.
  document.addEventListener(
    'error',
    ({ target }) => {
      if (target instanceof HTMLScriptElement || (target instanceof HTMLLinkElement && target.rel === 'stylesheet'))
        void loadAgain()
    },
    true,
  )
  document.addEventListener('missing', () => void loadAgain()) // one that was imported later; see parts.js
}
