"""Keys that press buttons, beside the one shortcut that Streamlit gives to each."""

from collections.abc import Mapping

import streamlit as st

_KEYS = st.components.v2.component(
    "surprisal_keys",
    html="<span></span>\n",
    js="""
export default function ({ data }) {
  const typed = "input, textarea, select, [contenteditable], [role=slider]"
  const pressed = `${typed}, button, a, summary`
  const press = event => {
    const other = event.repeat || event.ctrlKey || event.metaKey || event.altKey
    if (other || event.defaultPrevented) return
    const taken = event.key === "Enter" || event.key === " " ? pressed : typed
    if (event.composedPath().some(node => node.matches?.(taken))) return  // it goes there
    const button = document.querySelector(`.st-key-${data[event.key]} button`)
    if (!button || button.disabled) return
    event.preventDefault()
    button.click()
  }
  // A button clicked with the pointer would take the next Space or Enter: Undo, once more.
  const leave = event => event.detail && event.target.closest?.("button")?.blur()
  document.addEventListener("keydown", press)
  document.addEventListener("click", leave)
  return () => {
    document.removeEventListener("keydown", press)
    document.removeEventListener("click", leave)
  }
}
""",
)


def press(keys: Mapping[str, str], *, key: str) -> None:
    """Let each key of the keyboard press the button of the widget key it is given."""
    _KEYS(key=key, data=dict(keys))
