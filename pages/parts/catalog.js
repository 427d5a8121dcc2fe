// A list with a search that hides what does not match. The server has drawn the entries.
const drawn = new WeakMap()  // root -> what was drawn, so that a rerun leaves search and place alone

export default function ({ data: packed, parentElement }) {
  const root = parentElement.querySelector(".catalog")
  const text = new TextDecoder().decode(packed)
  if (drawn.get(root) === text) return
  drawn.set(root, text)
  const [first, list] = text.split("\n").map(line => JSON.parse(line))
  draw(root, first.marked, list)
}

function draw(root, marked, { html, labels, count }) {
  root.innerHTML = `${marked && `<dl class="marked">${marked}</dl>`}<div class="find"><label></label><input type="search" autocomplete="off" spellcheck="false">` +
    `<p class="count" role="status"></p></div><div class="groups">${html}</div><p class="empty" hidden></p>`
  for (const outside of root.querySelectorAll('a[href^="http"]')) Object.assign(outside, { target: "_blank", rel: "noopener" })
  const find = root.querySelector("input")
  root.querySelector("label").textContent = labels.search
  root.querySelector("label").htmlFor = find.id = `find-${labels.one}`
  root.querySelector(".empty").textContent = labels.empty
  find.oninput = () => filter(root, plain(find.value).split(/\s+/), labels, count)
  find.oninput()
  const first = root.querySelector(".marked")
  if (first) setTimeout(() => first.scrollIntoView({ block: "center" }), 120)
}

function filter(root, words, labels, count) {
  let found = 0
  for (const group of root.querySelectorAll(".group")) {
    const entries = [...group.querySelectorAll(".entry")]
    for (const entry of entries) entry.hidden = !words.every(word => entry.dataset.words.includes(word))
    const left = entries.filter(entry => !entry.hidden).length
    group.hidden = !left
    found += left
  }
  const all = `${count} ${count === 1 ? labels.one : labels.many}`
  root.querySelector(".count").textContent = found === count ? all : `${found} of ${all}`
  root.querySelector(".empty").hidden = found > 0
}

const plain = text => text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "")
