// The curve of −log p with a point on it: under the pointer, under a finger, or by keys.
// Everything is computed here; the server hears nothing of it.
const LEAST = 0.01
const TOP = { nats: 5, bits: 7 }
const curves = new WeakMap()  // root -> {unit, p, steps}

export default function ({ data: packed, parentElement }) {
  const data = JSON.parse(new TextDecoder().decode(packed))
  const root = parentElement.querySelector(".curve")
  const before = curves.get(root)
  if (before?.unit === data.unit) return
  const state = { unit: data.unit, p: before?.p ?? 0.5, steps: [] }
  curves.set(root, state)
  build(root, data, state)
}

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value)
  node.append(...children)
  return node
}

function build(root, { unit, labels }, state) {
  const top = TOP[unit]
  const surprisal = p => (unit === "bits" ? 0 - Math.log2(p) : 0 - Math.log(p))
  const across = p => 100 * p
  const up = p => (100 * surprisal(p)) / top
  const path = Array.from({ length: 397 }, (_, k) => LEAST + (k * (1 - LEAST)) / 396)
    .map(p => `${across(p)},${100 - up(p)}`).join(" ")

  const ground = element("div", { class: "ground" })
  ground.innerHTML = `<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
    <polyline points="${path}" vector-effect="non-scaling-stroke"/></svg>`
  const marks = [0, 1, 2, 3, 4, 5, 6, 7].filter(value => value <= top).map(value => {
    const mark = element("span", { class: "mark", "aria-hidden": "true", style: `bottom:${(100 * value) / top}%` }, String(value))
    return mark
  })
  const feet = [0, 0.25, 0.5, 0.75, 1].map(p => element("span", { class: "foot", "aria-hidden": "true", style: `left:${across(p)}%` }, String(p)))
  const drop = element("div", { class: "drop", "aria-hidden": "true" })
  const level = element("div", { class: "level", "aria-hidden": "true" })
  const dot = element("div", { class: "dot", role: "slider", tabindex: "0", "aria-label": labels.slider, "aria-valuemin": "1", "aria-valuemax": "100" })
  const trail = element("div", { class: "trail", "aria-hidden": "true" })
  ground.append(...marks, ...feet, trail, drop, level, dot)
  const probability = element("span", { class: "p" })
  const cost = element("span", { class: "cost" })
  const tosses = element("span", { class: "tosses" })
  const halve = element("button", { type: "button" }, labels.halve)
  const double = element("button", { type: "button" }, labels.double)
  root.replaceChildren(element("div", { class: "readout" }, probability, cost, tosses), ground,
    element("div", { class: "under" }, element("span", { class: "axis", "aria-hidden": "true" }, labels.axis), halve, double))

  const clamp = p => Math.max(LEAST, Math.min(1, p))
  const set = (p, { step = false } = {}) => {
    if (step) state.steps.push(state.p)
    else state.steps = []
    state.p = clamp(p)
    show()
  }
  const under = event => { const box = ground.getBoundingClientRect(); return Math.round(100 * clamp((event.clientX - box.left) / box.width)) / 100 }
  ground.onpointermove = event => { if (event.pointerType !== "touch" || ground.hasPointerCapture(event.pointerId)) set(under(event)) }
  ground.onpointerdown = event => {
    ground.setPointerCapture(event.pointerId)
    event.preventDefault()
    dot.focus({ preventScroll: true })
    set(under(event))
  }
  dot.onkeydown = event => {
    if (event.altKey || event.ctrlKey || event.metaKey) return
    const size = event.shiftKey ? 0.1 : 0.01
    const to = { ArrowRight: state.p + size, ArrowUp: state.p + size, ArrowLeft: state.p - size, ArrowDown: state.p - size, PageUp: state.p * 2, PageDown: state.p / 2, Home: LEAST, End: 1 }[event.key]
    if (to === undefined) return
    event.preventDefault()
    set(Math.round(clamp(to) * 1e6) / 1e6)
  }
  halve.onclick = () => set(state.p / 2, { step: true })
  double.onclick = () => set(state.p * 2, { step: true })

  function show() {
    const { p } = state
    const s = surprisal(p)
    Object.assign(dot.style, { left: `${across(p)}%`, bottom: `${up(p)}%` })
    Object.assign(drop.style, { left: `${across(p)}%`, height: `${up(p)}%` })
    Object.assign(level.style, { width: `${across(p)}%`, bottom: `${up(p)}%` })
    probability.textContent = `p = ${+p.toPrecision(4)}`
    cost.textContent = `−log p = ${s.toFixed(3)} ${unit}`
    tosses.textContent = labels.tosses.replace("{}", (0 - Math.log2(p)).toFixed(2))
    trail.replaceChildren(...state.steps.map(each => element("i", { style: `left:${across(each)}%;bottom:${up(each)}%` })))
    halve.disabled = p / 2 < LEAST
    double.disabled = p * 2 > 1
    dot.setAttribute("aria-valuenow", +(100 * p).toFixed(4))
    dot.setAttribute("aria-valuetext", `p ${+p.toPrecision(4)}, ${labels.surprisal} ${s.toFixed(3)} ${unit}`)
    root.dataset.p = p
    root.dataset.surprisal = s
  }
  show()
}
