#pragma once
// How numbers become operands of bf16 products: one or three planes, and of right operands, pairs of depth.
#include <immintrin.h>

#include <type_traits>

#include "transpose.h"

namespace winnow {

namespace planes {

/** Rows of a panel as 32 bf16 each, rounded where they are float32; zeros where the panel ends. */
template <typename Number>
class RoundedRows {
 public:
  explicit RoundedRows(const PanelOf<Number>& panel)
      : data_(panel.data), stride_(panel.stride), rows_(panel.rows), low_(firstMask(panel.columns)),
        high_(firstMask(panel.columns - kTile)) {}
  __m512i operator()(int64_t row) const {
    if (row >= rows_) return _mm512_setzero_si512();
    const Number* const from = data_ + row * stride_;
    if constexpr (std::is_same_v<Number, Bf16>) {
      return _mm512_maskz_loadu_epi16(low_ | static_cast<__mmask32>(high_) << kTile, from);
    } else {
      return (__m512i)_mm512_cvtne2ps_pbh(_mm512_maskz_loadu_ps(high_, from + kTile), _mm512_maskz_loadu_ps(low_, from));
    }
  }

 private:
  const Number* data_;
  int64_t stride_, rows_;
  __mmask16 low_, high_;
};

/** Two rows of 32 → 16 pairs, (even, odd): those of the first columns, or of the last. */
class Pairing {
 public:
  explicit Pairing(int half) {
    alignas(64) uint16_t from[32];
    for (int i = 0; i < 16; i++) {
      from[2 * i] = static_cast<uint16_t>(half * 16 + i);
      from[2 * i + 1] = static_cast<uint16_t>(32 + half * 16 + i);
    }
    from_ = _mm512_load_si512(from);
  }
  __m512i operator()(__m512i even, __m512i odd) const { return _mm512_permutex2var_epi16(even, from_, odd); }

 private:
  __m512i from_;
};

/** 32 numbers of one row of the panel, plane by plane: give(plane, 32 bf16). */
template <int planes, typename Give>
inline void splitRow(const PanelView& panel, int64_t row, Give give) {
  __m512 low = (__m512)panel.lanes(row, 0), high = (__m512)panel.lanes(row, kTile);
  for (int plane = 0; plane < planes; plane++) {
    const __m512i rounded = (__m512i)_mm512_cvtne2ps_pbh(high, low);
    give(plane, rounded);
    if (plane + 1 == planes) break;
    low = _mm512_sub_ps(low, widened(_mm512_castsi512_si256(rounded)));
    high = _mm512_sub_ps(high, widened(_mm512_extracti64x4_epi64(rounded, 1)));
  }
}

/** 16 numbers of two rows of the panel, as pairs, plane by plane: give(plane, 16 × (even, odd)). */
template <int planes, typename Give>
inline void splitPair(const PanelView& panel, int64_t row, int64_t column, Give give) {
  __m512 even = (__m512)panel.lanes(row, column), odd = (__m512)panel.lanes(row + 1, column);
  for (int plane = 0; plane < planes; plane++) {
    const __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(even));
    const __m512i high = _mm512_slli_epi32(_mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(odd)), 16);
    give(plane, _mm512_or_si512(low, high));
    if (plane + 1 == planes) break;
    even = _mm512_sub_ps(even, _mm512_castsi512_ps(_mm512_slli_epi32(low, 16)));
    odd = _mm512_sub_ps(odd, _mm512_castsi512_ps(high));
  }
}

}  // namespace planes

/** Rows of the panel → rows of the operand; its columns are one tile of depth. */
template <typename Arithmetic, typename Number>
void packLeft(const PanelOf<Number>& panel, const Left<Arithmetic>& left, int64_t depthTile, int64_t rowTile = 0) {
  constexpr int kPlanes = Arithmetic::kPlanes;
  const int64_t rows = panel.rows;
  for (int64_t row = 0; row < rows; row += kTile) {
    Bf16* const tile = left.tile(rowTile + row / kTile, depthTile);
    if constexpr (kPlanes == 1) {
      const planes::RoundedRows rounded(panel);
      for (int i = 0; i < kTile; i++) _mm512_store_si512(tile + i * kPanel, rounded(row + i));
    } else {
      for (int i = 0; i < kTile; i++) {
        planes::splitRow<kPlanes>(panel, row + i, [&](int plane, __m512i numbers) {
          _mm512_store_si512(tile + plane * kTileElements + i * kPanel, numbers);
        });
      }
    }
  }
}

namespace planes {

/** 32 rows of the panel from `row` on as 16 × 16 pairs of depth, plane by plane: columns of one half. */
template <int planes, typename Number, typename Give>
inline void pairRows(const PanelOf<Number>& panel, int64_t row, int half, Give give) {
  if constexpr (planes == 1) {
    const RoundedRows rounded(panel);
    const Pairing paired(half);
    for (int pair = 0; pair < 16; pair++) give(0, pair, paired(rounded(row + 2 * pair), rounded(row + 2 * pair + 1)));
  } else {
    for (int pair = 0; pair < 16; pair++)
      splitPair<planes>(panel, row + 2 * pair, half * kTile, [&](int plane, __m512i numbers) { give(plane, pair, numbers); });
  }
}

}  // namespace planes

/** Columns of the panel → 32 rows of the operand; its rows are depth. */
template <typename Arithmetic, typename Number>
void packLeftTransposed(const PanelOf<Number>& panel, const Left<Arithmetic>& left, int64_t panelIndex,
                        int64_t firstDepthTile = 0) {
  constexpr int kPlanes = Arithmetic::kPlanes;
  for (int64_t row = 0, depth = firstDepthTile; row < panel.rows; row += kPanel, depth++) {
    for (int half = 0; half < 2; half++) {
      __m512i words[kPlanes][16];
      planes::pairRows<kPlanes>(panel, row, half, [&](int plane, int pair, __m512i numbers) { words[plane][pair] = numbers; });
      Bf16* const tile = left.tile(panelIndex * 2 + half, depth);
      for (int plane = 0; plane < kPlanes; plane++) {
        transpose(words[plane]);
        for (int i = 0; i < 16; i++) _mm512_store_si512(tile + plane * kTileElements + i * kPanel, words[plane][i]);
      }
    }
  }
}

/** The panel → a panel of the operand; its rows are depth. */
template <typename Arithmetic, typename Number>
void packRight(const PanelOf<Number>& panel, const Right<Arithmetic>& right, int64_t panelIndex,
               int64_t firstDepthTile = 0) {
  constexpr int kPlanes = Arithmetic::kPlanes;
  for (int64_t row = 0, depth = firstDepthTile; row < panel.rows; row += kPanel, depth++) {
    for (int half = 0; half < 2; half++) {
      Bf16* const tile = right.square(panelIndex, depth) + half * kTileElements;
      planes::pairRows<kPlanes>(panel, row, half, [&](int plane, int pair, __m512i numbers) {
        _mm512_store_si512(tile + plane * 2 * kTileElements + pair * kPanel, numbers);
      });
    }
  }
}

/** Rows of the panel → columns of the operand; its columns are one tile of depth. */
template <typename Arithmetic, typename Number>
void packRightTransposed(const PanelOf<Number>& panel, const Right<Arithmetic>& right, int64_t depthTile,
                         int64_t panelIndex = 0) {
  constexpr int kPlanes = Arithmetic::kPlanes;
  for (int64_t row = 0; row < roundUp(panel.rows, kPanel); row += kTile) {
    __m512i words[kPlanes][16];
    if constexpr (kPlanes == 1) {
      const planes::RoundedRows rounded(panel);
      for (int i = 0; i < 16; i++) words[0][i] = rounded(row + i);
    } else {
      for (int i = 0; i < 16; i++)
        planes::splitRow<kPlanes>(panel, row + i, [&](int plane, __m512i numbers) { words[plane][i] = numbers; });
    }
    Bf16* const tile = right.square(panelIndex + row / kPanel, depthTile) + row / kTile % 2 * kTileElements;
    for (int plane = 0; plane < kPlanes; plane++) {
      transpose(words[plane]);
      for (int i = 0; i < 16; i++)
        _mm512_store_si512(tile + plane * 2 * kTileElements + i * kPanel, words[plane][i]);
    }
  }
}

}  // namespace winnow
