#pragma once
// Matrix products on Intel's AMX: tiles of 16×32 bf16 times 32×16, summed in float32, 512 products a cycle.
//
// A float32 number is the exact sum of three bf16 planes (8 bits of mantissa each), and six of the nine products of planes
// carry all that float32 keeps: float32 results at a sixth of the tiles' rate, which is several times that of FMA.
// bf16 is one plane, rounded.
//
// Operands are packed tile by tile from panels: 32 columns of a row-major matrix. Products come out as panels.
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lanes.h"

namespace winnow {

/** Columns of a panel, and contraction depth of a tile. */
constexpr int64_t kPanel = 32;
/** Rows of a tile. */
constexpr int64_t kTile = 16;
constexpr int64_t kTileElements = kTile * kPanel;

constexpr int64_t ceilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t roundUp(int64_t a, int64_t b) { return ceilDivide(a, b) * b; }

using Bf16 = uint16_t;

/** Whether the processor has tiles and the kernel lends them to this process, which it must be asked for once. */
inline bool tilesAvailable() {
  constexpr int kArchReqXcompPerm = 0x1023;
  constexpr int kXfeatureTileData = 18;
  static const bool available =
      __builtin_cpu_supports("amx-bf16") && syscall(SYS_arch_prctl, kArchReqXcompPerm, kXfeatureTileData) == 0;
  return available;
}

/** Full tiles in all eight registers, for as long as it lives, on this thread. */
class TileSession {
 public:
  TileSession() {
    struct alignas(64) {
      uint8_t palette = 1, start = 0, reserved[14] = {};
      uint16_t bytesPerRow[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    } config;
    _tile_loadconfig(&config);
  }
  ~TileSession() { _tile_release(); }
  TileSession(const TileSession&) = delete;
};

/** A left operand: tiles of 16 rows by 32 of depth. Order: row tile, depth tile, plane. */
template <int planes>
struct Left {
  Bf16* data;
  int64_t depthTiles;

  static int64_t elements(int64_t rows, int64_t depth) {
    return ceilDivide(rows, kTile) * ceilDivide(depth, kPanel) * planes * kTileElements;
  }
  Bf16* tile(int64_t row, int64_t depth) const {
    return data + (row * depthTiles + depth) * planes * kTileElements;
  }
};

/** A right operand: tiles of 32 of depth, interleaved in pairs, by 16 columns. Order: panel, depth tile, plane, half. */
template <int planes>
struct Right {
  Bf16* data;
  int64_t depthTiles;

  static int64_t elements(int64_t depth, int64_t columns) {
    return ceilDivide(columns, kPanel) * 2 * ceilDivide(depth, kPanel) * planes * kTileElements;
  }
  Bf16* tile(int64_t panel, int64_t depth, int64_t half = 0) const {
    return data + ((panel * depthTiles + depth) * planes * 2 + half) * kTileElements;
  }
};

namespace tiles {

inline __m512 widened(__m256i bf16) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bf16), 16));
}

/** 32 numbers of one row, plane by plane: give(plane, 32 bf16). */
template <int planes, typename Give>
inline void splitRow(__m512 low, __m512 high, Give give) {
  for (int plane = 0; plane < planes; plane++) {
    const __m512i rounded = (__m512i)_mm512_cvtne2ps_pbh(high, low);
    give(plane, rounded);
    if (plane + 1 == planes) break;
    low = _mm512_sub_ps(low, widened(_mm512_castsi512_si256(rounded)));
    high = _mm512_sub_ps(high, widened(_mm512_extracti64x4_epi64(rounded, 1)));
  }
}

/** 16 numbers of two rows, as pairs, plane by plane: give(plane, 16 × (even, odd)). */
template <int planes, typename Give>
inline void splitPair(__m512 even, __m512 odd, Give give) {
  for (int plane = 0; plane < planes; plane++) {
    const __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(even));
    const __m512i high = _mm512_slli_epi32(_mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(odd)), 16);
    give(plane, _mm512_or_si512(low, high));
    if (plane + 1 == planes) break;
    even = _mm512_sub_ps(even, _mm512_castsi512_ps(_mm512_slli_epi32(low, 16)));
    odd = _mm512_sub_ps(odd, _mm512_castsi512_ps(high));
  }
}

/** 16×16 words of 32 bits: a tile of rows becomes one of pairs, and back. */
inline void transpose(__m512i (&rows)[16]) {
  __m512i t[16];
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    rows[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    rows[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    rows[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    rows[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  for (int i = 0; i < 4; i++) {
    t[i] = _mm512_shuffle_i32x4(rows[i], rows[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_i32x4(rows[i], rows[i + 4], 0xdd);
    t[i + 8] = _mm512_shuffle_i32x4(rows[i + 8], rows[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_i32x4(rows[i + 8], rows[i + 12], 0xdd);
  }
  for (int i = 0; i < 4; i++) {
    rows[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
    rows[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
    rows[i + 4] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0x88);
    rows[i + 12] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0xdd);
  }
}

}  // namespace tiles

/** Where a panel's numbers are: row r begins at data + r·stride; `columns` of its 32 exist, the others count as zero. */
struct PanelView {
  const float* data;
  int64_t stride;
  int64_t rows;
  int64_t columns;

  __m512 half(int64_t row, int which) const {
    if (row >= rows) return _mm512_setzero_ps();
    const int64_t there = columns - which * kLanes;
    const float* from = data + row * stride + which * kLanes;
    if (there >= kLanes) return _mm512_loadu_ps(from);
    return there <= 0 ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps((1u << there) - 1, from);
  }
};

/** Rows of the panel → rows of the operand; its columns are one tile of depth. */
template <int planes>
void packLeft(const PanelView& panel, const Left<planes>& left, int64_t depthTile, int64_t rowTile = 0) {
  for (int64_t row = 0; row < roundUp(panel.rows, kTile); row++) {
    Bf16* const tile = left.tile(rowTile + row / kTile, depthTile) + row % kTile * kPanel;
    tiles::splitRow<planes>(panel.half(row, 0), panel.half(row, 1), [&](int plane, __m512i numbers) {
      _mm512_store_si512(tile + plane * kTileElements, numbers);
    });
  }
}

/** Columns of the panel → 32 rows of the operand; its rows are depth. */
template <int planes>
void packLeftTransposed(const PanelView& panel, const Left<planes>& left, int64_t panelIndex,
                        int64_t firstDepthTile = 0) {
  for (int64_t row = 0, depth = firstDepthTile; row < panel.rows; row += kPanel, depth++) {
    for (int half = 0; half < 2; half++) {
      __m512i words[planes][16];
      for (int pair = 0; pair < 16; pair++) {
        tiles::splitPair<planes>(panel.half(row + 2 * pair, half), panel.half(row + 2 * pair + 1, half),
                                 [&](int plane, __m512i numbers) { words[plane][pair] = numbers; });
      }
      Bf16* const tile = left.tile(panelIndex * 2 + half, depth);
      for (int plane = 0; plane < planes; plane++) {
        tiles::transpose(words[plane]);
        for (int i = 0; i < 16; i++) _mm512_store_si512(tile + plane * kTileElements + i * kPanel, words[plane][i]);
      }
    }
  }
}

/** The panel → a panel of the operand; its rows are depth. */
template <int planes>
void packRight(const PanelView& panel, const Right<planes>& right, int64_t panelIndex, int64_t firstDepthTile = 0) {
  for (int64_t row = 0, depth = firstDepthTile; row < panel.rows; row += kPanel, depth++) {
    for (int half = 0; half < 2; half++) {
      Bf16* const tile = right.tile(panelIndex, depth, half);
      for (int pair = 0; pair < 16; pair++) {
        tiles::splitPair<planes>(panel.half(row + 2 * pair, half), panel.half(row + 2 * pair + 1, half),
                                 [&](int plane, __m512i numbers) {
                                   _mm512_store_si512(tile + plane * 2 * kTileElements + pair * kPanel, numbers);
                                 });
      }
    }
  }
}

/** Rows of the panel → columns of the operand; its columns are one tile of depth. */
template <int planes>
void packRightTransposed(const PanelView& panel, const Right<planes>& right, int64_t depthTile, int64_t panelIndex = 0) {
  for (int64_t row = 0; row < roundUp(panel.rows, kPanel); row += kTile) {
    __m512i words[planes][16];
    for (int i = 0; i < 16; i++) {
      tiles::splitRow<planes>(panel.half(row + i, 0), panel.half(row + i, 1),
                              [&](int plane, __m512i numbers) { words[plane][i] = numbers; });
    }
    Bf16* const tile = right.tile(panelIndex + row / kPanel, depthTile, row / kTile % 2);
    for (int plane = 0; plane < planes; plane++) {
      tiles::transpose(words[plane]);
      for (int i = 0; i < 16; i++)
        _mm512_store_si512(tile + plane * 2 * kTileElements + i * kPanel, words[plane][i]);
    }
  }
}

namespace tiles {

constexpr int kRowBytes = 64;

/** Tiles 0 to 3 += two row tiles × one panel. */
template <int planes>
inline void multiplyTwo(const Bf16* upper, const Bf16* lower, const Bf16* right, int64_t depthTiles) {
  for (int64_t depth = 0; depth < depthTiles; depth++) {
    const auto loadLeft = [&](int plane) {
      _tile_loadd(4, upper + plane * kTileElements, kRowBytes);
      _tile_loadd(5, lower + plane * kTileElements, kRowBytes);
    };
    const auto loadRight = [&](int plane) {
      _tile_loadd(6, right + plane * 2 * kTileElements, kRowBytes);
      _tile_loadd(7, right + (plane * 2 + 1) * kTileElements, kRowBytes);
    };
    const auto add = [] {
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    };
    loadLeft(0);
    loadRight(0);
    add();
    if constexpr (planes == 3) {
      loadRight(1);
      add();
      loadRight(2);
      add();
      loadLeft(1);
      loadRight(1);
      add();
      loadRight(0);
      add();
      loadLeft(2);
      add();
    }
    upper += planes * kTileElements;
    lower += planes * kTileElements;
    right += planes * 2 * kTileElements;
  }
}

/** Tiles 0 and 1 += one row tile × one panel. */
template <int planes>
inline void multiplyOne(const Bf16* left, const Bf16* right, int64_t depthTiles) {
  for (int64_t depth = 0; depth < depthTiles; depth++) {
    const auto loadRight = [&](int plane) {
      _tile_loadd(6, right + plane * 2 * kTileElements, kRowBytes);
      _tile_loadd(7, right + (plane * 2 + 1) * kTileElements, kRowBytes);
    };
    _tile_loadd(4, left, kRowBytes);
    loadRight(0);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    if constexpr (planes == 3) {
      loadRight(1);
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
      _tile_loadd(5, left + kTileElements, kRowBytes);
      _tile_dpbf16ps(0, 5, 6);
      _tile_dpbf16ps(1, 5, 7);
      loadRight(2);
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
      loadRight(0);
      _tile_dpbf16ps(0, 5, 6);
      _tile_dpbf16ps(1, 5, 7);
      _tile_loadd(4, left + 2 * kTileElements, kRowBytes);
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
    }
    left += planes * kTileElements;
    right += planes * 2 * kTileElements;
  }
}

}  // namespace tiles

/** Some of the depth tiles of a product. */
struct DepthRange {
  int64_t first, count;
};

/**
 * out [rowTiles·16, 32] = rows of `left` × one panel of `right`, over some of the depth; or, if it `adds`, += that.
 * The tile session must be open on this thread.
 */
template <int planes>
void product(const Left<planes>& left, int64_t rowTile, int64_t rowTiles, const Right<planes>& right,
             int64_t panelIndex, DepthRange depth, float* out, bool adds = false) {
  constexpr int kBytes = kPanel * sizeof(float);
  const Bf16* const panel = right.tile(panelIndex, depth.first);
  int64_t row = 0;
  for (; row + 1 < rowTiles; row += 2) {
    float* const block = out + row * kTile * kPanel;
    if (adds) {
      _tile_loadd(0, block, kBytes);
      _tile_loadd(1, block + kTile, kBytes);
      _tile_loadd(2, block + kTile * kPanel, kBytes);
      _tile_loadd(3, block + kTile * kPanel + kTile, kBytes);
    } else {
      _tile_zero(0);
      _tile_zero(1);
      _tile_zero(2);
      _tile_zero(3);
    }
    const Bf16* const upper = left.tile(rowTile + row, depth.first);
    tiles::multiplyTwo<planes>(upper, left.tile(rowTile + row + 1, depth.first), panel, depth.count);
    _tile_stored(0, block, kBytes);
    _tile_stored(1, block + kTile, kBytes);
    _tile_stored(2, block + kTile * kPanel, kBytes);
    _tile_stored(3, block + kTile * kPanel + kTile, kBytes);
  }
  if (row < rowTiles) {
    float* const block = out + row * kTile * kPanel;
    if (adds) {
      _tile_loadd(0, block, kBytes);
      _tile_loadd(1, block + kTile, kBytes);
    } else {
      _tile_zero(0);
      _tile_zero(1);
    }
    tiles::multiplyOne<planes>(left.tile(rowTile + row, depth.first), panel, depth.count);
    _tile_stored(0, block, kBytes);
    _tile_stored(1, block + kTile, kBytes);
  }
}

}  // namespace winnow
