// How the reference writes what TypeScript declares: a line for each signature, as one would write it oneself.
import { ReflectionKind } from "typedoc";

function typeParameters(parameters) {
  if (parameters === undefined || parameters.length === 0) return "";
  const each = parameters.map(({ name, type, default: byDefault }) => {
    const bound = type === undefined ? "" : ` extends ${type}`;
    return `${name}${bound}${byDefault === undefined ? "" : ` = ${byDefault}`}`;
  });
  return `<${each.join(", ")}>`;
}

function parameter({ name, type, flags, defaultValue }) {
  const optional = flags.isOptional || defaultValue !== undefined;
  const known = name === "__namedParameters" ? "options" : name;
  return `${flags.isRest ? "..." : ""}${known}${optional ? "?" : ""}: ${typeText(type)}`;
}

/** A function's type is written here: typedoc leaves the dots of a rest parameter out. */
function typeText(type) {
  const [signature] = type.declaration?.signatures ?? [];
  if (signature === undefined) return String(type).replaceAll("<ArrayBufferLike>", "").replaceAll(", any, any>", ">");
  return `(${(signature.parameters ?? []).map(parameter).join(", ")}) => ${signature.type}`;
}

/** `acquire(options?: WaitOptions): Promise<boolean>` */
export function callText(signature, name = signature.name) {
  const parameters = (signature.parameters ?? []).filter((each) => each.name !== "this").map(parameter);
  const result = signature.kind === ReflectionKind.ConstructorSignature ? "" : `: ${signature.type}`;
  return `${name}${typeParameters(signature.typeParameters)}(${parameters.join(", ")})${result}`;
}

function isReadonly(member) {
  return member.flags.isReadonly || (member.kind === ReflectionKind.Accessor && member.setSignature === undefined);
}

/** `readonly size: number` */
export function propertyText(member) {
  const type = member.type ?? member.getSignature?.type ?? member.setSignature?.parameters[0].type;
  const value = member.defaultValue?.startsWith('"') ? ` = ${member.defaultValue}` : "";
  return `${isReadonly(member) ? "readonly " : ""}${member.name}${member.flags.isOptional ? "?" : ""}: ${type}${value}`;
}

/** `class Lock`, `interface LockOptions extends …`: the line above the members. */
export function headText(declaration, isPublic) {
  const bases = (declaration.extendedTypes ?? []).filter((type) => isPublic(type.name)).map(String);
  const inherits = bases.length === 0 ? "" : ` extends ${bases.join(", ")}`;
  const kind = declaration.kind === ReflectionKind.Class ? "class" : "interface";
  return `${kind} ${declaration.name}${typeParameters(declaration.typeParameters)}${inherits}`;
}

export function aliasText(declaration) {
  return `type ${declaration.name}${typeParameters(declaration.typeParameters)} = ${declaration.type}`;
}
