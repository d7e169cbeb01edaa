// Waiting for something, but not for ever. Leaves no timer behind.

/** The promise's value, or undefined if it takes longer than some ms; with `late` an error that says so. */
export async function within<Value>(ms: number, promise: Promise<Value>, late?: string): Promise<Value | undefined> {
  const { promise: timeout, resolve, reject } = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => (late === undefined ? resolve(undefined) : reject(new Error(late))), Math.max(0, ms))
  try {
    return await Promise.race([promise, timeout])
  } finally {
    clearTimeout(timer)
  }
}
