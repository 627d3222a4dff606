#pragma once
// Operands of matrix products. They are packed from panels, 32 columns of a row-major matrix, in the order in which a
// product reads them; products come out as panels.
//
// What they are made of and how they are multiplied is an `Arithmetic`: Tiles (tiles.h), Pairs (pairs.h) or PlainLanes
// (plain.h). For
// each, there are packLeft, packLeftTransposed, packRight, packRightTransposed and product, which the operands' types
// choose.
#include "bf16.h"

namespace winnow {

/** Columns of a panel, and contraction depth of a tile. */
constexpr int64_t kPanel = 32;
/** Rows of a tile. */
constexpr int64_t kTile = 16;
constexpr int64_t kTileElements = kTile * kPanel;

constexpr int64_t ceilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t roundUp(int64_t a, int64_t b) { return ceilDivide(a, b) * b; }

/** Where a panel's numbers are: row r begins at data + r·stride; `columns` of its 32 exist, the others are zero. */
template <typename Number>
struct PanelOf {
  const Number* data;
  int64_t stride;
  int64_t rows;
  int64_t columns;

  /** From that column on; zeros where the panel ends. */
  Lanes lanes(int64_t row, int64_t column) const {
    return row < rows ? loadFirstNumbers(data + row * stride + column, columns - column) : Lanes{};
  }
};
using PanelView = PanelOf<float>;

/**
 * A left operand: tiles of 16 rows by 32 of depth, of one or more planes. What is packed has the order: row tile, depth tile,
 * plane.
 */
template <typename Arithmetic>
struct Left {
  using Number = typename Arithmetic::Operand;
  static constexpr int64_t kElements = Arithmetic::kPlanes * kTileElements;

  Number* data;
  int64_t rowStride, depthStride;  // from one tile to the next

  static Left packed(Number* data, int64_t depthTiles) { return {data, depthTiles * kElements, kElements}; }
  static int64_t elements(int64_t rows, int64_t depthTiles) { return ceilDivide(rows, kTile) * depthTiles * kElements; }
  Number* tile(int64_t row, int64_t depth) const { return data + row * rowStride + depth * depthStride; }
};

/** A right operand: squares of 32 of depth by 32 columns, of one or more planes. Order: panel, depth tile, plane. */
template <typename Arithmetic>
struct Right {
  using Number = typename Arithmetic::Operand;
  static constexpr int64_t kElements = Arithmetic::kPlanes * kPanel * kPanel;

  Number* data;
  int64_t depthTiles;

  static int64_t elements(int64_t depthTiles, int64_t panels) { return panels * depthTiles * kElements; }
  Number* square(int64_t panel, int64_t depth) const { return data + (panel * depthTiles + depth) * kElements; }
  /** The panels from that one on. */
  Right from(int64_t panel) const { return {square(panel, 0), depthTiles}; }
};

/** Some of the depth of a product: `count` tiles from the first one on, which hold so many `numbers`; behind them are zeros. */
struct DepthRange {
  int64_t first, count, numbers;

  DepthRange(int64_t first, int64_t count) : first(first), count(count), numbers(count * kPanel) {}
  /** All of it. */
  explicit DepthRange(int64_t numbers) : first(0), count(ceilDivide(numbers, kPanel)), numbers(numbers) {}
};

/** What the backward pass needs again is kept as it was multiplied. */
template <typename Arithmetic>
using Kept = typename Arithmetic::Kept;

/** Whether what a function gives is rounded to bf16, so that a few thousandths of its last place do not matter. */
template <typename Arithmetic>
constexpr bool isRounded = sizeof(Kept<Arithmetic>) == 2;

}  // namespace winnow
