// @ts-check
// Answers that come too late: by then somebody has gone on to another room, or another person is at the page.

/**
 * Remembers what there is when something is asked for. When the answer comes, the function says whether it is still so:
 *
 *     const isCurrent = unchanged(() => this.#room)
 *     const answer = await request('GET', path)
 *     if (isCurrent()) show(answer)
 *
 * @param {() => unknown} what
 * @returns {() => boolean}
 */
export function unchanged(what) {
  const before = what()
  return () => what() === before
}
