// Puts a panel's still picture into the notebook that is open, so that it is saved: into the output before the one with
// the panel's widget. Voilà has no notebook to save.

const VIEW = "application/vnd.jupyter.widget-view+json";
const DEAD = ["autorestarting", "dead", "terminating"]; // at "restarting" the widgets find out by themselves

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
  return () => {
    context.sessionContext.statusChanged.disconnect(state);
    context.sessionContext.kernelChanged.disconnect(changed);
  };
}

export default { initialize };
