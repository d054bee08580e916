// Where a line of a policy may break: a name after a colon or a slash, and
// nowhere else; what is broken hangs. An action longer than the line breaks
// before a capital.
import { RangeSetBuilder } from "@codemirror/state";
import { Decoration, MatchDecorator, ViewPlugin, WidgetType } from "@codemirror/view";

class Break extends WidgetType {
  eq() {
    return true;
  }
  toDOM() {
    return document.createElement("wbr");
  }
}

const here = Decoration.widget({ widget: new Break(), side: 1 });
const action = Decoration.mark({ class: "sle-action" });
const whole = Decoration.mark({ class: "sl-nb" });
const LONGEST = 40; // letters of a part that is kept whole

const names = new MatchDecorator({
  regexp: /"[a-z0-9-]+:[A-Za-z*]{4,}",?|[^\s"/:]*-[^\s"/:]*|\d{12}|\/|:(?=[^\s":])/g,
  decorate(add, from, to, [found]) {
    if (found[0] === '"') {
      add(from, to, action); // it stays whole where there is room for it
      for (const { index } of found.matchAll(/(?<=[a-z])[A-Z]/g)) add(from + index, from + index, here);
    } else if (found === "/" || found === ":") add(to, to, here);
    else if (found.length < LONGEST) add(from, to, whole);
  },
});

function hanging(view) {
  const made = new RangeSetBuilder();
  for (const { from, to } of view.visibleRanges) {
    for (let at = from; at <= to; ) {
      const line = view.state.doc.lineAt(at);
      const deep = Math.min(line.text.match(/^ */)[0].length, 24);
      made.add(line.from, line.from, Decoration.line({ attributes: { style: `--in: ${deep}` } }));
      at = line.to + 1;
    }
  }
  return made.finish();
}

const plugin = (make, update) => ViewPlugin.fromClass(
  class {
    constructor(view) {
      this.decorations = make(view);
    }
    update(change) {
      if (change.docChanged || change.viewportChanged) this.decorations = update(change, this.decorations);
    }
  },
  { decorations: (self) => self.decorations },
);

export const breaks = [
  plugin((view) => names.createDeco(view), (change, old) => names.updateDeco(change, old)),
  plugin(hanging, (change) => hanging(change.view)),
];
