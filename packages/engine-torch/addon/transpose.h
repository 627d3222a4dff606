#pragma once
// Rows of a panel as columns: through AVX-512's registers, or four by four, which every vector unit can.
#include "operands.h"

namespace winnow {

#ifdef __AVX512F__
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

/** 16×16 numbers of the panel from there on: into[column·32 + row]; zeros where the panel ends. */
inline void transposeTile(const PanelView& panel, int64_t row, int64_t column, float* into) {
  __m512i words[16];
  for (int i = 0; i < 16; i++) words[i] = (__m512i)panel.lanes(row + i, column);
  transpose(words);
  for (int i = 0; i < 16; i++) _mm512_storeu_si512(into + i * kPanel, words[i]);
}
#else
/** 4×4 numbers: to[column·32 + row] = from[row·stride + column]. */
inline void transposeFour(const float* from, int64_t stride, float* to) {
  using Four = float __attribute__((vector_size(16)));
  Four a, b, c, d;
  std::memcpy(&a, from, sizeof a);
  std::memcpy(&b, from + stride, sizeof b);
  std::memcpy(&c, from + 2 * stride, sizeof c);
  std::memcpy(&d, from + 3 * stride, sizeof d);
  const Four abLow{a[0], b[0], a[1], b[1]}, abHigh{a[2], b[2], a[3], b[3]};
  const Four cdLow{c[0], d[0], c[1], d[1]}, cdHigh{c[2], d[2], c[3], d[3]};
  const Four columns[] = {{abLow[0], abLow[1], cdLow[0], cdLow[1]},
                          {abLow[2], abLow[3], cdLow[2], cdLow[3]},
                          {abHigh[0], abHigh[1], cdHigh[0], cdHigh[1]},
                          {abHigh[2], abHigh[3], cdHigh[2], cdHigh[3]}};
  for (int i = 0; i < 4; i++) std::memcpy(to + i * kPanel, &columns[i], sizeof columns[i]);
}

/** 16×16 numbers of the panel from there on: into[column·32 + row]; zeros where the panel ends. */
inline void transposeTile(const PanelView& panel, int64_t row, int64_t column, float* into) {
  const float* from = panel.data + row * panel.stride + column;
  int64_t stride = panel.stride;
  float filled[kTile * kTile];
  if (row + kTile > panel.rows || column + kTile > panel.columns) {
    for (int64_t i = 0; i < kTile; i++)
      for (int64_t at = 0; at < kTile; at += kLanes) store(filled + i * kTile + at, panel.lanes(row + i, column + at));
    from = filled;
    stride = kTile;
  }
  for (int64_t i = 0; i < kTile; i += 4)
    for (int64_t j = 0; j < kTile; j += 4) transposeFour(from + i * stride + j, stride, into + j * kPanel + i);
}
#endif

/** 32 rows of the panel from `row` on as 16 rows [16, 32]: its columns from `column` on. */
inline void transposeHalf(const PanelView& panel, int64_t row, int64_t column, float* into) {
  transposeTile(panel, row, column, into);
  transposeTile(panel, row + kTile, column, into + kTile);
}

}  // namespace winnow
