// The address of a direct room, which is made of its two people: whoever knows both knows it, and so it must tell nobody else anything.

/** No name makes a slug that begins like this. */
export function directSlug([one, other]: readonly [number, number]): string {
  return `-${one.toString(36)}-${other.toString(36)}`
}

/** The two whose room has this slug, whether there is one or not; undefined if it is no direct room's. */
export function pairOf(slug: string): [number, number] | undefined {
  const [, one, other] = /^-([0-9a-z]{1,11})-([0-9a-z]{1,11})$/.exec(slug) ?? []
  return one === undefined ? undefined : [Number.parseInt(one, 36), Number.parseInt(other!, 36)]
}
