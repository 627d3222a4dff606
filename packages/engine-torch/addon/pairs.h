#pragma once
// Matrix products on AVX-512's bf16 dot products, where there are no tiles (AMD since Zen 4, Intel's Cooper Lake): each of
// 16 float32 sums gets two products at a time, twice what FMA does of float32.
//
// Compiled where the compiler's target has them (WINNOW_PAIRS).
#if defined(__AVX512BF16__)
#define WINNOW_PAIRS
#include "plane-packing.h"

namespace winnow {

/** Operands of one bf16 plane, packed as those of tiles are. */
struct Pairs {
  static constexpr int kPacking = 2;  // tells its way of packing from the others
  static constexpr int kPlanes = 1;
  using Operand = Bf16;
  using Kept = Bf16;
  /** Nothing to prepare on a thread. */
  struct Session {
    Session() {}
  };
  /** Up to here, packing operands for a head takes longer than plain products of its sequence do. */
  static constexpr int64_t kShortSequence = 48;
};

namespace pairs {

/** Rows of the left operand at a time, at most: 16 sums of 32 registers. */
constexpr int kBlockRows = 8;

/** out [rows, 32] (+)= left × right: rows of a tile, tiles of depth kTileElements apart; squares of a panel. */
template <int rows>
inline void multiplyBlock(const Bf16* left, const Bf16* right, int64_t depthTiles, float* out, bool adds) {
  __m512 sums[rows][2];
  for (int row = 0; row < rows; row++)
    for (int half = 0; half < 2; half++)
      sums[row][half] = adds ? _mm512_load_ps(out + row * kPanel + half * kTile) : _mm512_setzero_ps();
  for (; depthTiles > 0; depthTiles--, left += kTileElements, right += 2 * kTileElements) {
    for (int pair = 0; pair < kPanel / 2; pair++) {
      const __m512i near = _mm512_load_si512(right + pair * kPanel);
      const __m512i far = _mm512_load_si512(right + kTileElements + pair * kPanel);
      for (int row = 0; row < rows; row++) {
        int32_t both;
        std::memcpy(&both, left + row * kPanel + 2 * pair, sizeof both);
        const __m512bh factors = (__m512bh)_mm512_set1_epi32(both);
        sums[row][0] = _mm512_dpbf16_ps(sums[row][0], factors, (__m512bh)near);
        sums[row][1] = _mm512_dpbf16_ps(sums[row][1], factors, (__m512bh)far);
      }
    }
  }
  for (int row = 0; row < rows; row++)
    for (int half = 0; half < 2; half++) _mm512_store_ps(out + row * kPanel + half * kTile, sums[row][half]);
}

/** As multiplyBlock, for `rows` of at most `most`: one row of a last block takes no time for seven others. */
template <int most>
void multiplyRows(int64_t rows, const Bf16* left, const Bf16* right, int64_t depthTiles, float* out, bool adds) {
  if (rows >= most) {
    multiplyBlock<most>(left, right, depthTiles, out, adds);
  } else if constexpr (most > 1) {
    multiplyRows<most - 1>(rows, left, right, depthTiles, out, adds);
  }
}

}  // namespace pairs

/** out [rows, 32] = rows of `left` × one panel of `right`, over some of the depth; or, if it `adds`, += that. */
inline void product(const Left<Pairs>& left, int64_t rowTile, int64_t rows, const Right<Pairs>& right,
                    int64_t panelIndex, DepthRange depth, float* out, bool adds = false) {
  constexpr int64_t kDepth = 8;  // tiles at a time: 16 KB of the right operand, which stay in the first cache
  for (int64_t done = 0; done < depth.count; done += kDepth) {
    const int64_t from = depth.first + done, tiles = std::min(kDepth, depth.count - done);
    const Bf16* const panel = right.square(panelIndex, from);
    for (int64_t row = 0; row < rows; row += pairs::kBlockRows) {
      const Bf16* const first = left.tile(rowTile + row / kTile, from) + row % kTile * kPanel;
      pairs::multiplyRows<pairs::kBlockRows>(rows - row, first, panel, tiles, out + row * kPanel, adds || done > 0);
    }
  }
}

}  // namespace winnow
#endif
