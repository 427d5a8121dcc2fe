// A term's definition where the term stands: on hover, tap and keyboard focus. And links inside the
// course stay in the tab: the server is asked to switch, since Markdown's links open another one.
const OPEN_MS = 140
const CLOSE_MS = 260  // long enough for the pointer to cross into the definition
const GAP = 8
const EDGE = 12
const TERM = "/glossary?term="
const NAME = "term-in-place-name"
const DEFINITION = "term-in-place-definition"
const instances = new WeakMap()

export default function ({ data, parentElement, setTriggerValue }) {
  let instance = instances.get(parentElement)
  if (!instance) instances.set(parentElement, (instance = start(parentElement.querySelector(".term-in-place"))))
  instance.take(data, setTriggerValue)
  return () => { instance.end(); instances.delete(parentElement) }
}

function start(box) {
  const ending = new AbortController()
  const on = (type, handle, capture = false) => document.addEventListener(type, handle, { signal: ending.signal, capture })
  let packed, read, go
  let link = null  // the link whose definition is shown
  let pinned = false  // opened by tap or Enter: stays when the pointer leaves
  let silent = false  // focus that we move ourselves opens nothing
  let opening = 0, closing = 0, watching = 0

  const known = () => (read ??= JSON.parse(new TextDecoder().decode(packed)))
  const inBox = event => event.composedPath().includes(box)
  const linkOf = event => event.composedPath().find(node => node instanceof HTMLAnchorElement)
  const keyOf = anchor => {
    const href = anchor?.getAttribute("href") ?? ""
    if (!href.startsWith(TERM) || anchor.closest(".term-in-place")) return null
    const key = new URL(href, location.href).searchParams.get("term")
    return Object.hasOwn(known().terms, key) ? key : null
  }

  function open(anchor, { stay = false, at = null } = {}) {
    clearTimeout(closing)
    clearTimeout(opening)
    pinned = stay || (pinned && link === anchor)
    if (link === anchor) return
    close()
    pinned = stay
    link = anchor
    fill(keyOf(anchor))
    box.showPopover()
    place(at)
    anchor.setAttribute("aria-describedby", DEFINITION)
    anchor.setAttribute("aria-expanded", "true")
    watching = setInterval(() => { if (!link.isConnected) close() }, 300)
  }
  function close() {
    clearTimeout(opening)
    clearTimeout(closing)
    clearInterval(watching)
    if (!link) return
    link.removeAttribute("aria-describedby")
    link.removeAttribute("aria-expanded")
    link = null
    pinned = false
    if (box.matches(":popover-open")) box.hidePopover()
  }
  function fill(key) {
    const { term, definition, source } = known().terms[key]
    const { glossary, from } = known().labels
    box.innerHTML = `<p class="name" id="${NAME}">${term}</p><p class="definition" id="${DEFINITION}">${definition}</p>` +
      `<p class="foot"><a class="entry" href="${TERM}${key}">${glossary}</a><span class="source">${from} ${source}</span></p>`
    if (!source) box.querySelector(".source").remove()
    for (const outside of box.querySelectorAll('a[href^="http"]')) Object.assign(outside, { target: "_blank", rel: "noopener" })
  }
  function place(at) {
    if (!link) return
    const rects = [...link.getClientRects()]
    const rect = rects.find(each => at && at.y >= each.top - 2 && at.y <= each.bottom + 2 && at.x >= each.left - 2 && at.x <= each.right + 2) ?? rects[0]
    if (!rect || rect.bottom < 0 || rect.top > innerHeight) return close()
    const width = document.documentElement.clientWidth
    box.style.maxHeight = "none"
    const below = innerHeight - rect.bottom - GAP - EDGE
    const above = rect.top - GAP - EDGE
    const up = box.offsetHeight > below && above > below
    box.style.maxHeight = `${Math.max(up ? above : below, 80)}px`
    box.style.left = `${Math.max(EDGE, Math.min(rect.left - EDGE, width - EDGE - box.offsetWidth))}px`
    box.style.top = `${up ? Math.max(EDGE, rect.top - GAP - box.offsetHeight) : rect.bottom + GAP}px`
  }
  function focus(node) {
    silent = true
    node.focus()
    silent = false
  }

  on("pointerover", event => {
    if (event.pointerType === "touch") return
    if (inBox(event)) return clearTimeout(closing)
    const anchor = linkOf(event)
    if (!keyOf(anchor)) return
    clearTimeout(closing)
    clearTimeout(opening)
    const at = { x: event.clientX, y: event.clientY }
    opening = setTimeout(() => open(anchor, { at }), OPEN_MS)
  })
  on("pointerout", event => {
    clearTimeout(opening)
    if (event.pointerType === "touch" || !link || pinned || !(inBox(event) || linkOf(event) === link)) return
    clearTimeout(closing)
    closing = setTimeout(() => { if (!link?.matches(":focus-visible") && !box.contains(document.activeElement)) close() }, CLOSE_MS)
  })
  on("pointerdown", event => { if (link && !inBox(event) && linkOf(event) !== link) close() }, true)
  on("focusin", event => {
    if (silent || inBox(event)) return
    const anchor = linkOf(event)
    if (anchor?.matches(":focus-visible") && keyOf(anchor)) open(anchor)
    else if (link && anchor !== link) close()
  })
  on("click", event => {
    if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.defaultPrevented) return
    const anchor = linkOf(event)
    if (!anchor) return
    if (keyOf(anchor)) {
      event.preventDefault()
      event.stopPropagation()
      if (link === anchor && pinned) return close()
      open(anchor, { stay: true, at: event.detail ? { x: event.clientX, y: event.clientY } : null })
      if (!event.detail) focus(box)  // by keyboard: the definition is read out
      return
    }
    const to = within(anchor, known().paths)
    if (!to) return
    event.preventDefault()
    close()
    go("go", to)
  }, true)
  on("keydown", event => {
    if (!link) return
    const inside = inBox(event)
    const anchor = link
    if (event.key === "Escape") {
      event.stopPropagation()
      close()
      if (inside) focus(anchor)
    }
    if (event.key !== "Tab") return
    const stops = [...box.querySelectorAll("a")]
    const from = event.composedPath()[0]
    if (!inside && from === link && !event.shiftKey) {
      event.preventDefault()
      focus(stops[0])
    } else if (inside && event.shiftKey && (from === stops[0] || from === box)) {
      event.preventDefault()
      focus(anchor)
    } else if (inside && !event.shiftKey && from === stops.at(-1)) {
      focus(anchor)  // the key then leads on from the term
      close()
    }
  }, true)
  on("scroll", event => { if (event.target !== box) place(null) }, true)
  addEventListener("resize", () => place(null), { signal: ending.signal })

  return {
    take: (data, setTriggerValue) => {
      if (packed !== data) read = undefined
      packed = data
      go = setTriggerValue
    },
    end: () => { close(); ending.abort() },
  }
}

// Where a link leads inside the course, or null. Streamlit's own links know their way.
function within(anchor, paths) {
  const href = anchor.getAttribute("href") ?? ""
  if (!href.startsWith("/") || anchor.closest("[data-testid=stSidebarNav], [data-testid=stPageLink]")) return null
  const to = new URL(href, location.href)
  const path = to.pathname.slice(1)
  if (to.origin !== location.origin || !paths.includes(path)) return null
  return { path, query: Object.fromEntries(to.searchParams) }
}
