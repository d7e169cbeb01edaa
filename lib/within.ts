// Waiting for something, but not for ever. Leaves no timer behind.

/** The promise's value, or `late` if it takes longer than some ms. */
export async function within<Value, Late = undefined>(ms: number, promise: Promise<Value>, late?: Late): Promise<Value | Late | undefined> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<Late | undefined>((resolve) => (timer = setTimeout(resolve, Math.max(0, ms), late)))
  try {
    return await Promise.race([promise, timeout])
  } finally {
    clearTimeout(timer)
  }
}
