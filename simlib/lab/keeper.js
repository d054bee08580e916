// Puts a panel's still picture into the notebook that is open, so that it is saved: into the output before the one with
// the panel's widget. And brings a panel into view whose cell was just run. Voilà has no notebook to save, and runs all.

const VIEW = "application/vnd.jupyter.widget-view+json";
const DEAD = ["autorestarting", "dead", "terminating"]; // at "restarting" the widgets find out by themselves

const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** Scroll to the panel of a cell that the learner has just run: that which is active, or the one before it. */
async function arrive(model, manager) {
  let moved = false; // by the learner, who then looks at something else
  addEventListener("wheel", () => (moved = true), { once: true, passive: true });
  const frame = await manager.get_model(model.get("view"));
  for (let before = -1, tries = 0; tries < 40 && !moved; tries++, await wait(100)) {
    const [view] = await Promise.all(Object.values(frame.views ?? {}));
    const cell = view?.el.closest(".jp-Cell");
    const box = view?.el.getBoundingClientRect();
    if (!cell || box.height !== before || box.height < 20) {
      before = box?.height ?? -1; // it still grows
      continue;
    }
    if (![cell, cell.nextElementSibling].some((each) => each?.matches(".jp-mod-active"))) return;
    const room = view.el.closest(".jp-WindowedPanel-outer, .jp-Notebook").getBoundingClientRect();
    const inside = box.top >= room.top && box.bottom <= room.bottom;
    view.el.style.scrollMargin = "12px";
    if (!inside) view.el.scrollIntoView({ block: box.height > room.height - 24 ? "start" : "nearest" });
    return;
  }
}

function initialize({ model }) {
  const manager = model.widget_manager;
  const context = manager.context;
  if (!context) return;

  const keep = () => {
    for (const { outputs } of context.model.cells) {
      for (let index = 1; index < (outputs?.length ?? 0); index++) {
        if (outputs.get(index).data[VIEW]?.model_id !== model.get("view")) continue;
        const still = outputs.get(index - 1).toJSON();
        const data = { "text/html": model.get("picture"), "text/plain": model.get("text") };
        if (still.data["text/html"] !== data["text/html"]) outputs.set(index - 1, { ...still, data });
      }
    }
  };
  const state = (_, status) => DEAD.includes(status) && manager.disconnect();
  const changed = () => manager.disconnect();
  context.sessionContext.statusChanged.connect(state);
  context.sessionContext.kernelChanged.connect(changed);
  model.on("change:picture", keep);
  keep(); // what the page missed while it was closed
  if (model.get("fresh")) {
    model.set("fresh", false);
    model.save_changes();
    arrive(model, manager);
  }
  return () => {
    context.sessionContext.statusChanged.disconnect(state);
    context.sessionContext.kernelChanged.disconnect(changed);
  };
}

export default { initialize };
