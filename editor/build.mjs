// Bundles the policy editor and the pages of the panels, and writes the licences of what is in them beside the editor.
// `node build.mjs [FOLDER]`: writes all to that folder instead.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const elsewhere = process.argv[2];
const place = (...path) => join(elsewhere ?? join(here, "..", "simlib", "lab", ...path.slice(0, -1)), path.at(-1));
const targets = { "src/editor.js": place("policy", "editor.js"), "src/page.js": place("interactive_html.js") };
const licences = place("policy", "editor.licences.md");
process.chdir(here); // so that the bundle does not depend on where it was made

// A mark of what the bundle was made from, so that a forgotten build is noticed where there is no Node.js.
const mark = createHash("sha256");
const sources = readdirSync("src").sort().map((name) => `src/${name}`);
for (const path of [...sources, "../simlib/lab/look.json", "build.mjs", "package-lock.json", "package.json"]) mark.update(readFileSync(path));
const digest = mark.digest("hex");

const about = (name) => JSON.parse(readFileSync(join("node_modules", name, "package.json"), "utf8"));
const all = new Set();
for (const [source, target] of Object.entries(targets)) {
  const { metafile } = await build({
    entryPoints: [source],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    charset: "ascii",
    legalComments: "none",
    banner: {
      js: `// Made by \`nox -s bundle\` from editor/, whose SHA-256 is ${digest}.`,
    },
    metafile: true,
    outfile: target,
  });
  const inside = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  const names = [...new Set(inside.filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1])
    .filter(Boolean))].sort();
  names.forEach((name) => all.add(name));
  const contents = names.map((name) => `${name} ${about(name).version}`).join(", ");
  appendFileSync(target, `// Contains: ${contents}. Their licences: editor.licences.md\n`);
}

const sections = [...all].sort().map((name) => {
  const folder = join("node_modules", name);
  const { version, license } = about(name);
  const file = ["LICENSE", "LICENSE.md", "LICENSE.txt"].map((each) => join(folder, each)).find((each) => existsSync(each));
  if (!file) throw new Error(`${name} comes without a licence text`);
  const text = readFileSync(file, "utf8").replace(/\r\n/g, "\n").trim();
  return `## ${name} ${version} (${license})\n\n\`\`\`\n${text}\n\`\`\`\n`;
});
const head = "# What is in editor.js and interactive_html.js besides our own code\n\nWritten by editor/build.mjs, like both.\n";
writeFileSync(licences, [head, ...sections].join("\n"));
