// Shows the HTML that Python writes, keeps focus, selection and scroll while it changes, and tells Python what is
// pressed: elements with data-do send {do, value}. While Python works on one message only the latest of each control
// waits, so dragging never queues up. A button with data-pick sends the text of a file; Python sends {file, text} back
// for the browser to save.

const OURS = "data-lm-suppress-shortcuts";

function patch(old, wanted, keep) {
  if (old.nodeType !== wanted.nodeType || old.nodeName !== wanted.nodeName) {
    old.replaceWith(wanted);
    return wanted;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== wanted.nodeValue) old.nodeValue = wanted.nodeValue;
    return old;
  }
  for (const { name } of [...old.attributes]) {
    const readers = name === OURS || (name === "open" && old.nodeName === "DETAILS"); // theirs to open and close
    if (!wanted.hasAttribute(name) && !readers) old.removeAttribute(name);
  }
  for (const { name, value } of [...wanted.attributes]) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  children(old, wanted, keep);
  if ("value" in old && old.value !== wanted.value && !keep(old)) old.value = wanted.value;
  return old;
}

// An element with an id stays the same element, wherever it goes; others keep their place among their siblings.
function children(parent, wanted, keep) {
  const known = new Map([...parent.children].filter((child) => child.id).map((child) => [child.id, child]));
  const stays = new Set([...wanted.children].map((child) => child.id));
  for (const [id, child] of known) if (!stays.has(id)) child.remove(); // first, so that nothing has to move around it
  let place = parent.firstChild;
  for (const node of [...wanted.childNodes]) {
    const same = node.id ? known.get(node.id) : place && !place.id ? place : null;
    if (!same) {
      parent.insertBefore(node, place);
      continue;
    }
    if (same !== place) parent.insertBefore(same, place);
    place = patch(same, node, keep).nextSibling;
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

function render({ model, el }) {
  const root = document.createElement("div");
  // Jupyter's "dd" is not for what is pressed in here. JupyterLab hears a key after us, Notebook 7 before us.
  root.addEventListener("keydown", (event) => event.stopPropagation());
  root.addEventListener("focusin", (event) => event.target.setAttribute(OURS, "true"));
  el.append(root);

  const draw = () => {
    const wanted = document.createElement("div");
    wanted.innerHTML = model.get("html");
    children(root, wanted, (control) => control.matches(":active") || pending(control.dataset.do));
  };
  let busy = ""; // the command that Python works on
  const pending = (name) => busy === name || waiting.has(name);
  const waiting = new Map();
  const send = (message) => {
    if (busy) {
      waiting.delete(message.do);
      waiting.set(message.do, message);
      return;
    }
    busy = message.do;
    model.send(message);
  };
  const answered = (message) => {
    if (message?.done !== true) return;
    busy = "";
    const [next] = waiting.values();
    if (next === undefined) return;
    waiting.delete(next.do);
    send(next);
  };
  const save = ({ file, text }) => {
    if (file === undefined) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  };
  const picker = document.createElement("input"); // unseen: the button is what is pressed
  picker.type = "file";
  const pick = ({ dataset }) => {
    picker.accept = dataset.pick;
    picker.value = ""; // the same file may be chosen again
    picker.onchange = async () => {
      const [file] = picker.files;
      if (file) send({ do: dataset.do, value: file.size > LARGEST ? "" : await file.text(), file: file.name });
    };
    picker.click();
  };
  const told = (element) => element && root.contains(element) && send({ do: element.dataset.do, value: element.dataset.value ?? element.value ?? "" });

  root.addEventListener("click", (event) => {
    const pressed = event.target.closest("button[data-do]:not([aria-disabled=true])");
    if (pressed?.dataset.pick) pick(pressed);
    else told(pressed);
  });
  root.addEventListener("input", (event) => event.target.matches("input[data-do]") && told(event.target));
  root.addEventListener("change", (event) => event.target.matches("select[data-do]") && told(event.target));
  model.on("change:html", draw);
  model.on("msg:custom", answered);
  model.on("msg:custom", save);
  draw();
  return () => {
    model.off("change:html", draw);
    model.off("msg:custom", answered);
    model.off("msg:custom", save);
  };
}

export default { render };
