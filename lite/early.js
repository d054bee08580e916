// Stands first in JupyterLab's page: Python wakes while JupyterLab loads, and JupyterLab's first kernel finds it awake.
// Its worker must belong to the service worker, which serves it the reader's files; before there is one it waits.
{
  const VERSION = "";  // of JupyterLite, filled in when the site is built
  const Plain = Worker, keeper = navigator.serviceWorker;
  let early, wanted = new URLSearchParams(location.search).has("path") && !crossOriginIsolated;
  const wake = () => {
    if (wanted) early = new Plain("../static/pyodide/worker.mjs", { type: "module" });
    wanted = false;
  };
  window.Worker = class extends Plain {
    constructor(url, options) {
      const kernels = String(url).includes("/comlink.worker."), found = kernels && early;
      if (kernels) wanted = early = undefined;
      if (found) return found;
      super(url, options);
    }
  };
  if (keeper?.controller) wake();
  else keeper?.addEventListener("controllerchange", wake, { once: true });
  const { href } = new URL("../service-worker.js?enableCache=false", location);  // as JupyterLite registers it, later
  localStorage.setItem(`${href}-version`, VERSION);  // else JupyterLite takes it for an older one and removes it
  keeper?.register(href).catch(() => {});  // JupyterLite says what hinders it
}
