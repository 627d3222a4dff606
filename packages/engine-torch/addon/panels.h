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

  /** For products of these rows: units are tiles, so that one sequence is work for several threads. */
  static RowBlocks ofTiles(int64_t rows, int threads) { return of(rows, threads, kTile); }
  /** For products over these rows too, whose depth is cut into panels. */
  static RowBlocks ofPanels(int64_t rows, int threads) { return of(rows, threads, kPanel); }

  int64_t units() const { return ceilDivide(rows, unit); }
  int64_t first(int64_t block) const { return units() * block / blocks * unit; }
  int64_t count(int64_t block) const { return std::min(first(block + 1), rows) - first(block); }

 private:
  static RowBlocks of(int64_t rows, int threads, int64_t unit) {
    constexpr int64_t kRowsAtOnce = 128;
    const int64_t wanted = roundUp(ceilDivide(rows, kRowsAtOnce), threads);
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

/** Some rows of one kept panel as float32. */
template <typename Number>
PanelView viewOf(const Panels<Number>& kept, int64_t panel, int64_t row, int64_t rows, int64_t columns,
                 Scratch& scratch) {
  const Number* const from = kept.at(panel, row);
  if constexpr (std::is_same_v<Number, float>) {
    return {from, kPanel, rows, columns};
  } else {
    float* const wide = scratch.take<float>(rows * kPanel);
    for (int64_t i = 0; i < rows * kPanel; i += kLanes) store(wide + i, loadNumbers(from + i));
    return {wide, kPanel, rows, columns};
  }
}

template <typename Arithmetic>
Left<Arithmetic> takeLeft(Scratch& scratch, int64_t rows, int64_t depthTiles) {
  using Operand = Left<Arithmetic>;
  // Transposed packing writes whole panels.
  const int64_t elements = Operand::elements(roundUp(rows, kPanel), depthTiles);
  return {scratch.take<typename Operand::Number>(elements), depthTiles};
}

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
  for (int64_t column = 0; column < kPanel; column += kLanes) {
    const int64_t at = first + column, there = columns - column;
    const Lanes plain = loadFirst(layer.bias + at, there);
    const Lanes bias = layer.scale == nullptr ? plain : plain * loadFirst(layer.scale + at, there);
    for (int64_t row = 0; row < rows; row++) {
      const Lanes sum = load(product + row * kPanel + column) + bias;
      storeFirst(y + row * stride + at, loadFirst(x + row * stride + at, there) + sum, there);
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

/** The gradient of one weight [in, out]: left operand inputᵀ [in panels, rows], right operand dy [rows, out panels]. */
template <typename Arithmetic>
struct WeightGradient {
  Left<Arithmetic> input;
  Right<Arithmetic> output;
  Columns in, out;
  float* gradient;
};

/**
 * All gradients of a sub-layer's weights at once. A unit of work is a square of panels whose operands, for some of the
 * depth, fit into the core's second cache together: each is read from further away once a unit.
 */
template <typename Arithmetic>
void multiplyGradients(int threads, std::initializer_list<WeightGradient<Arithmetic>> gradients) {
  constexpr int64_t kDepth = 8;  // tiles at a time
  struct Unit {
    const WeightGradient<Arithmetic>* of;
    int64_t in, ins, out, outs;
  };
  std::vector<Unit> units;
  for (int64_t group : {8, 4, 2, 1}) {
    units.clear();
    for (const WeightGradient<Arithmetic>& each : gradients)
      for (int64_t out = 0; out < each.out.panels(); out += group)
        for (int64_t in = 0; in < each.in.panels(); in += group)
          units.push_back({&each, in, std::min(group, each.in.panels() - in), out,
                           std::min(group, each.out.panels() - out)});
    if (static_cast<int64_t>(units.size()) >= 2 * threads) break;
  }
  parallelFor<Arithmetic>(threads, static_cast<int64_t>(units.size()), [&](int64_t index, Scratch& scratch) {
    const auto& [of, in, ins, out, outs] = units[index];
    const int64_t elements = ins * kPanel * kPanel, rows = (ins - 1) * kPanel + of->in.count(in + ins - 1);
    float* const sums = scratch.take<float>(outs * elements);
    const int64_t depth = of->output.depthTiles;
    for (int64_t first = 0; first < depth; first += kDepth) {
      const DepthRange range{first, std::min(kDepth, depth - first)};
      for (int64_t j = 0; j < outs; j++)
        product(of->input, in * 2, rows, of->output, out + j, range, sums + j * elements, first > 0);
    }
    const int64_t stride = of->out.total();
    for (int64_t j = 0; j < outs; j++) {
      const int64_t columns = of->out.count(out + j);
      for (int64_t i = 0; i < ins; i++) {
        float* const to = of->gradient + of->in.first(in + i) * stride + of->out.first(out + j);
        copyPanel(sums + j * elements + i * kPanel * kPanel, of->in.count(in + i), columns, to, stride);
      }
    }
  });
}

/**
 * The gradients of a layer's weight W and bias b from those of what it multiplied by, W∘s and b∘s, in place; and that of
 * the layer scale s [out]: ds = Σ W∘d(W∘s) + b∘d(b∘s), over the rows of W. Nothing where the layer has none.
 */
template <typename Arithmetic>
void takeScale(const Weight& layer, int threads, float* weightGradient, float* biasGradient, float* scaleGradient) {
  if (layer.scale == nullptr) return;
  const int64_t stride = layer.out.total();
  parallelFor<Arithmetic>(threads, layer.out.panels(), [&](int64_t panel, Scratch&) {
    for (int64_t column = 0; column < layer.out.count(panel); column += kLanes) {
      const int64_t at = layer.out.first(panel) + column, there = layer.out.count(panel) - column;
      const Lanes scale = loadFirst(layer.scale + at, there), ofBias = loadFirst(biasGradient + at, there);
      Lanes sum = ofBias * loadFirst(layer.bias + at, there);
      storeFirst(biasGradient + at, ofBias * scale, there);
      for (int64_t row = 0; row < layer.in.total(); row++) {
        float* const to = weightGradient + row * stride + at;
        const Lanes ofWeight = loadFirst(to, there);
        sum += ofWeight * loadFirst(layer.weight + row * stride + at, there);
        storeFirst(to, ofWeight * scale, there);
      }
      storeFirst(scaleGradient + at, sum, there);
    }
  });
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
  void set(int64_t block, int64_t column, const PanelView& panel) const {
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
