/* The hot loops of the codec in C11: SHA-256 of Merkle leaves and nodes, and the totals filter.
 *
 * Rules kept here:
 * 1. Leaf = SHA-256(0x00 || entry), node = SHA-256(0x01 || left || right), as RFC 9162 has them.
 * 2. Lengths are whole, entries have at most 246 bytes, buffers are large enough: it is checked in
 *    Python before a call.
 * 3. No state, no allocation, no Python: any number of threads may call at once.
 * 4. The filter never decides. It passes what is plainly right and stops before anything else.
 *
 * `KERNEL_ABI` changes with every change of this interface or of what a function does; `kernel.py`
 * uses no library that gives another number.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if !defined(__GNUC__)
#error "vector types of GCC and Clang are used; without them hashlib does the work"
#endif
#if defined(__x86_64__)
#define HAS_X86 1
#include <cpuid.h>
#include <immintrin.h>
#else
#define HAS_X86 0
#endif
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BIG32(word) __builtin_bswap32(word)
#define BIG64(word) __builtin_bswap64(word)
#else
#define BIG32(word) (word)
#define BIG64(word) (word)
#endif
#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif
#define INLINED static inline __attribute__((always_inline))

enum {
    KERNEL_ABI = 1,
    HASH_BYTES = 32,
    BLOCK_BYTES = 64,
    LENGTH_BYTES = 8,
    LANES = 4, /* messages hashed side by side: one alone leaves the SHA unit waiting */
    BATCH = 2 * LANES, /* messages staged together, so that no load waits for the store before it */
    PIECE_BYTES = 4 * BLOCK_BYTES, /* a whole message; a receipt's leaf and a node need two blocks */
    TILE_WIDTH = 256,
    RECEIPT_BYTES = 96,
    RECEIPT_FORMAT = 1,
    LEAF_PREFIX = 0,
    NODE_PREFIX = 1,
};

/* Which code hashes; the numbers are those of `kernel.py`. */
enum { ENGINE_PORTABLE = 0, ENGINE_SHA = 1 };

/* Messages of one kind, a batch at a time; what is the same in all of them is written once. */
typedef struct {
    size_t entry_bytes, blocks;
    uint32_t state[BATCH][8];
    uint8_t piece[BATCH][PIECE_BYTES];
} batch;

/* Takes `blocks` blocks of the first `count` messages into their states. */
typedef void compressor(batch *all, size_t blocks, size_t count);

static const uint32_t START[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

INLINED uint32_t load32(const uint8_t *from) {
    uint32_t word;
    memcpy(&word, from, sizeof word);
    return BIG32(word);
}

INLINED uint64_t load64(const uint8_t *from) {
    uint64_t word;
    memcpy(&word, from, sizeof word);
    return BIG64(word);
}

INLINED void store32(uint8_t *to, uint32_t word) {
    word = BIG32(word);
    memcpy(to, &word, sizeof word);
}

INLINED void store64(uint8_t *to, uint64_t word) {
    word = BIG64(word);
    memcpy(to, &word, sizeof word);
}

/* One word of each lane; compilers make of it what the machine has. */
typedef uint32_t words __attribute__((vector_size(4 * LANES)));

INLINED words rotate(words word, unsigned count) {
    return word >> count | word << (32 - count);
}

/* FIPS 180-4, section 6.2.2, for one block of each lane. */
static void compress_lanes(uint32_t (*state)[8], uint8_t (*piece)[PIECE_BYTES], size_t at) {
    words w[64], v[8], kept[8];
    for (size_t t = 0; t < 16; t++)
        for (size_t lane = 0; lane < LANES; lane++)
            w[t][lane] = load32(piece[lane] + at + 4 * t);
    for (size_t t = 16; t < 64; t++) {
        words far = rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ w[t - 15] >> 3;
        words near = rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ w[t - 2] >> 10;
        w[t] = w[t - 16] + far + w[t - 7] + near;
    }
    for (size_t i = 0; i < 8; i++)
        for (size_t lane = 0; lane < LANES; lane++)
            v[i][lane] = state[lane][i];
    memcpy(kept, v, sizeof v);
    for (size_t t = 0; t < 64; t++) {
        words a = v[0], e = v[4];
        words s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
        words s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
        words first = v[7] + s1 + (v[6] ^ (e & (v[5] ^ v[6]))) + K[t] + w[t];
        words second = s0 + ((a & v[1]) | (v[2] & (a | v[1])));
        v[7] = v[6], v[6] = v[5], v[5] = e, v[4] = v[3] + first;
        v[3] = v[2], v[2] = v[1], v[1] = a, v[0] = first + second;
    }
    for (size_t i = 0; i < 8; i++)
        for (size_t lane = 0; lane < LANES; lane++)
            state[lane][i] = kept[i][lane] + v[i][lane];
}

static void compress_portable(batch *all, size_t blocks, size_t count) {
    for (size_t first = 0; first < count; first += LANES) /* idle lanes hash what was there */
        for (size_t at = 0; at < blocks * BLOCK_BYTES; at += BLOCK_BYTES)
            compress_lanes(all->state + first, all->piece + first, at);
}

#if HAS_X86
#define SHA_TARGET __attribute__((target("sha,avx")))
#define EACH_LANE(step) step(0) step(1) step(2) step(3)

/* Four rounds of a lane; w[lane][g % 4] holds words 4g ... 4g + 3 of the schedule. */
#define ROUNDS(lane)                                                                              \
    {                                                                                             \
        __m128i sum = _mm_add_epi32(w[lane][g % 4], k);                                           \
        cdgh[lane] = _mm_sha256rnds2_epu32(cdgh[lane], abef[lane], sum);                          \
        sum = _mm_shuffle_epi32(sum, 0x0e);                                                       \
        abef[lane] = _mm_sha256rnds2_epu32(abef[lane], cdgh[lane], sum);                          \
    }
#define LOAD(lane)                                                                                \
    w[lane][g % 4] =                                                                              \
        _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(piece[lane] + at + 16 * g)), swap);
#define EXPAND(lane)                                                                              \
    {                                                                                             \
        __m128i far = _mm_sha256msg1_epu32(w[lane][g % 4], w[lane][(g + 1) % 4]);                 \
        __m128i mid = _mm_alignr_epi8(w[lane][(g + 3) % 4], w[lane][(g + 2) % 4], 4);             \
        w[lane][g % 4] = _mm_sha256msg2_epu32(_mm_add_epi32(far, mid), w[lane][(g + 3) % 4]);     \
    }
#define QUAD(number, prepare)                                                                     \
    {                                                                                             \
        enum { g = number };                                                                      \
        const __m128i k = _mm_loadu_si128((const __m128i *)(K + 4 * g));                          \
        EACH_LANE(prepare) EACH_LANE(ROUNDS)                                                      \
    }

/* The SHA instructions want the state as the words (a, b, e, f) and (c, d, g, h), highest first. */
#define LOAD_STATE(lane)                                                                          \
    {                                                                                             \
        __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state[lane]), 0xb1);    \
        __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state[lane] + 1), 0x1b);\
        abef[lane] = _mm_alignr_epi8(badc, hgfe, 8);                                              \
        cdgh[lane] = _mm_blend_epi16(hgfe, badc, 0xf0);                                           \
    }
#define STORE_STATE(lane)                                                                         \
    {                                                                                             \
        __m128i feba = _mm_shuffle_epi32(abef[lane], 0x1b);                                       \
        __m128i dchg = _mm_shuffle_epi32(cdgh[lane], 0xb1);                                       \
        _mm_storeu_si128((__m128i *)state[lane], _mm_blend_epi16(feba, dchg, 0xf0));              \
        _mm_storeu_si128((__m128i *)state[lane] + 1, _mm_alignr_epi8(dchg, feba, 8));             \
    }
#define KEEP(lane) old_abef[lane] = abef[lane], old_cdgh[lane] = cdgh[lane];
#define ADD_KEPT(lane)                                                                            \
    abef[lane] = _mm_add_epi32(abef[lane], old_abef[lane]);                                       \
    cdgh[lane] = _mm_add_epi32(cdgh[lane], old_cdgh[lane]);

SHA_TARGET static void compress_sha(batch *all, size_t blocks, size_t count) {
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i abef[LANES], cdgh[LANES], old_abef[LANES], old_cdgh[LANES], w[LANES][4];
    for (size_t first = 0; first < count; first += LANES) {
        uint32_t(*state)[8] = all->state + first;
        uint8_t(*piece)[PIECE_BYTES] = all->piece + first;
        EACH_LANE(LOAD_STATE)
        for (size_t at = 0; at < blocks * BLOCK_BYTES; at += BLOCK_BYTES) {
            EACH_LANE(KEEP)
            QUAD(0, LOAD) QUAD(1, LOAD) QUAD(2, LOAD) QUAD(3, LOAD)
            QUAD(4, EXPAND) QUAD(5, EXPAND) QUAD(6, EXPAND) QUAD(7, EXPAND)
            QUAD(8, EXPAND) QUAD(9, EXPAND) QUAD(10, EXPAND) QUAD(11, EXPAND)
            QUAD(12, EXPAND) QUAD(13, EXPAND) QUAD(14, EXPAND) QUAD(15, EXPAND)
            EACH_LANE(ADD_KEPT)
        }
        EACH_LANE(STORE_STATE)
    }
}
#endif

/* Padding as FIPS 180-4 section 5.1.1 has it: a one bit, zeros, the length in bits. */
static void prepare(batch *all, uint8_t prefix, size_t entry_bytes) {
    size_t message = 1 + entry_bytes;
    memset(all, 0, sizeof *all);
    all->entry_bytes = entry_bytes;
    all->blocks = (message + 1 + LENGTH_BYTES + BLOCK_BYTES - 1) / BLOCK_BYTES;
    for (size_t i = 0; i < BATCH; i++) {
        all->piece[i][0] = prefix;
        all->piece[i][message] = 0x80;
        store64(all->piece[i] + all->blocks * BLOCK_BYTES - LENGTH_BYTES, (uint64_t)message * 8);
    }
}

INLINED void hash_batch(compressor *compress, batch *all, const uint8_t *entries,
                        size_t entry_bytes, size_t count, uint8_t *out) {
    for (size_t i = 0; i < count; i++) {
        memcpy(all->state[i], START, sizeof START);
        memcpy(all->piece[i] + 1, entries + i * entry_bytes, entry_bytes);
    }
    compress(all, all->blocks, count);
    for (size_t i = 0; i < count; i++)
        for (size_t word = 0; word < 8; word++)
            store32(out + i * HASH_BYTES + 4 * word, all->state[i][word]);
}

/* Hashes `count` entries that lie one after the other. `out` may be where nodes lie: a batch is
 * read before its hashes, which are shorter, are written. */
static void hash_all(compressor *compress, batch *all, const uint8_t *entries, size_t count,
                     uint8_t *out) {
    size_t entry_bytes = all->entry_bytes;
    for (size_t first = 0; first < count; first += BATCH) {
        size_t some = count - first < BATCH ? count - first : BATCH;
        if (entry_bytes == RECEIPT_BYTES) /* lengths known here are copied without a loop */
            hash_batch(compress, all, entries, RECEIPT_BYTES, some, out);
        else if (entry_bytes == 2 * HASH_BYTES)
            hash_batch(compress, all, entries, 2 * HASH_BYTES, some, out);
        else
            hash_batch(compress, all, entries, entry_bytes, some, out);
        entries += some * entry_bytes;
        out += some * HASH_BYTES;
    }
}

static compressor *compressor_of(int32_t engine) {
#if HAS_X86
    if (engine == ENGINE_SHA)
        return compress_sha;
#endif
    (void)engine;
    return compress_portable;
}

EXPORT int32_t mdl_abi(void) {
    return KERNEL_ABI;
}

EXPORT int32_t mdl_has_sha(void) {
#if HAS_X86
    unsigned a, b, c, d;
    if (!__builtin_cpu_supports("avx") || !__get_cpuid_count(7, 0, &a, &b, &c, &d))
        return 0;
    return (b & bit_SHA) != 0;
#else
    return 0;
#endif
}

EXPORT void mdl_leaf_hashes(int32_t engine, const uint8_t *entries, uint64_t entry_bytes,
                            uint64_t count, uint8_t *out) {
    batch leaves;
    prepare(&leaves, LEAF_PREFIX, (size_t)entry_bytes);
    hash_all(compressor_of(engine), &leaves, entries, (size_t)count, out);
}

EXPORT void mdl_tile_roots(int32_t engine, const uint8_t *entries, uint64_t entry_bytes,
                           uint64_t tiles, uint8_t *out) {
    compressor *compress = compressor_of(engine);
    batch leaves, nodes;
    uint8_t row[TILE_WIDTH * HASH_BYTES];
    prepare(&leaves, LEAF_PREFIX, (size_t)entry_bytes);
    prepare(&nodes, NODE_PREFIX, 2 * HASH_BYTES);
    for (uint64_t tile = 0; tile < tiles; tile++) {
        hash_all(compress, &leaves, entries, TILE_WIDTH, row);
        for (size_t width = TILE_WIDTH / 2; width; width /= 2)
            hash_all(compress, &nodes, row, width, row);
        memcpy(out, row, HASH_BYTES);
        entries += TILE_WIDTH * (size_t)entry_bytes;
        out += HASH_BYTES;
    }
}

EXPORT void mdl_node_roots(int32_t engine, const uint8_t *hashes, uint64_t tiles, uint8_t *out) {
    compressor *compress = compressor_of(engine);
    batch nodes;
    uint8_t row[TILE_WIDTH / 2 * HASH_BYTES];
    prepare(&nodes, NODE_PREFIX, 2 * HASH_BYTES);
    for (uint64_t tile = 0; tile < tiles; tile++) {
        hash_all(compress, &nodes, hashes, TILE_WIDTH / 2, row);
        for (size_t width = TILE_WIDTH / 4; width; width /= 2)
            hash_all(compress, &nodes, row, width, row);
        memcpy(out, row, HASH_BYTES);
        hashes += TILE_WIDTH * HASH_BYTES;
        out += HASH_BYTES;
    }
}

/* Writes the hashes and all complete nodes above them, level by level. */
EXPORT void mdl_tile_nodes(int32_t engine, const uint8_t *hashes, uint64_t count, uint8_t *out) {
    compressor *compress = compressor_of(engine);
    batch nodes;
    prepare(&nodes, NODE_PREFIX, 2 * HASH_BYTES);
    memcpy(out, hashes, (size_t)count * HASH_BYTES);
    for (size_t width = (size_t)count; width > 1; width /= 2) {
        hash_all(compress, &nodes, out, width / 2, out + width * HASH_BYTES);
        out += width * HASH_BYTES;
    }
}

/* What a licence grants and where it stands in the log; `ACCOUNT_DTYPE` in `kernel.py`. */
typedef struct {
    uint64_t licence_seq, cumulative_units, used_at_ms, records, refusals;
    uint64_t valid_from_ms, valid_until_ms;
    uint32_t modes; /* mode m is bit m - 1 */
    uint16_t purpose, reserved;
} account;

/* Codes that exist, as bitmaps; `Codes` in `kernel.py`. */
typedef struct {
    uint64_t statuses[2]; /* status s is bit s */
    uint32_t purposes;    /* purpose p is bit p */
    uint32_t modes;       /* mode m is bit m - 1 */
} codes;

/* Why the filter stopped; `Stop` in `kernel.py`. */
enum {
    STOP_NONE, STOP_FORMAT, STOP_LICENCE, STOP_SEQ, STOP_SUM, STOP_CLOCK, STOP_STATUS, STOP_UNITS,
    STOP_MODE, STOP_PURPOSE, STOP_VALIDITY, STOP_RECORDS,
};

/* Receipts, format 1: offsets as in `receipts.py`. */
enum {
    AT_MODE = 1, AT_PURPOSE = 2, AT_LICENCE = 8, AT_SEQ = 16, AT_TIME = 24, AT_STATUS = 36,
    AT_UNITS = 40, AT_SUM = 48, AT_RECORDS = 56,
};

INLINED int32_t check_one(const uint8_t *receipt, account *known, const codes *all) {
    uint64_t time = load64(receipt + AT_TIME), units = load64(receipt + AT_UNITS);
    uint64_t sum = known->cumulative_units + units;
    uint64_t records = known->records + load64(receipt + AT_RECORDS);
    uint32_t status = load32(receipt + AT_STATUS), mode = receipt[AT_MODE];
    uint32_t purpose = (uint32_t)receipt[AT_PURPOSE] << 8 | receipt[AT_PURPOSE + 1];
    uint32_t mode_bit = mode >= 1 && mode <= 32 ? (uint32_t)1 << (mode - 1) : 0;
    if (load64(receipt + AT_SEQ) != known->licence_seq + 1 || known->licence_seq == UINT64_MAX)
        return STOP_SEQ;
    if (sum < units || load64(receipt + AT_SUM) != sum)
        return STOP_SUM;
    if (time < known->used_at_ms)
        return STOP_CLOCK;
    if (status >= 128 || !(all->statuses[status / 64] >> status % 64 & 1))
        return STOP_STATUS;
    if (!(all->modes & mode_bit) || (status == 0 && !(known->modes & mode_bit)))
        return STOP_MODE;
    if (purpose >= 32 || !(all->purposes >> purpose & 1))
        return STOP_PURPOSE;
    if (status == 0 && purpose != known->purpose)
        return STOP_PURPOSE;
    if (status == 0 && (time < known->valid_from_ms || time >= known->valid_until_ms))
        return STOP_VALIDITY;
    if (status != 0 && units != 0)
        return STOP_UNITS;
    if (records < known->records)
        return STOP_RECORDS;
    known->licence_seq += 1;
    known->cumulative_units = sum;
    known->used_at_ms = time;
    known->records = records;
    known->refusals += status != 0;
    return STOP_NONE;
}

/* Takes receipts into their accounts while everything holds; returns why it stopped, and in
 * `stopped_at` how many were taken. */
EXPORT int32_t mdl_check_receipts(const uint8_t *receipts, uint64_t count, const uint32_t *slot_of,
                                  uint64_t licences, account *accounts, uint64_t slots,
                                  const codes *all, uint64_t *stopped_at) {
    int32_t stop = STOP_NONE;
    uint64_t done = 0;
    while (done < count) {
        uint64_t licence = load64(receipts + AT_LICENCE);
        uint32_t slot = licence < licences ? slot_of[licence] : UINT32_MAX;
        stop = receipts[0] != RECEIPT_FORMAT ? STOP_FORMAT
               : slot >= slots               ? STOP_LICENCE
                                             : check_one(receipts, accounts + slot, all);
        if (stop != STOP_NONE)
            break;
        receipts += RECEIPT_BYTES;
        done++;
    }
    *stopped_at = done;
    return stop;
}
