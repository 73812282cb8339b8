// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev Whole fen (1/100 yuan). At most `AMOUNT_FEN_MAX`.
type Fen is uint64;
/// @dev Millionths of a fen; entitlements.
type MicroFen is uint64;
/// @dev Millionths of a yuan; unit prices. 10,000 make one fen.
type MicroYuan is uint64;
/// @dev Parts per million; shares, weights and rates.
type Ppm is uint32;
/// @dev A month in China Standard Time as yyyymm.
type PeriodId is uint32;

/// @dev The largest amount that every JSON reader keeps exact: 2^53 - 1 fen.
uint64 constant AMOUNT_FEN_MAX = 9007199254740991;
/// @dev The largest income whose entitlements fit uint64 millionths of a fen.
uint64 constant INCOME_FEN_MAX = type(uint64).max / 1_000_000;
uint64 constant MICRO_FEN_PER_FEN = 1_000_000;
uint64 constant MICRO_YUAN_PER_FEN = 10_000;
uint32 constant PPM_WHOLE = 1_000_000;

using {addFen as +, subFen as -, eqFen as ==, neFen as !=, gtFen as >} for Fen global;
using {addMicroFen as +, subMicroFen as -, eqMicroFen as ==, neMicroFen as !=, gtMicroFen as >} for MicroFen global;
using {gtMicroYuan as >} for MicroYuan global;

function addFen(Fen a, Fen b) pure returns (Fen) {
    return Fen.wrap(Fen.unwrap(a) + Fen.unwrap(b));
}

function subFen(Fen a, Fen b) pure returns (Fen) {
    return Fen.wrap(Fen.unwrap(a) - Fen.unwrap(b));
}

function eqFen(Fen a, Fen b) pure returns (bool) {
    return Fen.unwrap(a) == Fen.unwrap(b);
}

function neFen(Fen a, Fen b) pure returns (bool) {
    return Fen.unwrap(a) != Fen.unwrap(b);
}

function gtFen(Fen a, Fen b) pure returns (bool) {
    return Fen.unwrap(a) > Fen.unwrap(b);
}

function addMicroFen(MicroFen a, MicroFen b) pure returns (MicroFen) {
    return MicroFen.wrap(MicroFen.unwrap(a) + MicroFen.unwrap(b));
}

function subMicroFen(MicroFen a, MicroFen b) pure returns (MicroFen) {
    return MicroFen.wrap(MicroFen.unwrap(a) - MicroFen.unwrap(b));
}

function eqMicroFen(MicroFen a, MicroFen b) pure returns (bool) {
    return MicroFen.unwrap(a) == MicroFen.unwrap(b);
}

function neMicroFen(MicroFen a, MicroFen b) pure returns (bool) {
    return MicroFen.unwrap(a) != MicroFen.unwrap(b);
}

function gtMicroFen(MicroFen a, MicroFen b) pure returns (bool) {
    return MicroFen.unwrap(a) > MicroFen.unwrap(b);
}

function gtMicroYuan(MicroYuan a, MicroYuan b) pure returns (bool) {
    return MicroYuan.unwrap(a) > MicroYuan.unwrap(b);
}
