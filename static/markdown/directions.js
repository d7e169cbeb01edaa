// @ts-check
// The characters that turn the direction of the text behind them. Some scripts need them; but what one text begins with them must end with that
// text, or its writer could turn what stands beside it.

const marks = /[\u202a-\u202e\u2066-\u2069]/
const eachMark = /[\u202a-\u202e\u2066-\u2069\n]/g
const endOfEmbedding = '\u202c'
const endOfIsolate = '\u2069'

/** The same text, in which each line closes what it opens, and closes nothing else. @param {string} text */
export function balanced(text) {
  if (!marks.test(text)) return text
  /** @type {string[]} what closes each that is open, the outermost first */
  let open = []
  const closed = text.replace(eachMark, (mark) => {
    if (mark === '\n') {
      const closing = open.reverse().join('')
      open = []
      return closing + mark
    }
    if (mark !== endOfEmbedding && mark !== endOfIsolate) {
      open.push(mark < endOfIsolate && mark > '\u202e' ? endOfIsolate : endOfEmbedding)
      return mark
    }
    // The end of an isolate ends the embeddings within it too; that of an embedding reaches no further than its isolate.
    const at = mark === endOfIsolate ? open.lastIndexOf(endOfIsolate) : open.length - 1
    if (at < 0 || open[at] !== mark) return ''
    const closing = open.slice(at).reverse().join('')
    open.length = at
    return closing
  })
  return closed + open.reverse().join('')
}
