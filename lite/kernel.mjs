// Python for JupyterLite's kernel, which asks for it as for Pyodide itself. It is not started but woken: the build has
// started it, imported what every lesson imports, and kept its memory (freeze.mjs). Here that memory and the files of
// the packages are put in their places. What has compiled parts cannot be kept so; Pyodide loads it afterwards, and the
// first cell that imports something waits for it.

import { put } from "./files.mjs";
import createModule from "./pyodide.asm.mjs";
import { loadPyodide as start } from "./pyodide.mjs";

const WAKE = `
import gc, importlib, random, time
for each in gc.get_objects():
    if issubclass(type(each), random.Random):
        each.seed()  # else every reader had the same access keys
importlib.reload(time)  # the reader's time zone, not that of the build
del each, gc, importlib, random, time`;

let asked = {};  // by JupyterLite, perhaps when Python is awake already (see early.js)
const awake = wake();

export function loadPyodide(options) {
  asked = options;
  return awake;
}

async function wake() {
  const memory = unpacked("memory.bin"), files = unpacked("files.bin");  // while WebAssembly is compiled
  let api, compiled;
  const waiting = async (code, ...more) => {
    if (code.includes("import")) await compiled;
    return api.public_api.loadPackagesFromImports(code, ...more);
  };
  const pyodide = await start({
    indexURL: new URL(".", import.meta.url).href,
    stdout: text => asked.stdout?.(text),
    stderr: text => asked.stderr?.(text),
    fsInit: async (FS, { sitePackages }) => put(FS, sitePackages, await files),
    createPyodideModule: async settings => {
      ({ API: api } = settings);
      const module = await createModule(settings), kept = await memory, { restoreSnapshot } = api;
      module.growMemory(kept.length);  // Pyodide leaves it as small as it begins, pyodide/pyodide#6254
      api.restoreSnapshot = () => restoreSnapshot(kept);
      return module;
    },
    _loadSnapshot: new Uint8Array(),  // in the place of the one above, for which WebAssembly need not wait
    _snapshotDeserializer: name => name === "loadPackagesFromImports" ? waiting : api.public_api[name] ?? api[name],
  });
  pyodide.runPython(WAKE);
  compiled = pyodide.loadPackage(Object.keys(pyodide.lockfile.packages));
  return pyodide;
}

async function unpacked(name) {
  const packed = await fetch(new URL(name, import.meta.url));
  const stream = packed.body.pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
