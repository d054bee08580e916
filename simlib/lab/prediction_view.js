// A question with radio buttons. Keys pressed in it are its own: JupyterLab would move to another cell at an arrow, delete
// one at "dd", and take the focus away from an output whose cell is not the selected one.
let count = 0;

function inline(target, text) {
  text.split("`").forEach((part, index) => {
    const node = index % 2 ? document.createElement("code") : document.createElement("span");
    node.textContent = part;
    target.append(node);
  });
}

function render({ model, el }) {
  const form = document.createElement("form");
  form.className = "simlib sl-predict";
  form.addEventListener("keydown", (event) => event.stopPropagation());
  const ours = (event) => event.target.setAttribute("data-lm-suppress-shortcuts", "true");
  form.addEventListener("focusin", ours); // for Notebook 7, which hears keys before the form does
  const group = `sl-predict-${count++}`;
  const fieldset = document.createElement("fieldset");
  const legend = document.createElement("legend");
  inline(legend, model.get("question"));
  fieldset.append(legend);
  model.get("choices").forEach((choice, index) => {
    const label = document.createElement("label");
    const radio = document.createElement("input");
    Object.assign(radio, { type: "radio", name: group, value: String(index) });
    const words = document.createElement("span");
    inline(words, choice);
    label.append(radio, words);
    fieldset.append(label);
  });
  const button = document.createElement("button");
  button.type = "submit";
  button.textContent = "Lock in my answer";
  const status = document.createElement("p");
  status.setAttribute("role", "status");
  form.append(fieldset, button, status);
  el.append(form);

  const show = () => {
    const locked = model.get("locked");
    fieldset.querySelectorAll("input").forEach((radio, index) => {
      if (locked >= 0) radio.checked = index === locked;
      radio.disabled = locked >= 0;
    });
    button.hidden = locked >= 0;
    status.replaceChildren();
    inline(status, model.get("status"));
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const chosen = form.querySelector("input:checked");
    if (model.get("locked") >= 0) return;
    if (!chosen) {
      status.textContent = "Choose one of the answers first.";
      form.querySelector("input").focus();
      return;
    }
    model.set("choice", Number(chosen.value));
    model.save_changes();
  });
  model.on("change:locked change:status", show);
  show();
  return () => model.off("change:locked change:status", show);
}

export default { render };
