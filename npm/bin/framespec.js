#!/usr/bin/env node
// Starts the program `conformance` that the package for this platform holds, and ends as it ends.
"use strict";

const { spawn } = require("node:child_process");
const { constants } = require("node:os");

const COULD_NOT = 3;
const PACKAGE = `framespec-${process.platform}-${process.arch}`;

function find() {
  const name = process.platform === "win32" ? "conformance.exe" : "conformance";
  try {
    return require.resolve(`${PACKAGE}/bin/${name}`);
  } catch {
    return undefined;
  }
}

function refuse(what) {
  console.error(`error: ${what}`);
  console.error(
    "try: npm install framespec, without --omit=optional or --no-optional; where there is no such package for this" +
      " machine, build the program with Rust 1.88 or newer: cargo install --locked --path . in a clone of the repository",
  );
  process.exitCode = COULD_NOT;
}

function run(program) {
  const child = spawn(program, process.argv.slice(2), { stdio: "inherit" });
  child.on("error", (error) => refuse(`${program} cannot be started: ${error.message}`));
  // A terminal interrupts both; the program then ends its server and reports, and is waited for.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) {
    process.on(signal, () => child.kill(signal));
  }
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
}

const program = find();
if (program === undefined) {
  refuse(`the program is not there: no package ${PACKAGE} is installed`);
} else {
  run(program);
}
