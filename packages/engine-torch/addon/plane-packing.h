#pragma once
// How numbers become operands of bf16 products: one or three planes, and of right operands, pairs of depth.
#include <immintrin.h>

#include <type_traits>

#include "transpose.h"

namespace winnow {

using Bf16 = uint16_t;

namespace planes {

inline __m512 widened(__m256i bf16) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bf16), 16));
}

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
template <typename Arithmetic>
void packLeft(const PanelView& panel, const Left<Arithmetic>& left, int64_t depthTile, int64_t rowTile = 0) {
  constexpr int kPlanes = Arithmetic::kPlanes;
  for (int64_t row = 0; row < roundUp(panel.rows, kTile); row++) {
    Bf16* const tile = left.tile(rowTile + row / kTile, depthTile) + row % kTile * kPanel;
    planes::splitRow<kPlanes>(panel, row, [&](int plane, __m512i numbers) {
      _mm512_store_si512(tile + plane * kTileElements, numbers);
    });
  }
}

/** Columns of the panel → 32 rows of the operand; its rows are depth. */
template <typename Arithmetic>
void packLeftTransposed(const PanelView& panel, const Left<Arithmetic>& left, int64_t panelIndex,
                        int64_t firstDepthTile = 0) {
  constexpr int kPlanes = Arithmetic::kPlanes;
  for (int64_t row = 0, depth = firstDepthTile; row < panel.rows; row += kPanel, depth++) {
    for (int half = 0; half < 2; half++) {
      __m512i words[kPlanes][16];
      for (int pair = 0; pair < 16; pair++) {
        planes::splitPair<kPlanes>(panel, row + 2 * pair, half * kTile,
                                 [&](int plane, __m512i numbers) { words[plane][pair] = numbers; });
      }
      Bf16* const tile = left.tile(panelIndex * 2 + half, depth);
      for (int plane = 0; plane < kPlanes; plane++) {
        transpose(words[plane]);
        for (int i = 0; i < 16; i++) _mm512_store_si512(tile + plane * kTileElements + i * kPanel, words[plane][i]);
      }
    }
  }
}

/** The panel → a panel of the operand; its rows are depth. */
template <typename Arithmetic>
void packRight(const PanelView& panel, const Right<Arithmetic>& right, int64_t panelIndex,
               int64_t firstDepthTile = 0) {
  constexpr int kPlanes = Arithmetic::kPlanes;
  for (int64_t row = 0, depth = firstDepthTile; row < panel.rows; row += kPanel, depth++) {
    for (int half = 0; half < 2; half++) {
      Bf16* const tile = right.square(panelIndex, depth) + half * kTileElements;
      for (int pair = 0; pair < 16; pair++) {
        planes::splitPair<kPlanes>(panel, row + 2 * pair, half * kTile, [&](int plane, __m512i numbers) {
          _mm512_store_si512(tile + plane * 2 * kTileElements + pair * kPanel, numbers);
        });
      }
    }
  }
}

/** Rows of the panel → columns of the operand; its columns are one tile of depth. */
template <typename Arithmetic>
void packRightTransposed(const PanelView& panel, const Right<Arithmetic>& right, int64_t depthTile,
                         int64_t panelIndex = 0) {
  constexpr int kPlanes = Arithmetic::kPlanes;
  for (int64_t row = 0; row < roundUp(panel.rows, kPanel); row += kTile) {
    __m512i words[kPlanes][16];
    for (int i = 0; i < 16; i++) {
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

inline Lanes loadNumbers(const Bf16* from) {
  return (Lanes)planes::widened(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}
inline void storeNumbers(Bf16* to, Lanes lanes) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), (__m256i)_mm512_cvtneps_pbh((__m512)lanes));
}

inline __mmask16 firstMask(int64_t count) { return count >= kTile ? 0xffff : count <= 0 ? 0 : (1u << count) - 1; }
inline Lanes loadFirstNumbers(const Bf16* from, int64_t count) {
  return (Lanes)planes::widened(_mm256_maskz_loadu_epi16(firstMask(count), from));
}
inline void storeFirstNumbers(Bf16* to, Lanes lanes, int64_t count) {
  _mm256_mask_storeu_epi16(to, firstMask(count), (__m256i)_mm512_cvtneps_pbh((__m512)lanes));
}

}  // namespace winnow
