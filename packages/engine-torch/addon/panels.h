#pragma once
// What the fused sub-layers are written in: matrices as panels, rows in blocks, weights packed once per call.
#include <cmath>
#include <type_traits>

#include "pairs.h"
#include "parallel.h"
#include "plain.h"
#include "tiles.h"

namespace winnow {

/** How the columns of a matrix fall into panels. */
struct Columns {
  int64_t width;

  int64_t total() const { return width; }
  int64_t panels() const { return ceilDivide(width, kPanel); }
  int64_t first(int64_t panel) const { return panel * kPanel; }
  int64_t count(int64_t panel) const { return std::min(kPanel, width - panel * kPanel); }
};

/** The rows of all sequences, cut into blocks of whole units that keep the threads equally busy. */
struct RowBlocks {
  int64_t rows, blocks, unit;

  /** For products of these rows: units are tiles, so that one sequence is work for several threads; of many rows, two tiles. */
  template <typename Arithmetic>
  static RowBlocks ofTiles(int64_t rows, int threads) {
    // Weights come from the third cache once for so many; what is made of the rows must fit into the second.
    constexpr int64_t kRowsAtOnce = Arithmetic::kPlanes == 1 ? 256 : 128;
    return of(rows, threads, rows < kRowsAtOnce * threads ? kTile : kPanel, kRowsAtOnce);
  }
  /** For products over these rows too, whose depth is cut into panels. */
  static RowBlocks ofPanels(int64_t rows, int threads) { return of(rows, threads, kPanel, 128); }

  int64_t units() const { return ceilDivide(rows, unit); }
  int64_t first(int64_t block) const { return units() * block / blocks * unit; }
  int64_t count(int64_t block) const { return std::min(first(block + 1), rows) - first(block); }

 private:
  static RowBlocks of(int64_t rows, int threads, int64_t unit, int64_t rowsAtOnce) {
    const int64_t wanted = roundUp(ceilDivide(rows, rowsAtOnce), threads);
    return {rows, std::max<int64_t>(1, std::min(ceilDivide(rows, unit), wanted)), unit};
  }
};

/** A matrix panel by panel: [panels][rows][32]. Columns that do not exist hold zeros, or what a product left there. */
template <typename Number>
struct Panels {
  Number* data;
  int64_t rows;

  Number* at(int64_t panel, int64_t row = 0) const { return data + (panel * rows + row) * kPanel; }
};

/** What a product may read behind the last row of panels, whose numbers are a left operand as they lie. */
constexpr int64_t kRoomForTile = kTile * kPanel;

/**
 * Panels of some rows, in scratch memory: room for whole tiles, an odd number of them, so that panels do not share the sets of
 * a cache.
 */
template <typename Number>
Panels<Number> takePanels(Scratch& scratch, int64_t panels, int64_t rows) {
  const int64_t room = (ceilDivide(rows, kTile) | 1) * kTile;
  return {scratch.take<Number>(panels * room * kPanel), room};
}

/** Some rows of one panel. */
template <typename Number>
PanelOf<Number> viewOf(const Panels<Number>& of, int64_t panel, int64_t row, int64_t rows, int64_t columns) {
  return {of.at(panel, row), kPanel, rows, columns};
}

template <typename Arithmetic>
Left<Arithmetic> takeLeft(Scratch& scratch, int64_t rows, int64_t depthTiles) {
  using Operand = Left<Arithmetic>;
  // Transposed packing writes whole panels.
  const int64_t elements = Operand::elements(roundUp(rows, kPanel), depthTiles);
  return Operand::packed(scratch.take<typename Operand::Number>(elements), depthTiles);
}

/**
 * Rows of panels as a left operand whose depth is `columns`, from the panel `first` on. Numbers of one plane already lie as
 * products read them: behind the rows a last tile has whatever follows, which must be readable, and of which come rows that
 * nobody reads.
 */
template <typename Arithmetic>
Left<Arithmetic> leftOf(const Panels<Kept<Arithmetic>>& panels, int64_t first, int64_t row, int64_t rows, Columns columns,
                        Scratch& scratch) {
  if constexpr (Arithmetic::kPlanes == 1) {
    return {panels.at(first, row), kTile * kPanel, panels.rows * kPanel};
  } else {
    const Left<Arithmetic> left = takeLeft<Arithmetic>(scratch, rows, columns.panels());
    for (int64_t j = 0; j < columns.panels(); j++)
      packLeft(viewOf(panels, first + j, row, rows, columns.count(j)), left, j);
    return left;
  }
}

/** A left operand that is made panel by panel of its depth: where products read it, or packed panel by panel. */
template <typename Arithmetic>
class LeftInTheMaking {
 public:
  using Number = Kept<Arithmetic>;

  LeftInTheMaking(Scratch& scratch, int64_t rows, Columns columns)
      : rows_(rows), columns_(columns), panels_(takePanels<Number>(scratch, kPacks ? 1 : columns.panels(), rows)),
        left_(kPacks ? takeLeft<Arithmetic>(scratch, rows, columns.panels())
                     : leftOf<Arithmetic>(panels_, 0, 0, rows, columns, scratch)) {}
  /** Where the rows of the panel are to be written. */
  Number* panel(int64_t index) const { return panels_.at(kPacks ? 0 : index); }
  /** When they are. */
  PanelOf<Number> finish(int64_t index) const {
    const PanelOf<Number> view{panel(index), kPanel, rows_, columns_.count(index)};
    if constexpr (kPacks) packLeft(view, left_, index);
    return view;
  }
  const Left<Arithmetic>& left() const { return left_; }

 private:
  static constexpr bool kPacks = Arithmetic::kPlanes != 1;
  int64_t rows_;
  Columns columns_;
  Panels<Number> panels_;
  Left<Arithmetic> left_;
};

template <typename Arithmetic>
Right<Arithmetic> takeRight(Scratch& scratch, int64_t depthTiles, int64_t panels) {
  using Operand = Right<Arithmetic>;
  return {scratch.take<typename Operand::Number>(Operand::elements(depthTiles, panels)), depthTiles};
}

/** A layer's weight [in, out] and bias [out], with the panels that its columns on either side fall into. */
struct Weight {
  const float* weight;
  const float* bias;
  Columns in, out;
  /** [out] Multiplies what the layer gives, dimension by dimension: layer scale. Null for none. */
  const float* scale = nullptr;
};

/** A square of the weight from `corner` on; with the layer scale in it, in `scaled`, where there is one. */
inline PanelView squareOf(const Weight& layer, int64_t in, int64_t out, float* scaled) {
  const int64_t stride = layer.out.total(), rows = layer.in.count(in), columns = layer.out.count(out);
  const PanelView square{layer.weight + layer.in.first(in) * stride + layer.out.first(out), stride, rows, columns};
  if (layer.scale == nullptr) return square;
  const float* const scale = layer.scale + layer.out.first(out);
  for (int64_t column = 0; column < kPanel; column += kLanes) {
    const Lanes factor = loadFirst(scale + column, columns - column);
    for (int64_t row = 0; row < rows; row++) store(scaled + row * kPanel + column, square.lanes(row, column) * factor);
  }
  return {scaled, kPanel, rows, columns};
}

/** Panel `panel` of the weight as a right operand: x·W. */
template <typename Arithmetic>
void packWeight(const Weight& layer, const Right<Arithmetic>& right, int64_t panel) {
  float scaled[kPanel * kPanel];
  for (int64_t depth = 0; depth < layer.in.panels(); depth++)
    packRight(squareOf(layer, depth, panel, scaled), right, panel, depth);
}

/** Panel `panel` of the transposed weight as a right operand: dy·Wᵀ. Its depth begins at tile `firstDepth`. */
template <typename Arithmetic>
void packWeightTransposed(const Weight& layer, const Right<Arithmetic>& right, int64_t panel, int64_t firstDepth = 0) {
  float scaled[kPanel * kPanel];
  for (int64_t depth = 0; depth < layer.out.panels(); depth++)
    packRightTransposed(squareOf(layer, panel, depth, scaled), right, firstDepth + depth, panel);
}

/** y = x + product + bias (by the layer scale), for one panel [rows, 32] of the product; x and y are [rows, out]. */
inline void addResidual(const Weight& layer, int64_t panel, const float* product, int64_t rows, const float* x,
                        float* y) {
  const int64_t stride = layer.out.total(), first = layer.out.first(panel), columns = layer.out.count(panel);
  Lanes bias[kPanel / kLanes];
  for (int64_t column = 0; column < kPanel; column += kLanes) {
    const int64_t at = first + column, there = columns - column;
    const Lanes plain = loadFirst(layer.bias + at, there);
    bias[column / kLanes] = layer.scale == nullptr ? plain : plain * loadFirst(layer.scale + at, there);
  }
  for (int64_t row = 0; row < rows; row++, product += kPanel) {
    const float* const from = x + row * stride + first;
    float* const to = y + row * stride + first;
    // The next panel's, which is not in the core's caches.
    __builtin_prefetch(to + kPanel, 1);
    __builtin_prefetch(to + kPanel + kPanel / 2, 1);
    for (int64_t column = 0; column < kPanel; column += kLanes) {
      const Lanes sum = load(product + column) + bias[column / kLanes];
      storeFirst(to + column, loadFirst(from + column, columns - column) + sum, columns - column);
    }
  }
}

/** y = product + bias, for one panel [rows, 32] of the product; y is [rows, out]. */
inline void addBias(const Weight& layer, int64_t panel, const float* product, int64_t rows, float* y) {
  const int64_t stride = layer.out.total(), first = layer.out.first(panel), columns = layer.out.count(panel);
  for (int64_t column = 0; column < kPanel; column += kLanes) {
    const int64_t at = first + column, there = columns - column;
    const Lanes bias = loadFirst(layer.bias + at, there);
    for (int64_t row = 0; row < rows; row++)
      storeFirst(y + row * stride + at, load(product + row * kPanel + column) + bias, there);
  }
}

/** A panel [rows, 32] → the columns of it that exist, in a matrix whose rows are `stride` apart. */
inline void copyPanel(const float* panel, int64_t rows, int64_t columns, float* to, int64_t stride) {
  for (int64_t row = 0; row < rows; row++, panel += kPanel, to += stride) {
    for (int64_t column = 0; column < kPanel; column += kLanes)
      storeFirst(to + column, load(panel + column), columns - column);
  }
}

/** Sums over the rows of each block, one line of `width` numbers a block, added up at the end in the blocks' order. */
struct ColumnSums {
  float* lines;
  int64_t width, blocks;

  static ColumnSums take(Scratch& scratch, int64_t width, int64_t blocks) {
    const int64_t padded = roundUp(width, kPanel);
    return {scratch.take<float>(padded * blocks), padded, blocks};
  }
  float* line(int64_t block) const { return lines + block * width; }

  /** The sum over the panel's rows becomes what the line says from `column` on. */
  template <typename Number>
  void set(int64_t block, int64_t column, const PanelOf<Number>& panel) const {
    for (int64_t at = 0; at < kPanel; at += kLanes) {
      Lanes sum{};
      for (int64_t row = 0; row < panel.rows; row++) sum += panel.lanes(row, at);
      storeFirst(line(block) + column + at, sum, panel.columns - at);
    }
  }

  void finish(float* total, int64_t count) const {
    for (int64_t i = 0; i < count; i++) {
      float sum = 0;
      for (int64_t block = 0; block < blocks; block++) sum += line(block)[i];
      total[i] = sum;
    }
  }
};

}  // namespace winnow
