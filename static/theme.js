// @ts-check
// Light or dark, and how much contrast: by the system, unless something else was chosen here. base.css has a set of roles for each of
// the four. No module, and before all styles: it has to be known which one it is before anything is painted.

{
  const root = document.documentElement
  const scope = `natter${root.dataset['base'] ?? ''}` // as in address.js
  const systemIsDark = matchMedia('(prefers-color-scheme: dark)')
  const systemWantsMore = matchMedia('(prefers-contrast: more)')

  /** @param {string} name */
  const chosen = (name) => {
    try {
      return localStorage.getItem(`${scope}.${name}`)
    } catch {
      return null // storage is forbidden: then it is as the system says
    }
  }

  const show = () => {
    const theme = chosen('theme')
    const dark = theme === 'dark' || (theme !== 'light' && systemIsDark.matches)
    const more = chosen('contrast') === 'more' || systemWantsMore.matches
    root.dataset['theme'] = dark ? 'dark' : 'light'
    root.dataset['contrast'] = more ? 'more' : 'normal'
    // What the browser paints itself: the bars around the page, and its ground while the styles are on their way.
    document.querySelector('meta[name=color-scheme]')?.setAttribute('content', dark ? 'dark' : 'light')
    document
      .querySelector('meta[name=theme-color]')
      ?.setAttribute('content', dark ? (more ? '#000000' : '#141716') : '#ffffff')
  }

  show()
  systemIsDark.addEventListener('change', show)
  systemWantsMore.addEventListener('change', show)
  window.addEventListener('storage', show) // chosen in another tab, or in this one: kept.js tells of both
}
