// One typed line: what is typed is sent as a draft and comes back set as a formula; Enter checks.
const fields = new WeakMap()  // root -> {name, input, echo, label, send}
const PAUSE_MS = 180

export default function ({ data: packed, parentElement, setStateValue, setTriggerValue }) {
  const data = JSON.parse(new TextDecoder().decode(packed))
  const root = parentElement.querySelector(".line-field")
  const field = fields.get(root) ?? build(root, data)
  field.send = { draft: text => setStateValue("draft", text), check: text => setTriggerValue("check", text) }
  field.label.textContent = data.label
  if (field.name !== data.name) renew(field, data.name)
  if (field.input.value.trim() === "") show(field, "", data.labels.empty)
  else show(field, data.echo, data.echo ? data.labels.said : data.labels.unread)
}

function build(root, data) {
  const element = (tag, attributes = {}) => Object.assign(document.createElement(tag), attributes)
  const id = `line-${Math.random().toString(36).slice(2)}`
  const label = element("label", { htmlFor: id })
  const input = element("input", { id, type: "text", maxLength: data.most, autocomplete: "off", spellcheck: false })
  input.setAttribute("autocapitalize", "off")
  const button = element("button", { type: "button", textContent: data.labels.check })
  const entry = element("div", { className: "entry" })
  const echo = element("div", { className: "echo" })
  echo.setAttribute("aria-live", "polite")
  const field = { name: data.name, input, echo, label, shown: null, timer: 0 }
  const check = () => {
    clearTimeout(field.timer)
    input.focus()
    field.send.draft({ name: field.name, text: input.value })  // so that the formula is never behind
    field.send.check({ name: field.name, text: input.value, nonce: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` })
  }
  input.oninput = () => {
    clearTimeout(field.timer)
    field.timer = setTimeout(() => field.send.draft({ name: field.name, text: input.value }), PAUSE_MS)
  }
  input.onkeydown = event => { if (event.key === "Enter" && !event.isComposing) { event.preventDefault(); check() } }
  button.onclick = check
  entry.append(input, button)
  root.replaceChildren(label, entry, echo)
  fields.set(root, field)
  return field
}

function renew(field, name) {
  field.name = name
  field.input.value = ""
}

function show(field, html, words) {
  const shown = `${words}|${html}`
  if (field.shown === shown) return
  field.shown = shown
  const said = document.createElement("span")
  said.className = "said"
  said.textContent = words
  const formula = document.createElement("span")
  formula.innerHTML = html
  field.echo.replaceChildren(said, formula)
}
