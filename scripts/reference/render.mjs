// A page of the reference: what one part of the package exports, each name with its signature, its comment and its members.
import { ReflectionKind } from "typedoc";
import { aliasText, callText, headText, propertyText } from "./signature.mjs";

/** What all handles have by these names is said once, in the reference's first page. */
const isSymbolNamed = (member) => member.name.startsWith("[");

const anchorOf = (name) => name.toLowerCase();

export class Page {
  #part;
  #pages;

  /** @param pages Which page has an exported name. */
  constructor(part, pages) {
    this.#part = part;
    this.#pages = pages;
  }

  toString() {
    const { comment, children } = this.#part;
    const [title, ...intro] = this.#text(comment?.summary).split("\n");
    const parts = [
      `# ${title}`,
      intro.join("\n").trim(),
      this.#contents(children),
      ...children.map((c) => this.#entry(c)),
    ];
    return `${parts.filter(Boolean).join("\n\n")}\n`;
  }

  #contents(children) {
    return children
      .map(
        (child) =>
          `- [\`${child.name}\`](#${anchorOf(child.name)}): ${firstSentence(this.#text(commentOf(child)?.summary))}`,
      )
      .join("\n");
  }

  #entry(declaration) {
    const comment = commentOf(declaration);
    const head = [`## ${declaration.name}`, code(this.#signatures(declaration)), this.#text(comment?.summary)];
    const call = (constructorOf(declaration) ?? declaration).signatures?.[0];
    return [
      ...head,
      [...this.#parameters(call?.parameters), ...this.#results(call?.comment ?? comment)].join("\n"),
      ...this.#examples(comment),
      this.#members(declaration),
    ]
      .filter(Boolean)
      .join("\n\n");
  }

  #signatures(declaration) {
    switch (declaration.kind) {
      case ReflectionKind.Function:
        return declaration.signatures.map((signature) => callText(signature)).join("\n");
      case ReflectionKind.TypeAlias:
        return aliasText(declaration);
      case ReflectionKind.Class:
        return [headText(declaration, (name) => this.#pages.has(name)), ...constructorsOf(declaration)].join("\n");
      default:
        return headText(declaration, (name) => this.#pages.has(name));
    }
  }

  #members(declaration) {
    return membersOf(declaration, this.#pages)
      .map((member) => this.#member(member))
      .join("\n");
  }

  #member(member) {
    const prefix = member.flags.isStatic ? "static " : "";
    const comment = commentOf(member);
    const calls = member.kind === ReflectionKind.Method ? member.signatures : undefined;
    const texts = calls === undefined ? [propertyText(member)] : calls.map((call) => callText(call));
    const signature = texts.map((text) => `\`${prefix}${text}\``).join("<br>");
    const what = summaryOf(member, (parts) => this.#text(parts));
    const details = [...this.#parameters(calls?.[0].parameters), ...this.#results(comment), ...this.#examples(comment)];
    return [`- ${signature}${what === "" ? "" : `\\\n${what}`}`, ...details]
      .map((block, i) => (i === 0 ? block.replaceAll("\n", "\n  ") : indent(block)))
      .join("\n");
  }

  #parameters(parameters = []) {
    return parameters
      .filter(({ comment }) => comment !== undefined)
      .map(({ name, comment }) => `- \`${name}\`: ${oneLine(this.#text(comment.summary))}`);
  }

  #results(comment) {
    const returns = comment?.getTag("@returns");
    const throws = comment?.getTags("@throws") ?? [];
    return [
      ...(returns === undefined ? [] : [`- Returns ${oneLine(this.#text(returns.content))}`]),
      ...throws.map(({ content, typeAnnotation = "" }) => {
        const errors = typeAnnotation.replaceAll(/[{}]/g, "").replaceAll(/\w+/g, (name) => this.#link(name));
        return `- Throws ${errors} ${oneLine(this.#text(content)).replace(/^If /, "if ")}`;
      }),
    ];
  }

  #examples(comment) {
    return (comment?.getTags("@example") ?? []).map(({ name, content }) =>
      [name ?? "", this.#text(content)].filter(Boolean).join("\n\n"),
    );
  }

  #text(parts = []) {
    const each = parts.map(({ kind, text }) => (kind === "inline-tag" ? this.#link(text) : text));
    return each.join("").replaceAll("](../../../docs/", "](../").trim();
  }

  #link(name) {
    const page = this.#pages.get(name);
    const at = page === this.#part.name ? "" : `${page}.md`;
    return page === undefined ? `\`${name}\`` : `[\`${name}\`](${at}#${anchorOf(name)})`;
  }
}

const code = (text) => `\`\`\`typescript\n${text}\n\`\`\``;
const indent = (text) => text.replace(/^(?=.)/gm, "  ");
const oneLine = (text) => text.replaceAll(/\s*\n\s*/g, " ");
const firstSentence = (text) =>
  oneLine(text)
    .match(/^.*?[.:;](?=\s|$)/)?.[0]
    .replace(/[.:;]$/, "") ?? oneLine(text);

const constructorOf = (declaration) => declaration.children?.find(({ kind }) => kind === ReflectionKind.Constructor);

function constructorsOf(declaration) {
  const signatures = constructorOf(declaration)?.signatures ?? [];
  return signatures.map((signature) => callText(signature, `new ${declaration.name}`));
}

/** The comment of a declaration stands at its first signature where it has some. */
export function commentOf(declaration) {
  const signatures = [...(declaration.signatures ?? []), declaration.getSignature, declaration.setSignature];
  return signatures.find((signature) => signature?.comment !== undefined)?.comment ?? declaration.comment;
}

/** Its members, but for those that it has from another name of the reference; a Context has the exported names. */
export function membersOf(declaration, names) {
  const members = (declaration.children ?? []).filter((member) => {
    if (isSymbolNamed(member) || member.name.startsWith("_") || member.kind === ReflectionKind.Constructor)
      return false;
    if (declaration.name === "Context" && names.has(member.name)) return false;
    return !names.has(member.inheritedFrom?.name.split(".")[0]);
  });
  // What a class has of a base that is no part of the public surface stands after what is its own.
  const isOwn = ({ inheritedFrom }) => inheritedFrom === undefined;
  return [...members.filter(isOwn), ...members.filter((member) => !isOwn(member))];
}

/** What it does, in words; what blocks and has a promise's twin needs none of its own, nor does what replaces another's member. */
export function summaryOf(member, text) {
  const own = text(commentOf(member)?.summary);
  if (own !== "") return own;
  if (member.overwrites !== undefined)
    return text(member.overwrites.reflection && commentOf(member.overwrites.reflection)?.summary);
  const twin = member.parent.children.find(({ name }) => `${name}Sync` === member.name);
  return twin === undefined ? "" : `As \`${twin.name}\`, blocking.`;
}
