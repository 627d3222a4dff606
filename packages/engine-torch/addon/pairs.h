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

/**
 * out [rows, 16 a half] (+)= left × right: rows of a tile, tiles of depth `stride` apart; squares of a panel, or
 * their first halves. Behind the depth, operands hold zeros as far as its last pair.
 */
template <int rows, int halves>
inline void multiplyBlock(const Bf16* left, int64_t stride, const Bf16* right, int64_t depth, float* out, bool adds) {
  __m512 sums[rows][halves];
  for (int row = 0; row < rows; row++)
    for (int half = 0; half < halves; half++)
      sums[row][half] = adds ? _mm512_load_ps(out + row * kPanel + half * kTile) : _mm512_setzero_ps();
  const auto add = [&](int64_t pairs) __attribute__((always_inline)) {
    for (int64_t pair = 0; pair < pairs; pair++) {
      __m512i numbers[halves];
      for (int half = 0; half < halves; half++)
        numbers[half] = _mm512_load_si512(right + half * kTileElements + pair * kPanel);
      for (int row = 0; row < rows; row++) {
        int32_t both;
        std::memcpy(&both, left + row * kPanel + 2 * pair, sizeof both);
        const __m512bh factors = (__m512bh)_mm512_set1_epi32(both);
        for (int half = 0; half < halves; half++)
          sums[row][half] = _mm512_dpbf16_ps(sums[row][half], factors, (__m512bh)numbers[half]);
      }
    }
  };
  for (; depth >= kPanel; depth -= kPanel, left += stride, right += 2 * kTileElements) add(kPanel / 2);
  if (depth > 0) add(ceilDivide(depth, 2));
  for (int row = 0; row < rows; row++)
    for (int half = 0; half < halves; half++) _mm512_store_ps(out + row * kPanel + half * kTile, sums[row][half]);
}

/** As multiplyBlock, for `rows` of at most `most`: one row of a last block takes no time for seven others. */
template <int most, int halves>
void multiplyRows(int64_t rows, const Bf16* left, int64_t stride, const Bf16* right, int64_t depth, float* out, bool adds) {
  if (rows >= most) {
    multiplyBlock<most, halves>(left, stride, right, depth, out, adds);
  } else if constexpr (most > 1) {
    multiplyRows<most - 1, halves>(rows, left, stride, right, depth, out, adds);
  }
}

}  // namespace pairs

/**
 * out [rows, columns] of [rows, 32] = rows of `left` × one panel of `right`, over some of the depth; or, if it `adds`,
 * += that. Columns behind them may be left as they are.
 */
inline void product(const Left<Pairs>& left, int64_t rowTile, int64_t rows, const Right<Pairs>& right,
                    int64_t panelIndex, DepthRange depth, float* out, bool adds = false, int64_t columns = kPanel) {
  constexpr int64_t kDepth = 8;  // tiles at a time: 16 KB of the right operand, which stay in the first cache
  for (int64_t done = 0; done < depth.count; done += kDepth) {
    const int64_t from = depth.first + done, numbers = std::min(kDepth * kPanel, depth.numbers - done * kPanel);
    const Bf16* const panel = right.square(panelIndex, from);
    for (int64_t row = 0; row < rows; row += pairs::kBlockRows) {
      const Bf16* const first = left.tile(rowTile + row / kTile, from) + row % kTile * kPanel;
      float* const block = out + row * kPanel;
      if (columns > kTile)
        pairs::multiplyRows<pairs::kBlockRows, 2>(rows - row, first, left.depthStride, panel, numbers, block, adds || done > 0);
      else
        pairs::multiplyRows<pairs::kBlockRows, 1>(rows - row, first, left.depthStride, panel, numbers, block, adds || done > 0);
    }
  }
}

}  // namespace winnow
#endif
