// Below an editor whose documents are stored in a running world: to store them there, to take that back, to see it as code.
import { button, element, iconButton } from "./parts.js";

/** `current` is the document in front; `asked` is told when Python gets to know the text with an order. */
export function world(model, name, current, asked) {
  const root = element("div", "sle-world");
  // with the text, because what was typed last may still be waiting to be sent
  const ask = (what) => () => {
    const index = current();
    asked();
    model.send({ ask: what, index, text: model.get("texts")[index] ?? model.get("documents")[index].text });
  };
  const tools = element("div", "sl-row");
  const apply = button("Apply", ask("apply"), "sl-b");
  const back = button("Undo apply", ask("take back"), "sl-b is-quiet");
  const more = element("details", "sl-open");
  const rare = element("div", "sl-row");
  const choice = element("select", "sl-field");
  for (const [language, title] of [["", "no code"], ...model.get("languages")]) {
    const option = element("option", "", title);
    option.value = language;
    choice.append(option);
  }
  choice.addEventListener("change", () => {
    model.set("language", choice.value);
    model.save_changes();
  });
  const label = element("label", "sl-small", "Show as ");
  label.append(choice);
  rare.append(label, button("Read again", ask("reload"), "sl-b is-quiet"));
  more.append(element("summary", "", "More"), rare);
  tools.append(apply, back, more);
  const note = element("p", "sle-note sl-small");
  note.setAttribute("role", "status");
  const code = element("div", "sle-code");
  const text = element("pre", "");
  text.tabIndex = 0;
  text.setAttribute("role", "region");
  text.setAttribute("aria-label", `${name} as code`);
  const copied = element("span", "");
  copied.setAttribute("role", "status");
  const copy = iconButton("copy", "Copy", () => {
    getSelection().selectAllChildren(text); // what can be copied by hand, should the browser not allow it
    navigator.clipboard?.writeText(text.textContent).then(() => (copied.textContent = " Copied."));
  });
  code.append(text, copy, copied);
  root.append(tools, note, code);

  /** Follow what Python says of the document in front. */
  function show(marks, said) {
    root.hidden = said.place === null;
    if (note.textContent !== said.note) note.textContent = said.note;
    apply.disabled = !said.place;
    apply.classList.toggle("is-primary", said.changed);
    back.hidden = !marks.applied;
    choice.value = model.get("language");
    code.hidden = !marks.code;
    if (text.textContent !== marks.code) {
      text.textContent = marks.code;
      copied.textContent = "";
    }
  }
  return { element: root, show };
}
