// The stage of a derivation. Every line is here already; stepping is local and the server hears of it.
// Pieces that carry the same data-id in two lines fly from their old place to the new one (FLIP).
const stages = new WeakMap()  // root -> {at, id}
const MOVE = { duration: 620, easing: "cubic-bezier(.3,.1,.2,1)" }
const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches

export default function ({ data: packed, parentElement, setStateValue }) {
  const data = JSON.parse(new TextDecoder().decode(packed))
  const root = parentElement.querySelector(".stage")
  let stage = stages.get(root)
  if (!stage || stage.id !== data.id) {
    stage?.end()
    stage = build(root, data, setStateValue)
    stages.set(root, stage)
  }
  stage.follow(data.line)
  stage.refit()
  return () => { stages.get(root)?.end(); stages.delete(root) }
}

function make(tag, attributes = {}, html = "") {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value)
  node.innerHTML = html
  return node
}

function build(root, data, setStateValue) {
  const lines = data.lines
  const labels = data.labels
  let at = Math.max(0, lines.findIndex(line => line.id === data.line))
  let telling = null
  let server = data.line  // the line the server spoke of last
  const said = new Set()  // lines it was told of and has not answered yet: its answer is no news
  let played = Promise.resolve()  // lines are played one after the other, the last one in full

  const board = make("div", { class: "board", role: "group", tabindex: "0", "aria-label": labels.board })
  const sheet = make("div", { class: "sheet" })
  const spoken = make("div", { class: "hidden", "aria-live": "polite" })
  board.append(sheet)
  const ticks = make("div", { class: "ticks", role: "group", "aria-label": labels.lines })
  ticks.append(...lines.map((line, k) => {
    const tick = make("button", { type: "button", "aria-label": `${labels.line} ${k + 1}: ${line.rule}`, title: `${k + 1} · ${line.rule}` })
    tick.onclick = () => go(k)
    return tick
  }))
  const previous = make("button", { type: "button", class: "step previous" }, labels.previous)
  const next = make("button", { type: "button", class: "step next" }, labels.next)
  const where = make("div", { class: "where" })
  previous.onclick = () => go(at - 1)
  next.onclick = () => go(at + 1)
  const controls = make("div", { class: "controls" })
  controls.append(previous, where, next)
  const readings = make("div", { class: "readings" })
  readings.append(...lines.map(line => make("div", { class: "reading" }, line.reading)))
  root.replaceChildren(board, spoken, ...(lines.length > 1 ? [ticks, controls] : []), readings)

  root.classList.toggle("single", lines.length === 1)
  const narrow = () => root.clientWidth < 560
  const markup = line => (narrow() ? line.narrow : line.wide)

  function fit() {
    sheet.style.fontSize = ""
    const math = sheet.querySelector("math")
    if (!math) return
    math.style.fontSize = ""
    for (let tries = 0; tries < 3; tries++) {  // spacing does not shrink with the type: look again
      const room = Math.min(board.clientWidth / sheet.offsetWidth, lines.length > 1 ? (board.clientHeight - 8) / sheet.offsetHeight : 1)
      if (room >= 1) return
      math.style.fontSize = `${parseFloat(getComputedStyle(math).fontSize) * room * 0.98}px`
    }
  }
  function label() {
    const line = lines[at]
    where.innerHTML = `${labels.line} ${at + 1} ${labels.of} ${lines.length}<span class="rule"></span>`
    where.querySelector(".rule").textContent = line.rule
    spoken.textContent = `${labels.line} ${at + 1}: ${line.spoken}`
    previous.disabled = at === 0
    next.disabled = at === lines.length - 1
    ;[...ticks.children].forEach((tick, k) => {
      tick.toggleAttribute("data-past", k < at)
      if (k === at) tick.setAttribute("aria-current", "step"); else tick.removeAttribute("aria-current")
    })
    ;[...readings.children].forEach((reading, k) => {
      reading.toggleAttribute("data-on", k === at)
      reading.inert = k !== at
    })
  }
  function go(k, { silent = false } = {}) {
    if (k === at || k < 0 || k >= lines.length) return
    const forward = k === at + 1
    const focused = root.getRootNode().activeElement
    at = k
    label()
    if ((focused === next && next.disabled) || (focused === previous && previous.disabled)) board.focus({ preventScroll: true })
    clearTimeout(telling)
    if (!silent) telling = setTimeout(() => { said.add(lines[at].id); setStateValue("line", lines[at].id) }, 120)
    board.getAnimations({ subtree: true }).forEach(animation => animation.finish())
    played = played.then(() => play(k, forward))
  }
  async function play(k, forward) {
    const swap = () => { sheet.innerHTML = markup(lines[k]); fit() }
    if (forward && k === at && !calm()) await meet(sheet)
    if (k === at && !calm()) return move(sheet, board, swap)
    swap()  // the reader is ahead of this line already, or wants no motion
  }
  function keys(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (!step || event.altKey || event.ctrlKey || event.metaKey || lines.length < 2) return
    const inside = event.composedPath().includes(root)
    if (!inside && !(inView && event.target === document.body)) return
    event.preventDefault()
    go(at + step)
  }
  let inView = false
  let width = root.clientWidth
  const watcher = new IntersectionObserver(([entry]) => { inView = entry.intersectionRatio > 0.6 }, { threshold: [0, 0.6, 1] })
  watcher.observe(board)
  const sizes = new ResizeObserver(() => { if (root.clientWidth !== width) { width = root.clientWidth; sheet.innerHTML = markup(lines[at]); fit() } })
  sizes.observe(root)
  document.addEventListener("keydown", keys)
  sheet.innerHTML = markup(lines[at])
  label()
  fit()
  document.fonts?.ready.then(fit)
  return {
    id: data.id,
    follow: line => {  // Back, Forward and links move the server first
      if (line === server) return
      server = line
      if (!said.delete(line)) go(lines.findIndex(each => each.id === line), { silent: true })
    },
    refit: () => fit(),
    end: () => { watcher.disconnect(); sizes.disconnect(); document.removeEventListener("keydown", keys); clearTimeout(telling) },
  }
}

// The twins that cancel fly to the point between them, and vanish there.
async function meet(sheet) {
  const twins = [...sheet.querySelectorAll("[data-cancel]")].filter(twin => !twin.parentElement.closest("[data-cancel]"))
  if (twins.length !== 2) return
  const [a, b] = twins.map(twin => twin.getBoundingClientRect())
  const x = (a.x + a.width / 2 + b.x + b.width / 2) / 2
  const y = Math.max(sheet.parentElement.getBoundingClientRect().y, sheet.getBoundingClientRect().y - a.height)
  const flights = twins.map((twin, i) => {
    const from = i ? b : a
    const dx = x - (from.x + from.width / 2)
    const dy = y - from.y
    return twin.animate([
      { transform: "none", opacity: 1 },
      { transform: `translate(${dx * 0.55}px, ${dy}px)`, opacity: 1, offset: 0.45 },
      { transform: `translate(${dx}px, ${dy}px)`, opacity: 1, offset: 0.75 },
      { transform: `translate(${dx}px, ${dy}px) scale(0.3)`, opacity: 0 },
    ], { duration: 1150, easing: "ease-in-out", fill: "forwards" }).finished
  })
  await Promise.all(flights)
}

async function move(sheet, board, swap) {
  const places = new Map([...sheet.querySelectorAll("[data-id]")].map(node => [node.dataset.id, node.getBoundingClientRect()]))
  const ghost = sheet.cloneNode(true)
  const from = sheet.getBoundingClientRect()
  const ground = board.getBoundingClientRect()
  const gone = [...sheet.querySelectorAll("[data-cancel]")].map(node => node.dataset.id)
  swap()
  const fresh = [...sheet.querySelectorAll("[data-id]")]
  const stays = new Set(fresh.map(node => node.dataset.id))
  for (const node of ghost.querySelectorAll("[data-id]"))
    if (stays.has(node.dataset.id) || gone.includes(node.dataset.id)) node.style.visibility = "hidden"
  Object.assign(ghost.style, { position: "absolute", left: `${from.x - ground.x}px`, top: `${from.y - ground.y}px` })
  ghost.setAttribute("aria-hidden", "true")
  board.append(ghost)
  const flights = [ghost.animate([{ opacity: 1 }, { opacity: 0 }], { duration: 220, fill: "forwards" }).finished.then(() => ghost.remove())]
  const moved = fresh.filter(node => places.has(node.dataset.id) && !node.parentElement.closest("[data-moves]") && (node.dataset.moves = "1"))
  for (const node of moved) {
    const old = places.get(node.dataset.id)
    const now = node.getBoundingClientRect()
    const scale = now.height ? Math.min(2, Math.max(0.5, old.height / now.height)) : 1
    node.style.transformOrigin = "0 0"
    flights.push(node.animate([
      { transform: `translate(${old.x - now.x}px, ${old.y - now.y}px) scale(${scale})` }, { transform: "none" },
    ], MOVE).finished)
  }
  for (const leaf of sheet.querySelectorAll("mi, mo, mn, mtext"))
    if (!leaf.closest("[data-moves]"))
      flights.push(leaf.animate([{ opacity: 0 }, { opacity: 0, offset: 0.5 }, { opacity: 1 }], { duration: MOVE.duration }).finished)
  await Promise.all(flights)
  for (const node of moved) delete node.dataset.moves
}
