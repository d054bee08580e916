// Bundles the policy editor into simlib/lab/policy_editor.js, and lists what is in the bundle in THIRD_PARTY.md.
// `node build.mjs [FOLDER]`: writes both to that folder instead.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const elsewhere = process.argv[2];
const target = join(elsewhere ?? join(here, "..", "simlib", "lab"), "policy_editor.js");
process.chdir(here); // so that the bundle does not depend on where it was made

// A mark of what the bundle was made from, so that a forgotten build is noticed where there is no Node.js.
const mark = createHash("sha256");
const sources = readdirSync("src").sort().map((name) => `src/${name}`);
for (const path of [...sources, "build.mjs", "package-lock.json", "package.json"]) mark.update(readFileSync(path));

const { metafile } = await build({
  entryPoints: ["src/editor.js"],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "ascii",
  legalComments: "none",
  banner: {
    js: `// Made by \`nox -s bundle\` from editor/, whose SHA-256 is ${mark.digest("hex")}.\n// Licences: editor/THIRD_PARTY.md`,
  },
  metafile: true,
  outfile: target,
});

const inside = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
const names = [...new Set(inside.filter(([, { bytesInOutput }]) => bytesInOutput > 0)
  .map(([path]) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1])
  .filter(Boolean))].sort();
const sections = names.map((name) => {
  const folder = join("node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = ["LICENSE", "LICENSE.md", "LICENSE.txt"].map((each) => join(folder, each)).find((each) => existsSync(each));
  if (!file) throw new Error(`${name} comes without a licence text`);
  const text = readFileSync(file, "utf8").replace(/\r\n/g, "\n").trim();
  return `## ${name} ${version} (${license})\n\n\`\`\`\n${text}\n\`\`\`\n`;
});
const head = "# What is in simlib/lab/policy_editor.js besides our own code\n\nWritten by build.mjs.\n";
writeFileSync(join(elsewhere ?? here, "THIRD_PARTY.md"), [head, ...sections].join("\n"));
