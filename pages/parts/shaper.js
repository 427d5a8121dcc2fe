// Distributions shaped by hand. Bars sum to one; below them every number is also an area.
// All of it is computed here while a bar moves; the server is told once, when it is let go.
const shapers = new WeakMap()  // root -> shaper
const WHOLE = 1000  // shares are whole tenths of a percent
const TOPS = { nats: [1, 2, 3, 4, 5, 7, 14, 28], bits: [1.5, 3, 4, 5, 7, 10, 20, 40] }  // heights of an area's axis
const KEY_PAUSE_MS = 450  // keys pressed in a row are one change

export default function ({ data: packed, parentElement, setTriggerValue }) {
  const data = JSON.parse(new TextDecoder().decode(packed))
  const root = parentElement.querySelector(".shaper")
  let shaper = shapers.get(root)
  if (!shaper || shaper.name !== data.name) {
    shaper?.end()
    shaper = build(root, data)
    shapers.set(root, shaper)
  }
  shaper.send = texts => setTriggerValue("shaped", { texts, nonce: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` })
  shaper.follow(data)
  return () => { shapers.get(root)?.end(); shapers.delete(root) }
}

// --- the mathematics, in nats ----------------------------------------------------------------------

const parse = text => text.trim().replace(/^[\s,;]+|[\s,;]+$/g, "").split(/[\s,;]+/).map(Number)
const sum = values => values.reduce((total, value) => total + value, 0)
const shares = weights => { const total = sum(weights); return weights.map(weight => weight / total) }
const text = weights => weights.map(weight => String(+(weight.toPrecision(12)))).join(",")
const surprisal = p => (p > 0 ? 0 - Math.log(p) : Infinity)
const entropy = p => sum(p.map(x => (x > 0 ? x * surprisal(x) : 0)))
const logRatio = (x, y) => (x > 0 ? (y > 0 ? Math.log(x / y) : Infinity) : y > 0 ? -Infinity : 0)
const divergence = (front, other) => Math.max(0, sum(front.map((x, i) => (x > 0 ? x * logRatio(x, other[i]) : 0))))

// One outcome takes `value` tenths; the others share the rest in the proportions of `base`.
// Who had something keeps at least a tenth as long as there is one: zero is for who presses to it.
function rebalance(base, changed, value) {
  const taken = Math.max(0, Math.min(WHOLE, Math.round(value)))
  const others = base.map((share, i) => (i === changed ? 0 : share))
  const mass = sum(others)
  const alive = others.map((share, i) => i !== changed && (share > 0 || mass === 0))
  const count = alive.filter(Boolean).length
  const rest = WHOLE - taken
  const exact = others.map((share, i) => (alive[i] ? rest * (mass > 0 ? share / mass : 1 / count) : 0))
  const whole = exact.map(share => Math.floor(share + 1e-9))
  let left = rest - sum(whole)
  const order = exact.map((_, i) => i).filter(i => alive[i]).sort((a, b) => exact[b] - whole[b] - (exact[a] - whole[a]))
  for (const i of order) if (left-- > 0) whole[i] += 1
  if (rest >= count) for (const i of order) if (whole[i] === 0) { whole[i] = 1; whole[whole.indexOf(Math.max(...whole))] -= 1 }
  return whole.map((tenths, i) => (i === changed ? taken : tenths) / 10)
}

function even(n) {
  const least = Math.floor(WHOLE / n)
  return Array.from({ length: n }, (_, i) => (least + (i < WHOLE - least * n ? 1 : 0)) / 10)
}

// --- numbers as they are read ----------------------------------------------------------------------

const minus = shown => shown.replace("-", "−")
const fixed = (value, digits) => (Number.isFinite(value) ? minus((Math.abs(value) < 0.5 / 10 ** digits ? 0 : value).toFixed(digits)) : value > 0 ? "∞" : "−∞")
const percent = share => { const shown = 100 * share; return `${+shown.toFixed(shown > 0 && shown < 0.1 ? 3 : 1)}%` }

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node[name] = value
    else if (value !== false && value != null) node.setAttribute(name, value === true ? "" : value)
  }
  node.append(...children)
  return node
}

// --- the widget ------------------------------------------------------------------------------------

function build(root, first) {
  let data = first
  let weights = data.shapes.map(shape => parse(shape.weights))
  let server = null  // what the server spoke of last
  const sent = new Set()  // what it was told and has not answered yet: its answer is no news
  const past = []
  let gesture = null  // {s, i, start, dragging, timer}: one change of one bar, however many moves
  let anchor = null  // {s, i, base}: the proportions that the others come back to
  let looked = null  // the outcome that is looked at
  let parts = null
  const labels = data.labels
  const nodes = { legend: element("div", { class: "legend" }), plot: element("div"), tools: element("div", { class: "tools" }), areas: element("div", { class: "areas" }), spoken: element("div", { class: "hidden", "aria-live": "polite" }) }
  const self = { name: data.name, send: () => {}, follow, end }
  root.replaceChildren(nodes.legend, nodes.plot, nodes.tools, nodes.areas, nodes.spoken)

  const inUnit = nats => (data.unit === "bits" ? nats / Math.LN2 : nats)
  const joined = () => weights.map(text).join("|")
  const copy = () => weights.map(side => [...side])
  const size = () => weights[0].length
  const two = () => weights.length === 2

  function follow(fresh) {  // units, links, Back and Forward move the server first
    const other = fresh.unit !== data.unit || !parts
    data = fresh
    const said = fresh.shapes.map(shape => shape.weights)
    const there = said.map(each => text(parse(each))).join("|")
    if (there === joined()) { server = there; sent.clear() }
    else if (there !== server) {
      server = there
      if (!sent.delete(there) && !gesture) { if (parts) past.push(copy()); anchor = null; weights = said.map(parse) }
    }
    if (other || parts.size !== size()) draw()
    show()
  }

  function end() { clearTimeout(gesture?.timer); sizes.disconnect() }
  const sizes = new ResizeObserver(() => parts && labelBlocks())
  sizes.observe(root)

  // A change: begun, moved any number of times, finished once.
  function begin(s, i, dragging) {
    if (gesture && (gesture.s !== s || gesture.i !== i || gesture.dragging !== dragging)) finish()
    if (!anchor || anchor.s !== s || anchor.i !== i) anchor = { s, i, base: shares(weights[s]) }
    gesture ??= { s, i, start: copy(), dragging, timer: 0 }
    root.classList.toggle("moving", dragging)
    looked = i
  }
  function change(tenths) {
    weights[gesture.s] = rebalance(anchor.base, gesture.i, tenths)
    show()
  }
  function finish() {
    if (!gesture) return
    clearTimeout(gesture.timer)
    const start = gesture.start
    gesture = null
    root.classList.remove("moving")
    commit(start)
  }
  function cancel() {
    if (!gesture) return
    weights = gesture.start
    anchor = null
    finish()
    show()
  }
  function commit(start) {
    show()
    const now = joined()
    if (start.map(text).join("|") === now) return
    past.push(start)
    if (past.length > 100) past.shift()
    tools()
    nodes.spoken.textContent = summary()
    sent.add(now)
    self.send(weights.map(text))
  }
  function replace(fresh) {  // by a button
    finish()
    const start = copy()
    anchor = null
    weights = fresh
    if (parts.size !== size()) draw()
    commit(start)
  }
  function undo() {
    finish()
    const before = past.pop()
    if (!before) return
    replace(before)
    past.pop()  // going back is no change to go back from
    tools()
  }

  // --- what stands there ---------------------------------------------------------------------------

  function draw() {
    parts = { size: size(), tracks: [], cells: [], areas: [] }
    legend()
    plot()
    nodes.areas.replaceChildren(...(two() ? [area(0, 1), area(1, 0)] : [area(0, null)]))
    nodes.areas.classList.toggle("pair", two())
    toolbar()
  }

  function legend() {
    nodes.legend.replaceChildren(...data.shapes.map((shape, s) => element("div", { class: `key ${shape.role}` },
      element("span", { class: "swatch", "aria-hidden": "true" }), element("span", { class: "symbol" }, shape.symbol), element("span", { class: "title" }, shape.title),
      element("button", { type: "button", "aria-label": `${labels.uniform}: ${shape.symbol}`, onclick: () => { const fresh = copy(); fresh[s] = even(size()); replace(fresh) } }, labels.uniform))))
  }

  function plot() {
    const n = size()
    const axis = element("div", { class: "axis", "aria-hidden": "true" }, ...["100%", "50%", "0"].map(mark => element("span", {}, mark)))
    const columns = data.outcomes.slice(0, n).map((name, i) => element("div", { class: "column" }, ...weights.map((_, s) => track(s, i, name))))
    const bars = element("div", { class: "bars", role: "group", "aria-label": labels.shape }, axis, ...columns)
    const row = (head, kind) => {
      const cells = data.outcomes.slice(0, n).map(() => element("span"))
      parts.cells.push({ kind, cells })
      return [element("span", { class: `head ${kind.role ?? ""}` }, head), ...cells]
    }
    const [one, other] = data.shapes
    const rows = [element("span"), ...data.outcomes.slice(0, n).map(name => element("span", { class: "name" }, name))]
    data.shapes.forEach((shape, s) => rows.push(...row(shape.symbol, { of: "share", s, role: shape.role })))
    if (two()) rows.push(...row(`log ${one.symbol}/${other.symbol}`, { of: "ratio" }))
    else rows.push(...row(`−log ${one.symbol}`, { of: "surprisal" }))
    const table = element("div", { class: "cells", "aria-hidden": "true" }, ...rows)
    nodes.plot.replaceChildren(bars, table)
    nodes.plot.style.setProperty("--n", n)
  }

  function track(s, i, name) {
    const shape = data.shapes[s]
    const bar = element("div", { class: "bar" }, element("span", { class: "grip" }))
    const ghost = element("div", { class: "ghost" })
    const node = element("div", {
      class: `track ${shape.role}`, role: "slider", tabindex: 0, "aria-orientation": "vertical", "aria-valuemin": 0, "aria-valuemax": 100,
      "aria-label": `${shape.symbol}(${name})${shape.title ? `, ${shape.title}` : ""}`,
    }, ghost, bar)
    const value = event => { const box = node.getBoundingClientRect(); return ((box.bottom - event.clientY) / box.height) * WHOLE }
    const round = tenths => Math.round(tenths / 10) * 10
    let offset = 0
    let dragged = false
    node.onpointerdown = event => {
      const onGrip = event.target.closest(".grip") !== null
      dragged = false
      if (event.button !== 0 || (event.pointerType === "touch" && !onGrip)) return  // a finger may be scrolling the page
      event.preventDefault()
      node.focus({ preventScroll: true })
      node.setPointerCapture(event.pointerId)
      begin(s, i, true)
      dragged = true
      offset = onGrip ? 1000 * shares(weights[s])[i] - value(event) : 0
      if (!onGrip) change(round(value(event)))
    }
    node.onpointermove = event => { if (dragged && gesture?.dragging && node.hasPointerCapture(event.pointerId)) change(round(value(event) + offset)) }
    node.onpointerup = () => gesture?.dragging && finish()
    node.onpointercancel = () => gesture?.dragging && cancel()
    node.onclick = event => { if (!dragged && event.detail > 0) { begin(s, i, false); change(round(value(event))); finish() } }
    node.onkeydown = event => keys(event, s, i)
    node.onblur = () => { if (gesture && !gesture.dragging) finish(); look(null) }
    node.onfocus = () => look(i)
    node.onpointerenter = () => { if (!gesture) look(i) }
    node.onpointerleave = () => { if (!gesture && !node.matches(":focus")) look(null) }
    parts.tracks.push({ s, i, node, bar, ghost })
    return node
  }

  function keys(event, s, i) {
    if (event.key === "Escape" && gesture) { event.preventDefault(); return cancel() }
    if (event.altKey || event.metaKey || (event.ctrlKey && event.key !== "z")) return
    if (event.ctrlKey) { event.preventDefault(); return undo() }
    const step = event.shiftKey ? 1 : 10
    const moves = { ArrowUp: step, ArrowRight: step, ArrowDown: -step, ArrowLeft: -step, PageUp: 100, PageDown: -100, Home: -WHOLE, End: WHOLE }
    const move = moves[event.key]
    if (!move) return
    event.preventDefault()
    begin(s, i, false)
    change(Math.round(WHOLE * shares(weights[s])[i]) + move)
    clearTimeout(gesture.timer)
    gesture.timer = setTimeout(finish, KEY_PAUSE_MS)
  }

  function toolbar() {
    const button = (label, act, { icon = false } = {}) => element("button", { type: "button", onclick: act, "aria-label": icon ? label : null, title: icon ? label : null }, icon || label)
    const made = { undo: button(labels.undo, undo), reset: button(labels.reset, () => replace(data.shapes.map(shape => parse(shape.usual)))) }
    if (two()) made.swap = button(labels.swap, () => replace(copy().reverse()))
    if (data.resizable) {
      made.fewer = button(labels.fewer, () => replace(weights.map(side => fewer(side))), { icon: "−" })
      made.more = button(labels.more, () => replace(weights.map(side => [...side, 0])), { icon: "+" })
    }
    const held = nodes.tools.contains(root.getRootNode().activeElement) ? root.getRootNode().activeElement.dataset.tool : null
    for (const [name, node] of Object.entries(made)) node.dataset.tool = name
    nodes.tools.replaceChildren(...Object.values(made))
    parts.tools = made
    tools()
    if (held) (made[held].disabled ? made.undo : made[held]).focus({ preventScroll: true })
  }
  const fewer = side => { const rest = side.slice(0, -1); return sum(rest) > 0 ? rebalance([...shares(rest), 0], rest.length, 0).slice(0, -1) : even(rest.length) }
  function tools() {
    const { undo: back, reset, fewer: less, more } = parts.tools
    back.disabled = past.length === 0
    reset.disabled = joined() === data.shapes.map(shape => text(parse(shape.usual))).join("|")
    if (less) { less.disabled = size() <= 2; more.disabled = size() >= data.outcomes.length }
  }

  // --- the areas -----------------------------------------------------------------------------------

  function area(front, other) {
    const shape = data.shapes[front]
    const title = other == null ? `H(${shape.symbol})` : `KL(${shape.symbol}‖${data.shapes[other].symbol})`
    const value = element("span", { class: "value" })
    const beside = element("span", { class: "beside" })
    const blocks = data.outcomes.slice(0, size()).map((_, i) => {
      const block = element("div", { class: "block" })
      block.onpointerenter = () => { if (!gesture) look(i) }
      block.onpointerleave = () => { if (!gesture) look(null) }
      return block
    })
    const names = data.outcomes.slice(0, size()).map(name => element("span", { class: "below" }, name))
    const mean = element("div", { class: "mean" })
    const ceiling = element("div", { class: "ceiling" })
    const marks = ["top", "zero", "bottom", "limit"].map(place => element("span", { class: place }))
    const zero = element("div", { class: "zero-line" })
    const detail = element("p", { class: "detail" })
    const ground = element("div", { class: "ground", "aria-hidden": "true" }, zero, ...blocks, ceiling, mean)
    const node = element("section", { class: `area ${shape.role}${other == null ? "" : " signed"}`, "aria-label": title },
      element("div", { class: "figure" }, element("span", { class: "what" }, title), value, beside),
      element("div", { class: "field", "aria-hidden": "true" }, element("div", { class: "marks" }, ...marks), ground, element("div", { class: "belows" }, ...names)), detail)
    parts.areas.push({ front, other, value, beside, blocks, names, mean, ceiling, marks, detail, node, zero })
    return node
  }

  function showArea(part, p) {
    const front = p[part.front]
    const heights = front.map((x, i) => inUnit(part.other == null ? surprisal(x) : logRatio(x, p[part.other][i])))
    const total = inUnit(part.other == null ? entropy(front) : divergence(front, p[part.other]))
    const finite = heights.filter((height, i) => front[i] > 0 && Number.isFinite(height)).map(Math.abs)
    const most = part.other == null ? inUnit(Math.log(size())) : 0
    const held = gesture ? part.top : 0  // under a moving hand the axis may grow, not shrink
    const top = TOPS[data.unit].find(each => each >= Math.max(most, held, ...finite)) ?? Math.max(...finite)
    part.top = top
    const low = part.other == null ? 0 : -top
    const at = height => (100 * (Math.max(low, Math.min(top, height)) - low)) / (top - low)
    const base = at(0)
    let left = 0
    part.blocks.forEach((block, i) => {
      const upper = Math.max(base, at(heights[i])), lower = Math.min(base, at(heights[i]))
      Object.assign(block.style, { left: `${100 * left}%`, width: `${100 * front[i]}%`, bottom: `${lower}%`, height: `${upper - lower}%` })
      block.hidden = front[i] === 0
      block.classList.toggle("endless", heights[i] === Infinity)
      block.classList.toggle("under", heights[i] < 0)
      part.names[i].style.left = `${100 * (left + front[i] / 2)}%`
      left += front[i]
    })
    part.zero.style.bottom = `${base}%`
    part.mean.style.bottom = `${at(total)}%`
    part.mean.hidden = !Number.isFinite(total)
    part.ceiling.hidden = part.other != null
    part.ceiling.style.bottom = `${at(most)}%`
    const [upper, zero, lower, limit] = part.marks
    limit.textContent = part.other == null ? `log ${size()}` : ""
    limit.style.bottom = `${at(most)}%`
    upper.textContent = top - most < 0.12 * top ? "" : fixed(top, top % 1 ? 1 : 0)
    zero.textContent = "0"
    zero.style.bottom = `${base}%`
    lower.textContent = low ? fixed(low, top % 1 ? 1 : 0) : ""
    part.value.textContent = `${fixed(total, 3)} ${Number.isFinite(total) ? data.unit : ""}`
    part.beside.textContent = beside(part, p, total, most)
    part.detail.textContent = detail(part, front, heights)
  }

  function beside(part, p, total, most) {
    const symbols = data.shapes.map(shape => shape.symbol)
    if (part.other == null) return `${labels.most} ${fixed(most, 3)} · ${labels.options.replace("{}", fixed(Math.exp(entropy(p[0])), 2))}`
    const [front, other] = [symbols[part.front], symbols[part.other]]
    if (total === Infinity) return labels.endless.replace("{}", front).replace("{}", other)
    const own = inUnit(entropy(p[part.front]))
    return `= H(${front}, ${other}) − H(${front}) = ${fixed(total + own, 3)} − ${fixed(own, 3)}`
  }

  function detail(part, front, heights) {
    const i = looked
    if (i == null || i >= size()) return part.other == null ? labels["reads entropy"] : labels["reads kl"].replace("{}", data.shapes[part.front].symbol)
    const name = data.outcomes[i]
    if (front[i] === 0) return `${name}: ${labels.never}`
    return `${name}: ${fixed(front[i], 3)} · ${heights[i] < 0 ? `(${fixed(heights[i], 3)})` : fixed(heights[i], 3)} = ${fixed(front[i] * heights[i], 3)} ${Number.isFinite(heights[i]) ? data.unit : ""}`
  }

  function labelBlocks() {  // a name where there is room for it
    for (const part of parts.areas) part.blocks.forEach((block, i) => { part.names[i].hidden = block.hidden || block.parentElement.clientWidth * parseFloat(block.style.width) < 1300 })
  }

  function look(i) {
    looked = i
    show()
  }

  function summary() {
    return parts.areas.map(part => `${part.node.getAttribute("aria-label")} ${part.value.textContent}`).join(", ")
  }

  function show() {
    const p = weights.map(shares)
    const before = gesture ? gesture.start.map(shares) : null
    for (const { s, i, node, bar, ghost } of parts.tracks) {
      bar.style.height = `${100 * p[s][i]}%`
      ghost.style.bottom = before && gesture.s === s ? `${100 * before[s][i]}%` : bar.style.height
      ghost.hidden = !before || gesture.s !== s
      node.classList.toggle("nil", p[s][i] === 0)
      node.classList.toggle("looked", i === looked)
      node.setAttribute("aria-valuenow", +(100 * p[s][i]).toFixed(3))
      const cost = p[s][i] > 0 ? `${labels.surprisal} ${fixed(inUnit(surprisal(p[s][i])), 2)} ${data.unit}` : labels.impossible
      node.setAttribute("aria-valuetext", `${percent(p[s][i]).replace("%", "")} ${labels.percent}, ${cost}`)
    }
    for (const { kind, cells } of parts.cells) cells.forEach((cell, i) => {
      if (kind.of === "share") cell.textContent = percent(p[kind.s][i])
      else cell.textContent = fixed(inUnit(kind.of === "surprisal" ? surprisal(p[0][i]) : logRatio(p[0][i], p[1][i])), 2)
      cell.classList.toggle("looked", i === looked)
    })
    for (const part of parts.areas) {
      showArea(part, p)
      part.blocks.forEach((block, i) => block.classList.toggle("looked", i === looked))
    }
    labelBlocks()
    if (parts.tools) tools()
    publish(p)
  }

  function publish(p) {  // in full precision and in nats, for who wants to check
    root.dataset.weights = joined()
    root.dataset.surprisals = p.map(side => side.map(surprisal).join(",")).join("|")
    root.dataset.entropy = p.map(entropy).join(",")
    root.dataset.kl = two() ? [divergence(p[0], p[1]), divergence(p[1], p[0])].join(",") : ""
  }

  return self
}
