#!/usr/bin/env node
// The compiler of the npm package `solc` behind the command line of the native one, so that tools
// which start a `solc` (py-solc-x, forge, slither) need no download. It answers
//   --version
//   --standard-json [FILE] [--base-path DIR] [--include-path DIR]… [--allow-paths A,B]
// and refuses anything else with exit status 2.
import { existsSync, mkdirSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";

const require = createRequire(import.meta.url);
const PACKAGE_FILE = require.resolve("solc/package.json");
const STDIN = 0;
const STDOUT = 1;

class Refused extends Error {}

// A pipe may be full: EAGAIN means "later", and leaving early would cut the output.
function writeAll(text) {
  const bytes = Buffer.from(text, "utf8");
  let offset = 0;
  while (offset < bytes.length) {
    try {
      offset += writeSync(STDOUT, bytes, offset);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

// Loading the compiler takes half a second, so its long version is kept, by npm version.
function longVersion() {
  const npmVersion = JSON.parse(readFileSync(PACKAGE_FILE, "utf8")).version;
  const folder = join(dirname(PACKAGE_FILE), "..", ".cache");
  const file = join(folder, `solc-${npmVersion}.version`);
  if (existsSync(file)) return readFileSync(file, "utf8");
  const version = require("solc").version();
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, version);
  } catch {
    // A read-only installation works too, only slower.
  }
  return version;
}

function parse(args) {
  const options = { basePath: "", includePaths: [], file: null };
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at];
    const value = () => {
      at += 1;
      if (at >= args.length) throw new Refused(`${arg} needs a value`);
      return args[at];
    };
    if (arg === "--standard-json") options.standardJson = true;
    else if (arg === "--version") options.version = true;
    else if (arg === "--base-path") options.basePath = value();
    else if (arg === "--include-path") options.includePaths.push(value());
    else if (arg === "--allow-paths") value();
    else if (arg === "-" || !arg.startsWith("-")) options.file = arg;
    else throw new Refused(`unknown option ${arg}`);
  }
  return options;
}

function importer({ basePath, includePaths }) {
  return (name) => {
    for (const folder of [basePath, ...includePaths]) {
      const file = resolve(folder, name);
      if (existsSync(file)) return { contents: readFileSync(file, "utf8") };
    }
    return { error: `File not found: ${name}` };
  };
}

function callbacks(options, input) {
  const found = { import: importer(options) };
  if (!JSON.parse(input).settings?.modelChecker) return found;
  const { smtCallback } = require("solc/smtchecker.js");
  const { availableSolvers, smtSolver } = require("solc/smtsolver.js");
  if (availableSolvers.length > 0) found.smtSolver = smtCallback(smtSolver, availableSolvers[0]);
  return found;
}

function main(args) {
  const options = parse(args);
  if (options.version) {
    writeAll(`solc, the solidity compiler commandline interface\nVersion: ${longVersion()}\n`);
  } else if (options.standardJson) {
    const fromStdin = options.file === null || options.file === "-";
    const input = readFileSync(fromStdin ? STDIN : options.file, "utf8");
    writeAll(`${require("solc").compile(input, callbacks(options, input))}\n`);
  } else {
    throw new Refused("give --version or --standard-json");
  }
}

try {
  main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error instanceof Refused ? 2 : 1;
}
