// node freeze.mjs PYODIDE: start the Python of that folder, which holds files.mjs and the packages' files.bin, let it
// run what stands in standard input, and keep its memory beside them, in memory.bin.

import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";

const folder = process.argv[2];
const from = name => import(pathToFileURL(`${folder}/${name}`));
const { loadPyodide } = await from("pyodide.mjs"), { put } = await from("files.mjs");

globalThis.XMLHttpRequest = class {};  // what Python looks for in every browser, and Node.js lacks
delete WebAssembly.Suspending;  // not every browser has it, and Python remembers whether there was one

const pyodide = await loadPyodide({
  indexURL: folder,
  lockFileContents: { info: JSON.parse(process.argv[3]), packages: {} },
  _makeSnapshot: true,
});
put(pyodide.FS, pyodide._api.sitePackages, gunzipSync(readFileSync(`${folder}/files.bin`)));
pyodide.runPython(readFileSync(0, "utf8"), { globals: pyodide.globals.get("dict")() });

const names = new Map([pyodide._api, pyodide].flatMap(each => Object.getOwnPropertyNames(each).map(name => [each[name], name])));
const serializer = object => names.get(object) ?? fail(object);
const fail = object => { throw new Error(`Python holds on to something of Node.js: ${object}`); };
writeFileSync(`${folder}/memory.bin`, gzipSync(pyodide.makeMemorySnapshot({ serializer }), { level: 6 }));
process.exit();
