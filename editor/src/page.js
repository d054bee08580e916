// Shows the HTML that Python writes and tells Python what is pressed. morphdom changes only what has changed, so focus,
// selection, scroll and what was opened stay; an element with a data-key stays the same one wherever it goes.
//
// data-do on a button, choice, field or picture's part: sends { do, value }, its data-value or its value.
// data-toggle on a <details>: sends that too when it is opened or closed; then Python says whether it is open.
// data-enter: what Enter does there, data-delete: what Delete does. data-keys: the command that gets the arrow keys and
// their like. data-at, "ROW COLUMN": the arrow keys go from one of these to its neighbour.
// data-drag: a handle; sends how far along the nearest [data-along] it is, in thousandths. data-pan: drag to scroll, and
// Ctrl + wheel, which is what two fingers send, sends it 1 or -1.
// data-widget: the widget of that number in `hosted` stands there; data-only says which of its documents.
// data-past on a field: the texts it held before, as JSON; the arrows up and down bring them back, Enter empties it.
// data-home: where the focus goes when what had it is gone, and nothing has come in its place.
// data-pick on a button: has a file chosen and sends its text. Python sends { file, text } for the browser to save.
// Python sends { done } once a command is over, and before it { failed }, a sentence, where it went wrong.
import morphdom from "morphdom";

const OURS = "data-lm-suppress-shortcuts"; // Notebook 7 hears keys before us
const KEYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End"];
const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const BLINK = 500; // milliseconds; what takes longer says that it works
let views = 0;

function render({ model, el }) {
  const me = `slp-${views++}-${Math.random().toString(36).slice(2)}`;
  const root = document.createElement("div");
  root.dataset.page = "";
  el.append(root);
  const listen = (name, act) =>
    root.addEventListener(name, (event) => event.target.closest("[data-page]") === root && act(event)); // not a hosted page's

  // ---- to Python: while it works on one message only the latest of each control waits, so dragging never queues up
  let busy = "";
  let blink, failed = "";
  const hosted = new Map(); // by the element that it stands in: its ID, and the promise of a view
  const waiting = new Map();
  const pending = (name) => name && (busy === name || waiting.has(name));
  const send = (message) => {
    if (!busy) {
      busy = message.do;
      blink ??= setTimeout(say, BLINK, "Working …");
      return model.send(message);
    }
    waiting.delete(message.do);
    waiting.set(message.do, message);
  };
  const received = (message) => {
    if (message?.file !== undefined) return save(message);
    if (message?.next) return goOn();
    if (message?.failed) failed = message.failed;
    if (message?.done !== true) return;
    busy = "";
    const [next] = waiting.values();
    if (next === undefined) {
      clearTimeout(blink);
      blink = undefined;
      say(failed);
      failed = "";
      return;
    }
    waiting.delete(next.do);
    send(next);
  };

  // ---- what is said of the command itself, over what has the focus
  const note = document.createElement("div");
  note.className = "simlib sl-note";
  note.innerHTML = '<p role="status"></p>';
  el.append(note);
  el.style.position = "relative";
  const say = (text) => {
    const said = note.firstChild;
    said.textContent = text;
    const [from, around] = [root.contains(document.activeElement) ? document.activeElement : root, el].map((each) => each.getBoundingClientRect());
    said.style.top = `${Math.max(0, from.top - around.top - said.offsetHeight)}px`;
    said.style.left = `${Math.max(0, Math.min(from.left - around.left, around.width - said.offsetWidth))}px`;
  };

  // ---- from Python
  const keep = {
    childrenOnly: true,
    getNodeKey: (node) => (node.nodeType === Node.ELEMENT_NODE && (node.dataset.key || node.id)) || "",
    onBeforeElUpdated(old, now) {
      if (old.dataset.widget) {
        old.dataset.only = now.dataset.only ?? "";
        return false;
      }
      if (old.hasAttribute(OURS)) now.setAttribute(OURS, "true");
      if (old.nodeName === "DETAILS" && !old.dataset.toggle) now.open = old.open; // the reader's to open and close
      if ("value" in old && (old.matches(":active, :focus") || pending(old.dataset.do))) now.value = old.value;
      return !old.isEqualNode(now);
    },
  };
  const draw = () => {
    const wanted = document.createElement("div");
    wanted.innerHTML = model.get("html");
    for (const list of wanted.querySelectorAll("datalist")) {
      list.id = `${me}-${list.previousElementSibling.dataset.do}`;
      list.previousElementSibling.setAttribute("list", list.id);
    }
    const focus = root.contains(document.activeElement) ? document.activeElement : null;
    const places = new Map([...root.querySelectorAll("[data-moves]")].map((each) => [each.dataset.key, each.getBoundingClientRect()]));
    morphdom(root, wanted, keep);
    if (focus && document.activeElement !== focus) refocus(focus);
    move(places);
    host();
  };
  const host = () => {
    for (const place of root.querySelectorAll("[data-widget]")) {
      const reference = model.get("hosted")[place.dataset.widget];
      if (!reference) continue;
      const { only = "" } = place.dataset;
      const tell = () => place.querySelector("[data-documents]")?.dispatchEvent(new CustomEvent("only", { detail: only }));
      const id = reference.slice("IPY_MODEL_".length);
      if (hosted.get(place)?.id !== id) {
        leave(place);
        hosted.set(place, { id, view: mount(place, id) });
      }
      hosted.get(place).view.then(tell);
    }
    for (const place of hosted.keys()) if (!root.contains(place) || !model.get("hosted").length) leave(place);
  };
  const leave = (place) => {
    hosted.get(place)?.view.then((found) => found.remove());
    hosted.delete(place);
  };
  const mount = async (place, id) => {
    const view = await model.widget_manager.create_view(await model.widget_manager.get_model(id));
    place.append(view.el);
    return view;
  };
  const neighbour = (at, [down, right]) => {
    const [row, column] = at.split(" ").map(Number);
    return root.querySelector(`[data-at="${row + down} ${column + right}"]`);
  };
  const refocus = (lost) => {
    const { do: name, value, key, enter } = lost.dataset; // where Enter was pressed: the button that it stood for
    const same = [...root.querySelectorAll(`[data-do="${name}"]`)].find((each) => each.dataset.value === value);
    const near = (key && `[data-key="${CSS.escape(key)}"]`) || (enter && `[data-do="${enter}"]`);
    const above = lost.dataset.at && neighbour(lost.dataset.at, ARROWS.ArrowUp); // where the last row was taken out
    const next = same ?? above ?? (near && root.querySelector(near)) ?? root.querySelector("[data-home]");
    (lost.isConnected ? lost : next)?.focus({ preventScroll: true });
  };
  const move = (places) => {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    for (const each of root.querySelectorAll("[data-moves]")) {
      const [old, now] = [places.get(each.dataset.key), each.getBoundingClientRect()];
      if (!old?.width || !now.width || (Math.abs(old.x - now.x) < 2 && Math.abs(old.y - now.y) < 2)) continue;
      const from = `translate(${old.x - now.x}px, ${old.y - now.y}px)`;
      each.animate([{ transform: from }, { transform: "none" }], { duration: 260, easing: "cubic-bezier(.2, .7, .2, 1)" });
    }
  };

  // The focus goes to the next cell, for Shift + Enter; in Voilà, where nothing is run, to what it shows.
  const goOn = () => {
    const next = el.closest(".jp-Cell")?.nextElementSibling;
    if (next && !next.hasAttribute("tabindex")) next.tabIndex = -1;
    next?.focus();
  };

  // ---- files
  const save = ({ file, text }) => {
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
      if (!file) return;
      const large = file.size > model.get("largest"); // such a file stays where it is, and that is said
      send({ do: large ? "too_large" : dataset.do, value: large ? "" : await file.text(), file: file.name });
    };
    picker.click();
  };

  // ---- what is pressed
  const tell = ({ dataset, value }) => send({ do: dataset.do, value: dataset.value ?? value ?? "" });
  const pressed = (element) => {
    if (!element || !root.contains(element)) return false;
    if (element.dataset.pick) pick(element);
    else tell(element);
    return true;
  };
  const at = new WeakMap(); // how far back in its past a field is
  const recall = (field, step) => {
    const past = JSON.parse(field.dataset.past);
    at.set(field, Math.min(Math.max((at.get(field) ?? past.length) + step, 0), past.length));
    field.value = past[at.get(field)] ?? "";
    tell(field);
  };
  const PRESSED = "[data-do]:not(input, select, [aria-disabled=true])";
  listen("click", (event) => {
    const summary = event.target.closest("details[data-toggle] > summary");
    if (!summary) return pressed(event.target.closest(PRESSED));
    event.preventDefault(); // Python opens it, with what is to be read in it
    const { toggle, value } = summary.parentElement.dataset;
    send({ do: toggle, value });
  });
  listen("input", (event) => event.target.matches(":is(input, textarea)[data-do]") && tell(event.target));
  listen("change", (event) => event.target.matches("select[data-do]") && tell(event.target));
  listen("keydown", (event) => {
    event.stopPropagation(); // Jupyter's "dd" is not for what is pressed in here
    const { dataset } = event.target;
    if (event.key === "Enter" && event.shiftKey && event.target.matches("button, summary")) goOn();
    else if (event.key === "Enter" && dataset.enter) {
      send({ do: dataset.enter, value: dataset.value ?? "" });
      if (dataset.past && at.set(event.target)) event.target.value = "";
    } else if (dataset.past && (event.key === "ArrowUp" || event.key === "ArrowDown")) recall(event.target, ARROWS[event.key][0]);
    else if (event.key === "Delete" && dataset.delete) send({ do: dataset.delete, value: dataset.deleteValue ?? dataset.value });
    else if (dataset.at && ARROWS[event.key]) neighbour(dataset.at, ARROWS[event.key])?.focus();
    else if (dataset.keys && KEYS.includes(event.key)) send({ do: dataset.keys, value: `${dataset.value ?? ""} ${event.key}`.trim() });
    else if (!((event.key === "Enter" || event.key === " ") && event.target.matches(`[role=button]${PRESSED}`) && pressed(event.target))) return;
    event.preventDefault();
  });
  root.addEventListener("focusin", (event) => event.target.setAttribute(OURS, "true"));

  // ---- what is dragged, and made larger
  let turned = 0; // by the wheel, since the picture was made larger last
  root.addEventListener("wheel", (event) => {
    const { pan } = event.target.closest("[data-pan]")?.dataset ?? {};
    if (!pan || !event.ctrlKey || event.target.closest("[data-page]") !== root) return;
    event.preventDefault();
    turned += event.deltaY;
    if (Math.abs(turned) < 60) return;
    send({ do: pan, value: turned < 0 ? "1" : "-1" });
    turned = 0;
  }, { passive: false });
  listen("pointerdown", (event) => {
    const handle = event.target.closest("[data-drag]");
    const pan = !handle && event.target.closest("[data-pan]");
    if (!handle && !pan) return;
    const from = { x: event.clientX, y: event.clientY, left: pan?.scrollLeft, top: pan?.scrollTop };
    const on = (moved) => {
      if (pan) return pan.scrollTo(from.left + from.x - moved.clientX, from.top + from.y - moved.clientY);
      const along = root.querySelector("[data-along]").getBoundingClientRect();
      const part = Math.min(Math.max((moved.clientX - along.left) / along.width, 0), 1);
      send({ do: handle.dataset.drag, value: String(Math.round(1000 * part)) });
    };
    const off = () => {
      removeEventListener("pointermove", on);
      removeEventListener("pointerup", off);
    };
    addEventListener("pointermove", on);
    addEventListener("pointerup", off);
  });

  model.on("change:html change:hosted", draw);
  model.on("msg:custom", received);
  draw();
  return () => {
    for (const place of [...hosted.keys()]) leave(place);
    model.off("change:html change:hosted", draw);
    model.off("msg:custom", received);
  };
}

export default { render };
