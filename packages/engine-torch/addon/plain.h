#pragma once
// Matrix products in plain float32 on any processor: blocks of sums that stay in its registers.
#include <algorithm>

#include "transpose.h"

namespace winnow {

/** Operands of float32 as they are. */
struct PlainLanes {
  static constexpr int kPacking = 0;  // tells its way of packing from the others
  static constexpr int kPlanes = 1;
  using Operand = float;
  using Kept = float;
  /** Nothing to prepare on a thread. */
  struct Session {
    Session() {}
  };
  /** Up to here a head's probabilities stay in the core's second cache; only its keys and values need packing. */
  static constexpr int64_t kShortSequence = 256;
};

// Sums of a block, rows by registers: enough to hide an FMA's latency, and few enough to leave registers for operands.
#if defined(__AVX512F__)
constexpr int kBlockRows = 8, kBlockLanes = 2;  // 16 sums of 32 registers
#elif defined(__AVX__)
constexpr int kBlockRows = 6, kBlockLanes = 2;  // 12 of 16
#elif defined(__aarch64__)
constexpr int kBlockRows = 5, kBlockLanes = 4;  // 20 of 32
#else
constexpr int kBlockRows = 4, kBlockLanes = 2;  // 8 of 16
#endif
static_assert(kPanel % (kBlockLanes * kLanes) == 0);

/** A left operand in panels of depth. Within its panel, (row, depth) is at row·rowStride + depth % 32·depthStride. */
template <int rowStride, int depthStride>
struct PlainLeft {
  const float* data;
  int64_t panelStride;
};
/** The rows of panels [rows, 32]. */
using RowsOfPanels = PlainLeft<kPanel, 1>;
/** The columns of one panel [depth, 32]. */
using ColumnsOfPanel = PlainLeft<1, kPanel>;

/** One block: out [rows, so many registers of 32 columns] (+)= left × right. */
template <int rows, int registers, int rowStride, int depthStride>
inline void plainBlock(PlainLeft<rowStride, depthStride> left, int64_t depth, const float* right, float* out,
                       bool adds) {
  Lanes sums[rows][registers];
  for (int row = 0; row < rows; row++)
    for (int i = 0; i < registers; i++) sums[row][i] = adds ? load(out + row * kPanel + i * kLanes) : Lanes{};
  for (; depth > 0; depth -= kPanel, left.data += left.panelStride) {
    const float* factors = left.data;
    for (int64_t k = std::min(depth, kPanel); k > 0; k--, factors += depthStride, right += kPanel) {
      Lanes numbers[registers];
      for (int i = 0; i < registers; i++) numbers[i] = load(right + i * kLanes);
      for (int row = 0; row < rows; row++)
        for (int i = 0; i < registers; i++) sums[row][i] += numbers[i] * factors[row * rowStride];
    }
  }
  for (int row = 0; row < rows; row++)
    for (int i = 0; i < registers; i++) store(out + row * kPanel + i * kLanes, sums[row][i]);
}

/** As plainProduct, for `rows` of at most `most`. */
template <int most, int rowStride, int depthStride>
void plainRows(PlainLeft<rowStride, depthStride> left, int64_t rows, int64_t depth, const float* right, float* out,
               bool adds, int64_t columns) {
  if (rows == most) {
    int64_t column = 0;
    for (; column + (kBlockLanes - 1) * kLanes < columns; column += kBlockLanes * kLanes)
      plainBlock<most, kBlockLanes>(left, depth, right + column, out + column, adds);
    for (; column < columns; column += kLanes)
      plainBlock<most, 1>(left, depth, right + column, out + column, adds);
  } else if constexpr (most > 1) {
    plainRows<most - 1>(left, rows, depth, right, out, adds, columns);
  }
}

/**
 * out [rows, columns] of [rows, 32] = left [rows, depth] × right [depth, 32]; or, if it `adds`, += that. Columns behind
 * them may be left as they are.
 */
template <int rowStride, int depthStride>
void plainProduct(PlainLeft<rowStride, depthStride> left, int64_t rows, int64_t depth, const float* right, float* out,
                  bool adds = false, int64_t columns = kPanel) {
  for (; rows > 0; rows -= kBlockRows, left.data += kBlockRows * rowStride, out += kBlockRows * kPanel)
    plainRows<kBlockRows>(left, std::min<int64_t>(rows, kBlockRows), depth, right, out, adds, columns);
}

inline void copyRow(const PanelView& panel, int64_t row, float* into) {
  for (int64_t column = 0; column < kPanel; column += kLanes) store(into + column, panel.lanes(row, column));
}

/** Rows of the panel → rows of the operand; its columns are one tile of depth. */
inline void packLeft(const PanelView& panel, const Left<PlainLanes>& left, int64_t depthTile, int64_t rowTile = 0) {
  for (int64_t row = 0; row < roundUp(panel.rows, kTile); row++)
    copyRow(panel, row, left.tile(rowTile + row / kTile, depthTile) + row % kTile * kPanel);
}

/** Columns of the panel → 32 rows of the operand; its rows are depth. */
inline void packLeftTransposed(const PanelView& panel, const Left<PlainLanes>& left, int64_t panelIndex,
                               int64_t firstDepthTile = 0) {
  for (int64_t row = 0, depth = firstDepthTile; row < panel.rows; row += kPanel, depth++)
    for (int half = 0; half < 2; half++)
      transposeHalf(panel, row, half * kTile, left.tile(panelIndex * 2 + half, depth));
}

/** The panel → a panel of the operand; its rows are depth. */
inline void packRight(const PanelView& panel, const Right<PlainLanes>& right, int64_t panelIndex,
                      int64_t firstDepthTile = 0) {
  float* const into = right.square(panelIndex, firstDepthTile);
  for (int64_t row = 0; row < roundUp(panel.rows, kPanel); row++) copyRow(panel, row, into + row * kPanel);
}

/** Rows of the panel → columns of the operand; its columns are one tile of depth. */
inline void packRightTransposed(const PanelView& panel, const Right<PlainLanes>& right, int64_t depthTile,
                                int64_t panelIndex = 0) {
  for (int64_t row = 0; row < panel.rows; row += kPanel) {
    float* const into = right.square(panelIndex + row / kPanel, depthTile);
    for (int half = 0; half < 2; half++) transposeHalf(panel, row, half * kTile, into + half * kTileElements);
  }
}

/**
 * out [rows, columns] of [rows, 32] = rows of `left` × one panel of `right`, over some of the depth; or, if it `adds`,
 * += that. Columns behind them may be left as they are.
 */
inline void product(const Left<PlainLanes>& left, int64_t rowTile, int64_t rows, const Right<PlainLanes>& right,
                    int64_t panelIndex, DepthRange depth, float* out, bool adds = false, int64_t columns = kPanel) {
  constexpr int64_t kDepth = 4;  // tiles at a time: 16 KB of the right operand, which stay in the first cache
  for (int64_t done = 0; done < depth.count; done += kDepth) {
    const int64_t from = depth.first + done, numbers = std::min(kDepth * kPanel, depth.numbers - done * kPanel);
    for (int64_t row = 0; row < rows; row += kTile)
      plainProduct(RowsOfPanels{left.tile(rowTile + row / kTile, from), left.depthStride},
                   std::min(kTile, rows - row), numbers, right.square(panelIndex, from), out + row * kPanel,
                   adds || done > 0, columns);
  }
}

}  // namespace winnow
