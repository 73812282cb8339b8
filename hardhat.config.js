// The compiler's version and settings live in contracts/solc.json, which ledger/chain/compile.py
// reads too, so both sides produce the same bytecode (tests/integration/test_compile.py).
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { defineConfig } from "hardhat/config";

const require = createRequire(import.meta.url);
const solc = JSON.parse(readFileSync(new URL("./contracts/solc.json", import.meta.url), "utf8"));

// A fixed seed: a failing run is the same run for everybody.
const seed = "0x6d6574726f2064617461206c6564676572000000000000000000000000000000";

export default defineConfig({
  paths: {
    sources: "./contracts",
    tests: { solidity: "./contracts/test" },
  },
  solidity: {
    version: solc.version,
    settings: solc.settings,
    // Absolute, and given: Hardhat would download a compiler otherwise.
    path: require.resolve("solc/soljson.js"),
    npmFilesToBuild: solc.dependencies,
    splitTestsCompilation: true,
  },
  test: {
    solidity: {
      profiles: {
        default: {
          fuzz: { runs: 256, seed },
          invariant: { runs: 32, depth: 64, failOnRevert: true },
        },
        long: {
          fuzz: { runs: 20000, seed },
          invariant: { runs: 256, depth: 500, failOnRevert: true },
        },
      },
    },
  },
});
