// Which statement decides: a field that keeps each statement's place while one types, and what was said of it.
import { StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, hoverTooltip, WidgetType } from "@codemirror/view";
import { element, sign } from "./parts.js";

export const setRemarks = StateEffect.define();

class Badge extends WidgetType {
  constructor(remark, stale, short) {
    super();
    this.remark = remark;
    this.stale = stale;
    this.names = owners(remark.owners.map((name) => short.get(name)));
  }

  eq(other) {
    return this.stale === other.stale && JSON.stringify([this.remark, this.names]) === JSON.stringify([other.remark, other.names]);
  }

  toDOM() {
    const { state, shape, word } = this.remark;
    const colour = { allows: " is-yes", denies: " is-no" }[state] ?? "";
    const made = element("span", `sl-badge sle-badge sle-${this.stale ? "old" : state}${this.stale ? "" : colour}`);
    made.append(...this.names.map((name) => element("span", "sl-n", name)), sign(shape), word);
    return made;
  }
}

const LETTERS = 14; // of names in a badge; at 390 pixels a line has room for no more

/** As many names as there is room for, one at least, and how many are left out. */
function owners(names) {
  const fitting = names.filter((_, index) => !index || names.slice(0, index + 1).join("").length <= LETTERS);
  return fitting.length < names.length ? [...fitting, `+${names.length - fitting.length}`] : fitting;
}

/** Each name without its middle where it is long, and no two alike. */
function shortened(names, letters = LETTERS) {
  const cut = (name) => (name.length > letters ? `${name.slice(0, letters / 2)}…${name.slice(1 - letters / 2)}` : name);
  const short = new Map(names.map((name) => [name, cut(name)]));
  return new Set(short.values()).size === short.size ? short : shortened(names, letters + 4);
}

function drawn({ spans, remarks, stale }, doc) {
  const short = shortened(remarks.flatMap((remark) => remark.owners));
  const marks = [];
  for (const remark of remarks) {
    const span = spans[remark.index];
    if (!span || span.from >= span.to) continue;
    const kind = stale && remark.state !== "missed" ? "off" : remark.bar;
    for (let line = doc.lineAt(span.from); ; line = doc.line(line.number + 1)) {
      marks.push(Decoration.line({ class: `sle-line sle-line-${kind}` }).range(line.from));
      if (line.to >= span.to) break;
    }
    marks.push(Decoration.widget({ widget: new Badge(remark, stale, short), side: 1 }).range(span.from + 1));
    if (remark.state === "missed") {
      marks.push(Decoration.mark({ class: "sle-grey" }).range(span.from, span.to));
    }
  }
  return Decoration.set(marks, true);
}

const field = StateField.define({
  create: () => ({ spans: [], remarks: [], stale: false, decorations: Decoration.none }),
  update(value, transaction) {
    if (transaction.docChanged) {
      const spans = value.spans.map(({ from, to }) => ({
        from: transaction.changes.mapPos(from, 1),
        to: transaction.changes.mapPos(to, -1),
      }));
      value = { ...value, spans, decorations: value.decorations.map(transaction.changes) };
    }
    for (const effect of transaction.effects) {
      if (!effect.is(setRemarks)) continue;
      // a text that is no policy has no statements to point at: those of the last one stay where they have moved to
      const { spans, remarks, stale } = effect.value;
      value = { spans: stale ? value.spans : spans, remarks, stale };
      value.decorations = drawn(value, transaction.state.doc);
    }
    return value;
  },
  provide: (self) => EditorView.decorations.from(self, (value) => value.decorations),
});

export const sentence = ({ title, word, owners, reason }) =>
  `${title} ${word}${owners.length ? `: ${owners.join(", ")}` : ""}${reason ? `: ${reason}` : ""}.`;

/** Every statement something was said of: { index, from, to, text }. */
export function remarks(state) {
  const { spans, remarks: said } = state.field(field);
  return said
    .filter(({ index }) => spans[index] && spans[index].from < spans[index].to)
    .map((remark) => ({ ...spans[remark.index], index: remark.index, text: sentence(remark) }));
}

const hover = hoverTooltip(
  (view, position) => {
    const found = remarks(view.state).find(({ from, to }) => from <= position && position <= to);
    if (!found) return null;
    return { pos: found.from, end: found.to, above: true, create: () => ({ dom: element("div", "sle-hover", found.text) }) };
  },
  // it speaks of a text and of what was said of it, and goes with either
  { hideOn: (change) => change.docChanged || change.effects.some((effect) => effect.is(setRemarks)) },
);

export const statements = [field, hover];
