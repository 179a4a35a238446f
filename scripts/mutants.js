// What scripts/mutants makes of a server for Node.js: every change of one place, as JSON on standard output.
//
//     node scripts/mutants.js FOLDER FILE NAME…
//
// FOLDER is where acorn and astring are installed. Functions and properties of the given names are not changed. Each change
// says in which function it is, what stood there, what stands there instead, and how the whole file reads then.

"use strict";

const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { resolve } = require("node:path");

const [folder, file, ...notChanged] = process.argv.slice(2);
const installed = createRequire(resolve(folder, "package.json"));
const { parse } = installed("acorn");
const { generate } = installed("astring");

const COMPARED = { "<": "<=", "<=": "<", ">": ">=", ">=": ">", "===": "!==", "!==": "===" };
const RECKONED = { "+": "-", "-": "+", "*": "/", "/": "*", "%": "/", "<<": ">>" };
const ASSIGNED = { "+=": "-=", "-=": "+=" };
const CALLED = {
  min: "max",
  max: "min",
  ceil: "floor",
  readUInt32BE: "readUInt32LE",
  writeUInt32BE: "writeUInt32LE",
  end: "destroy",
  destroy: "end",
};
const LOOPS_AND_BRANCHES = ["IfStatement", "WhileStatement", "DoWhileStatement", "ForStatement", "ConditionalExpression"];
const DROPPED = ["ExpressionStatement", "ThrowStatement", "BreakStatement", "ContinueStatement"];

const EMPTY = { type: "EmptyStatement" };
const UNDEFINED = { type: "Identifier", name: "undefined" };
const literal = (value) => ({ type: "Literal", value });
const not = (argument) => ({ type: "UnaryExpression", operator: "!", prefix: true, argument });

/** Each node with its name of function, and the fields by which it is reached. */
function* places(node, name, path) {
  name = functionName(node) ?? name;
  if (notChanged.includes(name) || notChanged.includes(node.key?.value) || node.type === "ImportDeclaration") {
    return;
  }
  yield { node, name, path };
  for (const [field, value] of Object.entries(node)) {
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) {
        yield* placesOf(item, name, [...path, field, index]);
      }
    } else {
      yield* placesOf(value, name, [...path, field]);
    }
  }
}

function* placesOf(value, name, path) {
  if (typeof value?.type === "string") {
    yield* places(value, name, path);
  }
}

function functionName({ type, id, key }) {
  return { FunctionDeclaration: id?.name, MethodDefinition: key?.name }[type];
}

/** What may stand instead of a node. */
function* insteadOf(node) {
  const { type, operator } = node;
  if (type === "BinaryExpression" && (COMPARED[operator] ?? RECKONED[operator])) {
    yield { ...node, operator: COMPARED[operator] ?? RECKONED[operator] };
  }
  if (LOOPS_AND_BRANCHES.includes(type) && node.test) {
    yield { ...node, test: not(node.test) };
  }
  if (type === "LogicalExpression") {
    yield { ...node, operator: operator === "||" ? "&&" : "||" };
    yield node.left;
    yield node.right;
  }
  if ((type === "UnaryExpression" && "!-".includes(operator)) || type === "AwaitExpression") {
    yield node.argument;
  }
  if (type === "Literal") {
    yield* constants(node.value);
  }
  if (type === "ObjectExpression") {
    yield* node.properties.map((gone) => ({ ...node, properties: node.properties.filter((one) => one !== gone) }));
  }
  if (type === "CallExpression") {
    yield* calls(node);
  }
  yield* statements(node);
}

function* constants(value) {
  if (typeof value === "boolean") {
    yield literal(!value);
  } else if (typeof value === "number") {
    yield* [...new Set([value + 1, value - 1, value * 2, 0])].filter((other) => other !== value).map(number);
  }
}

function number(value) {
  return value < 0 ? { type: "UnaryExpression", operator: "-", prefix: true, argument: literal(-value) } : literal(value);
}

function* calls(node) {
  const { callee } = node;
  if (callee.type !== "MemberExpression") {
    return;
  }
  const other = CALLED[callee.property.name];
  if (other) {
    yield { ...node, callee: { ...callee, property: { ...callee.property, name: other } } };
  }
  // What a method makes of a value is left out.
  if (callee.object.type !== "Super") {
    yield callee.object;
  }
}

function* statements(node) {
  const { type, operator } = node;
  if (DROPPED.includes(type) && node.expression?.operator !== "=") {
    yield EMPTY;
  }
  if (type === "VariableDeclarator" && node.init && node.init.type !== "Literal" && node.id.type === "Identifier") {
    yield { ...node, init: UNDEFINED };
  }
  if (type === "AssignmentExpression") {
    yield operator === "=" ? { ...node, right: UNDEFINED } : { ...node, operator: ASSIGNED[operator] };
  }
  if (type === "ReturnStatement" && node.argument) {
    yield { ...node, argument: null };
  }
  if (type === "TryStatement" && node.finalizer && node.handler) {
    yield { ...node, finalizer: null };
  }
  if (type === "CatchClause" && node.param) {
    yield { ...node, body: { type: "BlockStatement", body: [{ type: "ThrowStatement", argument: node.param }] } };
  }
}

function replaced(tree, path, by) {
  const [step, ...rest] = path;
  if (step === undefined) {
    return by;
  }
  const copy = Array.isArray(tree) ? [...tree] : { ...tree };
  copy[step] = replaced(tree[step], rest, by);
  return copy;
}

function* changes(tree) {
  const seen = new Set([generate(tree)]);
  for (const { node, name, path } of places(tree, "module", [])) {
    for (const other of insteadOf(node)) {
      const text = generate(replaced(tree, path, other));
      if (!seen.has(text)) {
        seen.add(text);
        yield { function: name, before: shown(node), after: shown(other), text };
      }
    }
  }
}

function shown(node) {
  return node.type === "CatchClause" ? `catch ${generate(node.body)}` : generate(node);
}

const options = { ecmaVersion: "latest", sourceType: "module", allowHashBang: true };
console.log(JSON.stringify([...changes(parse(readFileSync(file, "utf8"), options))]));
