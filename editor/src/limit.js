// More than a policy can ever have is not taken over: it would only hold up the editor, the connection and the kernel.
import { EditorState } from "@codemirror/state";

/** Refuses what would make the text longer than `longest`, and tells why; `limit` is AWS's own limit, in a sentence. */
export function limited(longest, limit, tell) {
  return EditorState.transactionFilter.of((change) => {
    const length = change.docChanged && (change.isUserEvent("input") || change.isUserEvent("move")) ? change.newDoc.length : 0;
    if (length <= longest || length <= change.startState.doc.length) return change;
    const count = (length - change.startState.doc.length).toLocaleString("en");
    tell(`✘ ${count} characters more are too many for a policy. ${limit} The text stays as it was; what you copied is still on the clipboard.`);
    return [];
  });
}
