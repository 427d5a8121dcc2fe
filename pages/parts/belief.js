// A belief over a few options: sliders that always sum to 100 %, no option under the floor.
// The server validates what is committed again; this file only makes it pleasant to say.
const FLOOR = 1
const drafts = new WeakMap()  // root -> {name, percents, picked, sure}
const LOOK_MS = 5000
let committedAt = -LOOK_MS  // the button that was pressed goes away: the focus goes to what takes its place

export default function ({ data: packed, parentElement, setTriggerValue }) {
  const data = JSON.parse(new TextDecoder().decode(packed))
  const root = parentElement.querySelector(".belief")
  if (data.told) return tell(root, data)
  let draft = drafts.get(root)
  if (!draft || draft.name !== data.name) {
    draft = { name: data.name, percents: even(data.options.length), picked: null, sure: null, touched: false }
    drafts.set(root, draft)
  }
  ask(root, data, draft, setTriggerValue)
}

function even(n) {
  const share = Math.floor(100 / n)
  return Array.from({ length: n }, (_, i) => share + (i < 100 - share * n ? 1 : 0))
}

// One option takes `value`; the others share the rest in the proportions they had, in whole percent.
function rebalance(percents, changed, value) {
  const n = percents.length
  const top = 100 - FLOOR * (n - 1)
  const taken = Math.max(FLOOR, Math.min(top, Math.round(value)))
  const rest = 100 - taken - FLOOR * (n - 1)
  const others = percents.map((p, i) => (i === changed ? 0 : p - FLOOR))
  const mass = others.reduce((a, b) => a + b, 0)
  const exact = others.map((p, i) => (i === changed ? 0 : mass ? (p / mass) * rest : rest / (n - 1)))
  const whole = exact.map(Math.floor)
  let left = rest - whole.reduce((a, b) => a + b, 0)
  const order = exact.map((x, i) => i).filter(i => i !== changed)
    .sort((a, b) => exact[b] - whole[b] - (exact[a] - whole[a]))
  for (const i of order) if (left-- > 0) whole[i] += 1
  return whole.map((p, i) => (i === changed ? taken : p + FLOOR))
}

const score = (percent, n, unit) => {
  const odds = (percent / 100) * n
  const value = unit === "nats" ? Math.log(odds) : Math.log2(odds)
  const shown = Math.abs(value) < 0.005 ? "0.00" : (value > 0 ? "+" : "−") + Math.abs(value).toFixed(2)
  return `${shown} ${unit}`
}

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "html") node.innerHTML = value
    else if (name.startsWith("on")) node[name] = value
    else if (value !== false && value != null) node.setAttribute(name, value === true ? "" : value)
  }
  node.append(...children)
  return node
}

function ask(root, data, draft, setTriggerValue) {
  const n = data.options.length
  const spread = i => { draft.percents = rebalance(draft.percents, i, +rows[i].range.value); draft.touched = true; draft.sure = null; show() }
  const pick = i => { draft.picked = i; sure(draft.sure ?? 70) }
  const sure = percent => {
    if (draft.picked == null) return
    draft.sure = percent
    draft.percents = rebalance(even(n), draft.picked, percent)
    draft.touched = true
    show()
  }
  const commit = percents => {
    committedAt = performance.now()
    setTriggerValue("commit", { percents, nonce: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` })
  }
  const rows = data.options.map((html, i) => {
    const radio = element("input", { type: "radio", name: "pick", onchange: () => pick(i) })
    const range = element("input", { type: "range", min: FLOOR, max: 100 - FLOOR * (n - 1), step: 1, oninput: () => spread(i) })
    const label = element("label", { class: "option" }, radio, element("span", { class: "text", html }))
    range.setAttribute("aria-label", `Probability that it is: ${label.textContent}`)
    const percent = element("span", { class: "percent" })
    const gain = element("span", { class: "bits" })
    return { radio, range, percent, gain, node: element("div", { class: "row" }, label, range, percent, gain) }
  })
  const chips = data.sure.map(p => element("button", { type: "button", onclick: () => sure(p) }, `${p}%`))
  const commitButton = element("button", { type: "button", class: "commit", onclick: () => commit(draft.percents) }, data.labels.commit)
  const noIdea = element("button", { type: "button", onclick: () => commit(null) }, data.labels.none)
  const group = element("div", { class: "sure", role: "group", "aria-label": data.labels.sure }, element("span", {}, data.labels.sure), ...chips)
  root.replaceChildren(
    element("div", { class: "head", "aria-hidden": "true" }, data.labels.gain),
    element("fieldset", {}, element("legend", { class: "hidden" }, data.labels.legend), ...rows.map(r => r.node)),
    group,
    element("div", { class: "acts" }, commitButton, noIdea, element("span", { class: "note" }, data.labels.note)),
  )
  function show() {
    rows.forEach((row, i) => {
      const p = draft.percents[i]
      row.range.value = p
      row.range.style.setProperty("--filled", `${((p - FLOOR) / (100 - FLOOR * n)) * 100}%`)
      row.range.setAttribute("aria-valuetext", `${p} percent; ${score(p, n, data.labels.unit)} if it is right`)
      row.percent.textContent = `${p}%`
      row.gain.textContent = score(p, n, data.labels.unit)
      row.radio.checked = draft.picked === i
    })
    chips.forEach((chip, i) => {
      chip.disabled = draft.picked == null
      chip.setAttribute("aria-pressed", String(draft.sure === data.sure[i]))
    })
    commitButton.disabled = !draft.touched
  }
  show()
}

function tell(root, data) {
  const rows = data.options.map((html, i) => {
    const right = i === data.told.right
    const bar = (p, kind) => element("div", { class: `bar ${kind}`, style: `width:${p}%` })
    const beliefs = [...(data.told.first ? [[data.told.first[i], "first"]] : []), [data.told.percents[i], ""]]
    const option = element("div", { class: "option" },
      element("span", { class: "mark", "aria-hidden": "true" }, right ? "✓" : ""),
      element("span", { class: "text", html: html }))
    if (right) option.append(element("span", { class: "hidden" }, data.labels.right))
    return element("div", { class: `row told${right ? " right" : ""}`, role: "listitem" }, option,
      element("div", { class: "bars", "aria-hidden": "true" }, ...beliefs.map(([p, kind]) => bar(p, kind))),
      element("div", { class: "figures" }, ...beliefs.map(([p, kind]) => element("span", { class: kind }, `${p}%`))))
  })
  const key = data.told.first ? [element("div", { class: "key" }, data.labels.key)] : []
  const list = element("div", { role: "list", "aria-label": data.labels.legend, tabindex: -1 }, ...rows)
  root.replaceChildren(list, ...key)
  if (performance.now() - committedAt < LOOK_MS) list.focus({ preventScroll: true })
  committedAt = -LOOK_MS
}
