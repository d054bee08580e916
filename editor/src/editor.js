// The policy editor in the browser. What is wrong, what decides and what could be written is worked out in Python
// (simlib/lab/policy/); here it is only shown. All text from there goes to the page as text, never as markup.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, startCompletion } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, redo, undo } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { forEachDiagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { limited } from "./limit.js";
import { EditorView, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import { tagHighlighter, tags } from "@lezer/highlight";
import { breaks } from "./breaks.js";
import { button, element, iconButton, sign, tabs } from "./parts.js";
import { remarks, sentence, setRemarks, statements } from "./statements.js";
import { world } from "./world.js";

const colours = tagHighlighter([
  { tag: tags.propertyName, class: "sle-name" },
  { tag: tags.string, class: "sle-string" },
  { tag: [tags.number, tags.bool, tags.null], class: "sle-word" },
]);

let views = 0;

/** The places of a text that Python counts, as they are counted here; none is beyond its end. */
function places(doc) {
  const text = doc.toString();
  const units = /[\ud800-\udbff]/.test(text) ? [...text] : null;
  return (place) => Math.min(units ? units.slice(0, place).join("").length : place, doc.length);
}

function render({ model, el }) {
  const me = `sle-${views++}-${Math.random().toString(36).slice(2)}`;
  let front = model.get("front");
  let only = []; // the documents that this view shows; none: all
  const mine = () => (only.length ? only : model.get("documents").map((_, index) => index));
  let here = null; // where a sentence is told
  let fromOutside = false; // a change that was not made here

  // ---- words to choose from: asked of Python, answered by a message
  const asked = new Map();
  let questions = 0;
  function words(context) {
    const id = `${me}-${questions++}`;
    const text = context.state.doc.toString();
    const offset = [...text.slice(0, context.pos)].length; // Python counts a character beyond the first 65,536 as one
    const question = { ask: "words", id, index: front, text, offset, asked: context.explicit };
    return new Promise((resolve) => {
      asked.set(id, resolve);
      context.addEventListener("abort", () => asked.delete(id) && resolve(null), { onDocChange: true });
      model.send(question);
    });
  }
  function option({ text, detail }, { end, before, after }) {
    return {
      label: text.length > 80 ? `${text.slice(0, 79)}…` : text,
      detail,
      apply(view, _, from) {
        const unfinished = /[:/]$/.test(text); // a service, a family of tags: there is more to choose
        const caret = from + before.length + text.length + (unfinished ? 0 : after.length);
        view.dispatch({
          changes: { from, to: end, insert: before + text + after },
          selection: { anchor: caret },
          userEvent: "input.complete",
        });
        if (unfinished) startCompletion(view);
      },
    };
  }
  function answered(message) {
    const resolve = asked.get(message.id);
    if (!resolve) return;
    asked.delete(message.id);
    const at = places(view.state.doc);
    const found = message.words.map((word) => option(word, { ...message, end: at(message.end) }));
    resolve(found.length ? { from: at(message.start), options: found, filter: false } : null);
  }

  // ---- the editor: one, with a state for each document
  const extensions = (document) => [
    lineNumbers(),
    lintGutter(),
    history(),
    highlightSpecialChars(),
    json(),
    syntaxHighlighting(colours),
    indentUnit.of("  "),
    indentOnInput(),
    bracketMatching(),
    closeBrackets(),
    autocompletion({ override: [words], activateOnTypingDelay: 60, icons: false }),
    statements,
    breaks,
    limited(document.longest, document.limit, (sentence) => (here.textContent = sentence)),
    EditorView.lineWrapping,
    EditorState.readOnly.of(document.read_only),
    EditorView.contentAttributes.of({ "aria-label": document.title, spellcheck: "false", tabindex: "0" }),
    keymap.of([
      { key: "F8", run: (view) => step(view, 1), shift: (view) => step(view, -1) },
      { key: "Mod-s", run: () => true }, // not the browser's "save this page"
      ...closeBracketsKeymap,
      ...completionKeymap,
      ...historyKeymap,
      ...defaultKeymap, // Tab is not among them: it leaves the editor
    ]),
    // who comes back by Tab finds the caret where it was, also if the text around it was marked meanwhile
    EditorView.domEventHandlers({ focus: (_, back) => void back.dispatch({ selection: back.state.selection }) }),
    EditorView.updateListener.of((update) => update.docChanged && !fromOutside && typed()),
  ];
  const state = (document, text) => EditorState.create({ doc: text, extensions: extensions(document) });
  const states = model.get("documents").map((document, index) => state(document, model.get("texts")[index] ?? document.text));
  const view = new EditorView({ state: states[front] });
  const stateOf = (index) => (index === front ? view.state : states[index]);
  function update(index, change) {
    if (index === front) view.dispatch(change);
    else states[index] = states[index].update(change).state;
  }

  // What is typed here counts until Python has seen it: what comes from there meanwhile speaks of an earlier text.
  let sent = -1; // the revision of what was typed last
  let unseen = new Set(); // the documents typed into since Python answered last
  let setting = false;
  function typed() {
    sent = Math.max(sent, model.get("revision")) + 1;
    unseen.add(front);
    setting = true;
    model.set({ texts: states.map((_, index) => stateOf(index).doc.toString()), revision: sent });
    setting = false;
    model.save_changes();
  }

  // ---- around it
  const root = element("div", "simlib sle");
  root.setAttribute("data-lm-suppress-shortcuts", "true");
  root.addEventListener("keydown", (event) => event.stopPropagation()); // else "dd" deletes the notebook's cell
  const bar = tabs(me, model.get("label"), (index) => bring(mine()[index]));
  const panel = element("div", "sle-panel");
  panel.id = `${me}-panel`;
  panel.append(view.dom);
  const tools = element("div", "sl-tools");
  tools.append(
    iconButton("undo", "Undo", () => undo(view)),
    iconButton("redo", "Redo", () => redo(view)),
    iconButton("suggest", "Suggest", () => startCompletion(view), "Suggest at the cursor (Ctrl+Space)"),
    iconButton("right", "Next remark", () => step(view, 1), "Next remark (F8)"),
  );
  tools.addEventListener("click", () => view.focus());
  here = element("p", "sle-here sl-small");
  here.setAttribute("role", "status");
  const summary = element("p", "sle-summary sl-small");
  summary.setAttribute("role", "status");
  const list = element("div", "sle-list sl-small");
  const more = element("details", "sl-open sl-small");
  const stored = world(model, model.get("label"), () => front, () => unseen.clear());
  root.append(bar.element, panel, tools, summary, here, list, stored.element, more);
  root.dataset.documents = "";
  const showOnly = (numbers) => {
    const wanted = numbers.split(" ").filter(Boolean).map(Number);
    if (wanted.join() === only.join()) return;
    only = wanted;
    bring(deciding());
  };
  root.addEventListener("only", ({ detail }) => showOnly(detail)); // a page may host it before it stands there, or after
  requestAnimationFrame(() => showOnly(root.closest("[data-only]")?.dataset.only ?? only.join(" ")));
  el.append(root);

  // ---- remarks: mistakes, warnings, and what each statement did
  let shown = "";
  let about; // the question for whose answer a document was brought to the front
  const deciding = () => mine().find((index) => model.get("marks").documents[index]?.decides);
  function show() {
    const marks = model.get("marks");
    if (marks.revision === model.get("revision")) {
      if (about !== marks.about) {
        about = marks.about;
        return bring(deciding());
      }
      marks.documents.forEach((said, index) => {
        const state = stateOf(index);
        const at = places(state.doc);
        const diagnostics = said.findings.map(({ start, end, level, place, text }) => ({
          from: at(start),
          to: at(end),
          severity: level,
          message: `${level === "error" ? "Mistake" : "Careful"}. ${place}: ${text}`,
        }));
        const spans = said.spans.map(({ start, end }) => ({ from: at(start), to: at(end) }));
        update(index, { effects: setRemarks.of({ spans, remarks: said.remarks, stale: said.stale }) });
        update(index, setDiagnostics(stateOf(index), diagnostics));
        const mark = said.begun ? " ○ not there yet" : said.stale ? " ✘ not a policy yet" : said.changed ? " ● not applied" : "";
        if (mine().includes(index)) bar.mark(mine().indexOf(index), mark, said.stale);
      });
      const said = marks.documents[front];
      stored.show(marks, said);
      root.classList.toggle("sle-stale", said.stale);
      const now = JSON.stringify([front, said.summary, said.findings, said.remarks]);
      if (now !== shown) tell(said);
      shown = now;
    }
  }
  function tell(said) {
    if (summary.textContent !== said.summary) summary.textContent = said.summary;
    here.textContent = "";
    const item = (kind, shape, head, text, goTo) => {
      const line = element("li", kind);
      line.append(sign(shape), button(head, goTo, "sle-go"), element("span", "", ` ${text}`));
      return line;
    };
    const lines = (items) => {
      const made = element("ul", "sle-lines");
      made.append(...items);
      return items.length ? [made] : [];
    };
    const finding = (each) =>
      item(each.level, each.level === "error" ? "no" : "care", each.place, each.text, () => go(places(view.state.doc)(each.start), each.text));
    const remark = (each) =>
      item(each.state, each.shape, each.title, sentence({ ...each, title: "" }).trim(), () => {
        const found = remarks(view.state).find((other) => other.index === each.index);
        if (found) go(found.from, found.text);
      });
    list.replaceChildren(...lines(said.findings.map(finding)));
    const title = said.stale ? "Statements of the last complete text" : "Statements, one by one";
    more.replaceChildren(element("summary", "", title), ...lines(said.remarks.map(remark)));
    more.hidden = !said.remarks.length;
  }
  function go(from, text) {
    view.dispatch({ selection: { anchor: Math.min(from, view.state.doc.length) }, scrollIntoView: true });
    view.focus();
    here.textContent = text;
  }
  function step(editor, direction) {
    const found = remarks(editor.state);
    forEachDiagnostic(editor.state, (diagnostic, from) => found.push({ from, text: diagnostic.message }));
    found.sort((one, other) => (one.from - other.from) * direction);
    if (!found.length) {
      here.textContent = "There is no remark in this document.";
      return true;
    }
    const at = editor.state.selection.main.head;
    const next = found.find(({ from }) => (from - at) * direction > 0) ?? found[0];
    const line = editor.state.doc.lineAt(next.from);
    go(next.from, `Line ${line.number}. ${found.filter(({ from }) => from === next.from).map(({ text }) => text).join(" ")}`);
    return true;
  }

  // ---- what Python or another view of the same editor has changed
  function follow() {
    if (setting) return;
    grow();
    if (model.get("marks").seen >= sent) unseen.clear();
    let again = false;
    fromOutside = true;
    model.get("texts").forEach((text, index) => {
      const now = stateOf(index).doc.toString();
      if (now === text) return;
      if (unseen.has(index)) {
        again = true;
        return;
      }
      let from = 0;
      let same = 0;
      const most = Math.min(now.length, text.length);
      while (from < most && now[from] === text[from]) from++;
      while (same < most - from && now[now.length - 1 - same] === text[text.length - 1 - same]) same++;
      update(index, { changes: { from, to: now.length - same, insert: text.slice(from, text.length - same) } });
    });
    fromOutside = false;
    if (again) typed();
    else if (model.get("marks").revision >= sent) unseen.clear();
    show();
  }
  // Documents that have come: they stand behind the others, which keep their places.
  function grow() {
    const documents = model.get("documents");
    for (const document of documents.slice(states.length)) states.push(state(document, document.text));
    bar.name(mine().map((index) => documents[index]?.name ?? ""));
    bar.choose(mine().indexOf(front));
    if (bar.isTabs()) panel.setAttribute("role", "tabpanel");
    else panel.removeAttribute("role");
  }
  function bring(wanted = model.get("front")) {
    grow();
    const next = [wanted, front, ...mine()].find((index) => mine().includes(index));
    if (next !== front) {
      states[front] = view.state;
      front = next;
      view.setState(states[front]);
    }
    if (wanted === front && model.get("front") !== front) {
      model.set("front", front);
      model.save_changes();
    }
    bar.choose(mine().indexOf(front));
    if (bar.isTabs()) panel.setAttribute("aria-labelledby", bar.idOf(mine().indexOf(front)));
    else panel.removeAttribute("aria-labelledby");
    shown = "";
    show();
  }
  const brought = () => bring();
  model.on("change:documents change:texts change:marks", follow);
  model.on("change:front", brought);
  model.on("msg:custom", answered);
  bring();
  return () => {
    model.off("change:documents change:texts change:marks", follow);
    model.off("change:front", brought);
    model.off("msg:custom", answered);
    view.destroy();
    root.remove();
  };
}

export default { render };
